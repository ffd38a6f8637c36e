/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry/nmi_origin.h"

#include "arch_switch.h"
#include "core/percpu.h"
#include "lib/panic.h"

extern const u8 vmx_run_window[], vmx_nmi_unblocked[];

/* Time for an NMI that has left its sender's local APIC to get through, even to a CPU in system management mode. */
#define FLIGHT_MS 10
/* Looks at senders that are about to send: they do so in a microsecond, unless they are interrupted. */
#define PATIENCE 1000

/*
 * Whether all kicks that have been counted were sent. The wait is short, and bounded because a sender may itself be
 * in a handler that waits like this one.
 */
static bool all_sent(const struct cpu *cpu)
{
	unsigned patience = PATIENCE;

	for (unsigned n = 0; n < cpu_count; n++)
		while (unlikely(__atomic_load_n(&arch_cpu(n)->kicking, __ATOMIC_ACQUIRE) == cpu)) {
			if (!patience--)
				return false;
			arch_relax();
		}
	return true;
}

/* An NMI that was kept while the last one was handled comes before the next instruction, whatever time passes. */
static bool is_next(const struct nmi_origin *o, u64 rip)
{
	return rip == o->back || rip == (u64)vmx_run_window || rip == (u64)vmx_nmi_unblocked;
}

/* Nothing of what was counted last time can still come. */
static bool is_over(const struct nmi_origin *o, u64 rip, u64 now)
{
	return o->settled && !is_next(o, rip) && now - o->looked > (u64)FLIGHT_MS * tsc_khz;
}

/* Not one kick for one NMI. */
static noinline bool look_closely(struct cpu *cpu, u32 kicks, u64 rip)
{
	struct nmi_origin *o = &cpu->nmi;

	if (o->merged && is_over(o, rip, arch_tsc()))
		o->handled = o->counted;
	o->merged = false;
	if (o->handled == kicks)
		return false;
	o->handled++;
	o->counted = kicks;
	o->merged = o->handled != kicks;
	o->settled = false;
	return true;
}

bool nmi_origin_is_ours(struct cpu *cpu, u64 rip)
{
	struct nmi_origin *o = &cpu->nmi;
	u32 kicks = __atomic_load_n(&cpu->kicks, __ATOMIC_ACQUIRE);

	if (unlikely(o->merged) || unlikely(kicks - o->handled != 1))
		return look_closely(cpu, kicks, rip);
	o->handled = kicks;
	return true;
}

void nmi_origin_settle_merged(struct cpu *cpu)
{
	cpu->nmi.settled = all_sent(cpu);
	cpu->nmi.looked = arch_tsc();
}
