/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is assembly or needs a real CPU in arch/x86_64: instrumented like the kernel's own code, because other CPUs
 * see its stores. Barriers have names of their own, so that the list of mutations can take each away.
 */
#include "arch/cpu.h"
#include "arch/switch.h"

#include "core/rcu.h"
#include "core/remote.h"
#include "core/vcpu.h"
#include "kernel_side.h"
#include "lib/bits.h"
#include "mmu/tlb.h"

struct cpu interleave_cpus[HEDRON_CPU_MAX];
unsigned cpu_count;
u64 cpus_online[HEDRON_CPU_MAX / 64];

#define BARRIER() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* arch/x86_64/switch_inline.h: switch_space() */
static void switch_space(struct cpu *cpu, const struct ec *from, const struct ec *to)
{
	struct pd *pd = to->pd;

	if (from->pd == pd)
		return;
	interleave_cr3_write(pd->cr3[cpu->id]);
	__atomic_store_n(&cpu->space, pd, __ATOMIC_RELAXED);
	if (READ_ONCE(pd->tlb_stale[cpu->id]))
		tlb_refresh(cpu, pd);
}

struct ec *interleave_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to)
{
	__atomic_store_n(&cpu->ec, to, __ATOMIC_RELAXED);
	switch_space(cpu, from, to);
	return to;
}

void interleave_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to)
{
	interleave_ec_switch(cpu, from, to);
}

/* apic/lapic.c */
void arch_kick(struct cpu *cpu)
{
	BARRIER(); /* the APIC's registers are uncached, and x2APIC has its own fence */
	interleave_send_nmi(cpu->id);
}

void arch_signal(struct cpu *cpu)
{
	if (__atomic_load_n(&cpu->sleeping, __ATOMIC_SEQ_CST) != SLEEPING_MWAIT)
		arch_kick(cpu);
}

/* entry/nmi.c: nmi_take() and handle() */
void interleave_nmi(void)
{
	struct cpu *cpu = cpu_current();

	tlb_answer(cpu);
	if (__atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_REMOTE);
	if (__atomic_load_n(&cpu->rcu_asked, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_RCU);
}

/* entry/entry.S: arch_idle(), its two halves */
void interleave_idle_begin(struct cpu *cpu, u32 sleeping)
{
	__atomic_store_n(&cpu->sleeping, sleeping, __ATOMIC_RELAXED);
}

bool interleave_idle_may_sleep(struct cpu *cpu)
{
	return !cpu->hazard && !__atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED);
}

void interleave_idle_end(struct cpu *cpu)
{
	__atomic_store_n(&cpu->sleeping, SLEEPING_NOT, __ATOMIC_RELAXED);
	hazard_set(cpu, HAZARD_REMOTE);
}

/* ---- boot/suspend.c, from the work items to those who come back ---- */

/* As in boot/suspend.c; `lost` is the CPU that does not come back. */
static struct {
	u32 expected, arrived, lying, over;
	unsigned lost;
	struct work work[HEDRON_CPU_MAX];
} sleep;

static u32 count(const u32 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static void add(u32 *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_ACQ_REL);
}

static void gather(struct cpu *cpu)
{
	add(&sleep.arrived);
	while (count(&sleep.arrived) < sleep.expected) {
		if (READ_ONCE(cpu->rcu_asked))
			rcu_quiesce(cpu);
		arch_relax();
	}
}

static void lose(unsigned n)
{
	struct cpu *cpu = arch_cpu(n);

	cpus_online[n / 64] &= ~bit(n % 64);
	cpu->sc = NULL;
	cpu->ec = cpu->idle_ec;
	cpu->space = &pd_kernel;
	cpu->sleeping = SLEEPING_MWAIT;
	rcu_lose_cpu(cpu);
}

/* Whoever has asked for it is the boot CPU here. */
static void take_part(struct cpu *cpu, bool boot)
{
	gather(cpu);
	if (boot) {
		while (count(&sleep.lying) < sleep.expected - 1)
			arch_relax();
		lose(sleep.lost);
		__atomic_store_n(&sleep.over, 1, __ATOMIC_RELEASE);
	} else {
		add(&sleep.lying);
		if (cpu->id == sleep.lost)
			interleave_vanish();
		while (!count(&sleep.over))
			arch_relax();
	}
	hazard_set(cpu, HAZARD_REMOTE | HAZARD_RCU);
}

static void take_part_there(struct work *w)
{
	(void)w;
	take_part(cpu_current(), false);
}

void interleave_suspend(unsigned lost)
{
	sleep.arrived = sleep.lying = sleep.over = 0;
	sleep.expected = cpu_count;
	sleep.lost = lost;
	for (unsigned n = 0; n < cpu_count; n++)
		if (n != cpu_current()->id)
			remote_call(n, &sleep.work[n], take_part_there);
	take_part(cpu_current(), true);
}
