/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmx/vmx_common.h"

/* The parts of struct vmx that are pairs of "must" and "may", and those that a CPU has or has not: X(name). */
#define CONTROL_LIST(X) X(pin) X(primary) X(secondary) X(exit) X(entry)
#define CAN_LIST(X) X(vpid) X(spec_ctrl) X(tsc_aux) X(wait_sipi) X(l1_can_flush)

static bool merge_control(struct vmx_control *all, struct vmx_control one)
{
	all->must |= one.must;
	all->may &= one.may;
	return !(all->must & ~all->may);
}

static bool merge_controls(struct vmx *all, const struct vmx *one)
{
	bool fit = true;

#define X(name) fit &= merge_control(&all->name, one->name);
	CONTROL_LIST(X)
#undef X
	return fit;
}

static bool merge_registers(struct vmx *all, const struct vmx *one)
{
	all->cr0_must |= one->cr0_must;
	all->cr0_may &= one->cr0_may;
	all->cr4_must |= one->cr4_must;
	all->cr4_may &= one->cr4_may;
	return !(all->cr0_must & ~all->cr0_may) && !(all->cr4_must & ~all->cr4_may);
}

const char *vmx_common_merge(struct vmx *all, const struct vmx *one)
{
	if (all->timer_shift != one->timer_shift)
		return "the rate of the preemption timer";
	if (!merge_controls(all, one))
		return "controls that cannot be chosen";
	if (!merge_registers(all, one))
		return "bits of CR0 or CR4 that cannot be chosen";
	all->ept_caps &= one->ept_caps;
#define X(name) all->name &= one->name;
	CAN_LIST(X)
#undef X
	all->l1_leaks |= one->l1_leaks;
	return NULL;
}

static bool control_covers(struct vmx_control one, struct vmx_control all)
{
	return !(all.may & ~one.may) && !(one.must & ~all.must);
}

bool vmx_common_covers(const struct vmx *one, const struct vmx *all)
{
	bool covers = one->timer_shift == all->timer_shift && !(all->ept_caps & ~one->ept_caps) &&
		      !(all->cr0_may & ~one->cr0_may) && !(one->cr0_must & ~all->cr0_must) &&
		      !(all->cr4_may & ~one->cr4_may) && !(one->cr4_must & ~all->cr4_must) &&
		      (all->l1_leaks || !one->l1_leaks);

#define X(name) covers &= control_covers(one->name, all->name);
	CONTROL_LIST(X)
#undef X
#define X(name) covers &= one->name || !all->name;
	CAN_LIST(X)
#undef X
	return covers;
}
