/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry/nmi_origin.h"

#include "arch/switch.h"
#include "core/percpu.h"
#include "platform/panic.h"

extern const u8 restart_vm_entry[], vmx_nmi_unblocked[];

/* How long an NMI that has left its sender's local APIC may take, even to a CPU in system management mode. */
#define FLIGHT_MS 10
/* How often to look at senders that are about to send: they do so in a microsecond, unless they are interrupted. */
#define LOOKS_MAX 1000

/*
 * Waits until all kicks that have been counted are sent. The wait is bounded, because a sender may itself be in a
 * handler that waits like this one. False: it was given up.
 */
static bool all_sent(const struct cpu *cpu)
{
	unsigned looks = LOOKS_MAX;

	for (unsigned n = 0; n < cpu_count; n++)
		while (unlikely(__atomic_load_n(&arch_cpu(n)->kicking, __ATOMIC_ACQUIRE) == cpu)) {
			if (!looks--)
				return false;
			arch_relax();
		}
	return true;
}

/*
 * An NMI that was kept while the last one was handled comes at the instruction to which the handler has returned,
 * however much time has passed. After an exit by NMI these are the targets of the two IRETs in vmx/vmx_event.c.
 */
static bool is_next(const struct nmi_origin *o, u64 rip)
{
	return rip == o->back || rip == (u64)restart_vm_entry || rip == (u64)vmx_nmi_unblocked;
}

/* True if nothing of what was counted last time can still come. */
static bool is_over(const struct nmi_origin *o, u64 rip, u64 now)
{
	return o->settled && !is_next(o, rip) && now - o->looked > (u64)FLIGHT_MS * tsc_khz;
}

/* Added to `handled` while kicks are left that may have merged: half the range off, so that no NMI looks plain. */
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
