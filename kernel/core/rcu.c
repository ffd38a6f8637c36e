/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rcu.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/ec.h"
#include "core/percpu.h"
#include "core/reap.h"
#include "core/remote.h"
#include "trace/trace.h"

/* Objects that wait before it is worth asking the other CPUs. Nobody needs to be asked if all others sleep.
 * tests/interleave has a smaller number. */
#ifndef RCU_BATCH
#define RCU_BATCH 64
#endif

static struct {
	struct work *queue; /* waits for the next grace period; atomic: a stack that all CPUs push to */
	u32 queued;         /* about how many work items that are; atomic */

	u32 begun;          /* grace periods that have begun so far; atomic */
	u32 busy;           /* a grace period runs; atomic: set by its leader, cleared by the last to answer */
	struct work *batch; /* its work items; written by the leader before it asks, done by the last to answer */
	u32 awaited;        /* answers still to come, the leader's own included; atomic */

	struct trace_span running; /* its time, if tracing was on when it began; passed on with `batch` */
} rcu;

void rcu_call(struct work *w, void (*fn)(struct work *))
{
	w->fn = fn;
	w->next = __atomic_load_n(&rcu.queue, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&rcu.queue, &w->next, w, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	__atomic_fetch_add(&rcu.queued, 1, __ATOMIC_RELAXED);
	hazard_set(cpu_current(), HAZARD_RCU);
}

/* The last answer is in: no CPU can hold a pointer to anything in the batch any more. */
static always_inline void complete(void)
{
	struct work *w = rcu.batch;
	rcu.batch = NULL;
	while (w) {
		struct work *next = w->next;
		w->fn(w);
		w = next;
	}
	__atomic_store_n(&rcu.busy, 0, __ATOMIC_RELEASE);
}

static noinline void complete_traced(void)
{
	trace_end_elsewhere(TRACE_PATH_GRACE, &rcu.running);
	complete();
}

static void answer(void)
{
	if (__atomic_sub_fetch(&rcu.awaited, 1, __ATOMIC_ACQ_REL))
		return;
	if (trace_point(0, TRACE_PATH_BIT(GRACE)))
		complete_traced();
	else
		complete();
}

/*
 * Asks one CPU, unless it sleeps. A CPU that sleeps uses no object, and what it finds after waking up no longer leads
 * to the batch: `sleeping` is read here after the objects were unhooked (the barrier in lead()), and a CPU that wakes
 * up clears `sleeping` before it takes its work items with XCHG, and has nothing to do before that.
 */
static void ask(struct cpu *other)
{
	if (__atomic_load_n(&other->sleeping, __ATOMIC_RELAXED))
		return;
	__atomic_fetch_add(&rcu.awaited, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&other->rcu_asked, 1, __ATOMIC_RELEASE);
	arch_kick(other);
}

/* Begins a grace period, if none runs. The leader's own answer comes last, so nobody completes while it is still
 * asking. */
static noinline bool lead(struct cpu *cpu)
{
	if (__atomic_load_n(&rcu.busy, __ATOMIC_RELAXED) || __atomic_exchange_n(&rcu.busy, 1, __ATOMIC_ACQ_REL))
		return false;
	__atomic_fetch_add(&rcu.begun, 1, __ATOMIC_RELAXED);
	if (trace_point(0, TRACE_PATH_BIT(GRACE)))
		trace_begin(&rcu.running);
	TRACE(GRACE, 0, rcu.begun, 0);
	__atomic_store_n(&rcu.queued, 0, __ATOMIC_RELAXED);
	/* The XCHG is the barrier between unhooking the objects and the look at who sleeps. */
	rcu.batch = __atomic_exchange_n(&rcu.queue, NULL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&rcu.awaited, 1, __ATOMIC_RELAXED);
	for (unsigned n = 0; n < cpu_count; n++)
		if (n != cpu->id && cpu_online(n))
			ask(arch_cpu(n));
	answer();
	return true;
}

static bool others_sleep(struct cpu *cpu)
{
	for (unsigned n = 0; n < cpu_count; n++)
		if (n != cpu->id && cpu_online(n) && !__atomic_load_n(&arch_cpu(n)->sleeping, __ATOMIC_RELAXED))
			return false;
	return true;
}

static void answer_if_asked(struct cpu *cpu)
{
	if (__atomic_load_n(&cpu->rcu_asked, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(&cpu->rcu_asked, 0, __ATOMIC_ACQ_REL))
		answer();
}

void rcu_lose_cpu(struct cpu *lost)
{
	answer_if_asked(lost);
}

void rcu_quiesce(struct cpu *cpu)
{
	hazard_clear(cpu, HAZARD_RCU);
	answer_if_asked(cpu);
	if (!__atomic_load_n(&rcu.queue, __ATOMIC_RELAXED))
		return;
	if (__atomic_load_n(&rcu.queued, __ATOMIC_RELAXED) >= RCU_BATCH || others_sleep(cpu))
		lead(cpu);
}

void rcu_sent(unsigned to)
{
	__atomic_fetch_add(&arch_cpu(to)->rcu_sent, 1, __ATOMIC_RELAXED);
}

void rcu_done(void)
{
	struct cpu *cpu = cpu_current();
	__atomic_store_n(&cpu->rcu_done, cpu->rcu_done + 1, __ATOMIC_RELEASE);
}

/* Has that CPU got through as many as were sent to it by then? */
static bool has_done(const struct cpu *cpu, u32 sent)
{
	return (s32)(__atomic_load_n(&cpu->rcu_done, __ATOMIC_ACQUIRE) - sent) >= 0;
}

static bool something_queued(void)
{
	return __atomic_load_n(&rcu.queue, __ATOMIC_RELAXED) || __atomic_load_n(&rcu.busy, __ATOMIC_ACQUIRE);
}

static bool something_sent(void)
{
	for (unsigned n = 0; n < cpu_count; n++)
		if (cpu_online(n) &&
		    !has_done(arch_cpu(n), __atomic_load_n(&arch_cpu(n)->rcu_sent, __ATOMIC_RELAXED)))
			return true;
	return false;
}

/* While waiting, what others may wait for: two CPUs that are both in here must not wait for each other. */
static void help_others(struct cpu *cpu)
{
	answer_if_asked(cpu);
	remote_take(cpu);
	reap_all(cpu);
	if (__atomic_load_n(&rcu.queue, __ATOMIC_RELAXED))
		lead(cpu);
	arch_relax();
}

/* Waits until each CPU has got through the objects that have been sent to it up to now. */
static void await_sent(struct cpu *cpu)
{
	for (unsigned n = 0; n < cpu_count; n++) {
		const struct cpu *owner = arch_cpu(n);
		u32 sent = __atomic_load_n(&owner->rcu_sent, __ATOMIC_RELAXED);
		while (cpu_online(n) && !has_done(owner, sent))
			help_others(cpu);
	}
}

/* Waits for the grace period that runs now and for those of all that is queued now, which have ended when a third one
 * has begun. Other CPUs may go on queueing, which is no reason to wait for longer. */
static void await_grace(struct cpu *cpu)
{
	u32 begun = __atomic_load_n(&rcu.begun, __ATOMIC_ACQUIRE);

	while (something_queued() && __atomic_load_n(&rcu.begun, __ATOMIC_ACQUIRE) - begun <= 2)
		help_others(cpu);
}

/*
 * ECs, SCs and vCPUs are sent to their owner CPU twice: to be dismantled before the grace period, and to be freed
 * after it. The running EC must not be freed while it waits here, so it needs a reference; an EC that has begun to
 * die gets none, and does not wait.
 */
bool rcu_expedite(struct cpu *cpu)
{
	struct ec *self = cpu->ec;

	if (!(something_queued() || something_sent()) || !kobject_get(&self->obj))
		return false;
	await_sent(cpu);
	await_grace(cpu);
	await_sent(cpu);
	kobject_unref(&self->obj);
	return true;
}
