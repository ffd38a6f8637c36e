/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/drain.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/ec.h"
#include "core/irq.h"
#include "core/percpu.h"
#include "core/remote.h"
#include "platform/console.h"

static bool draining; /* atomic: an idle CPU is writing, in drain_idle() */

/* Makes a CPU that is idle look again. One for each, because a CPU that is lost in sleep keeps its own. */
static struct {
	struct work work;
	bool sent; /* atomic: it is in the mailbox */
} wake_ups[HEDRON_CPU_MAX];

/* Another CPU whose current EC is the idle one; NULL: all others are busy. */
static struct cpu *find_idle(const struct cpu *self)
{
	for (unsigned n = 0; n < cpu_count; n++) {
		struct cpu *cpu = arch_cpu(n);
		if (cpu != self && cpu_online(n) && READ_ONCE(cpu->ec) == cpu->idle_ec)
			return cpu;
	}
	return NULL;
}

static void pass_on(struct work *w);

/*
 * Called with something left to be written. A CPU that becomes idle makes its idle EC the current one before it looks
 * at console_pending, with the load of CR3 in between. So one that has not seen it is found here, whether it sleeps
 * yet or not; and if all are busy, the next one will see it.
 */
static void wake(void)
{
	struct cpu *self = cpu_current();

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&draining, __ATOMIC_RELAXED))
		return;
	struct cpu *cpu = find_idle(self);
	if (cpu && !__atomic_exchange_n(&wake_ups[cpu->id].sent, true, __ATOMIC_SEQ_CST))
		remote_call(cpu->id, &wake_ups[cpu->id].work, pass_on);
}

/* On the CPU that was woken. If it stays idle it looks by itself (drain_idle()). But it may have become busy
 * meanwhile: so it wakes another one, and so on, until one writes. */
static void pass_on(struct work *w)
{
	(void)w;
	__atomic_store_n(&wake_ups[cpu_current_id()].sent, false, __ATOMIC_SEQ_CST);
	if (READ_ONCE(console_pending))
		wake();
}

void drain_start(void)
{
	console_run(wake);
}

static bool has_better_to_do(struct cpu *cpu)
{
	return READ_ONCE(cpu->hazard) || __atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED);
}

/* A CPU that finds another one writing may sleep: that one wakes somebody when it has something better to do. */
noinline cold void drain_idle(struct cpu *cpu)
{
	if (__atomic_exchange_n(&draining, true, __ATOMIC_SEQ_CST))
		return;
	while (READ_ONCE(console_pending) && !has_better_to_do(cpu)) {
		console_drain();
		(void)irq_take_pending(); /* as in sleep */
		arch_relax();
	}
	__atomic_store_n(&draining, false, __ATOMIC_SEQ_CST);
	if (READ_ONCE(console_pending))
		wake();
}
