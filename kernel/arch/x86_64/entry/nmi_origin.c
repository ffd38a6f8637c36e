/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry/nmi_origin.h"

#include "arch_switch.h"
#include "core/percpu.h"
#include "lib/panic.h"

extern const u8 restart_vm_entry[], vmx_nmi_unblocked[];

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
	return rip == o->back || rip == (u64)restart_vm_entry || rip == (u64)vmx_nmi_unblocked;
}

/* Nothing of what was counted last time can still come. */
static bool is_over(const struct nmi_origin *o, u64 rip, u64 now)
{
	return o->settled && !is_next(o, rip) && now - o->looked > (u64)FLIGHT_MS * tsc_khz;
}

#define OFF (1u << 31)

bool nmi_origin_look(struct cpu *cpu, u64 rip)
{
	struct nmi_origin *o = &cpu->nmi;
	u32 kicks = __atomic_load_n(&cpu->kicks, __ATOMIC_ACQUIRE);

	if (o->merged) {
		o->handled -= OFF;
		if (is_over(o, rip, arch_tsc()))
			o->handled = o->counted;
	}
	o->merged = false;
	if (o->handled == kicks)
		return false;
	if (++o->handled == kicks)
		return true;
	o->counted = kicks;
	o->merged = true;
	o->settled = false;
	o->handled += OFF;
	return true;
}

void nmi_origin_settle(struct cpu *cpu)
{
	if (!cpu->nmi.merged)
		return;
	cpu->nmi.settled = all_sent(cpu);
	cpu->nmi.looked = arch_tsc();
}
