/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rcu.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/ec.h"
#include "core/percpu.h"
#include "core/reap.h"
#include "core/remote.h"
#include "core/unfinished.h"
#include "trace/trace.h"

/* Objects that wait before it is worth asking the other CPUs. Nobody needs to be asked if all others sleep.
 * tests/interleave has a smaller number. */
#ifndef RCU_BATCH
#define RCU_BATCH 64
#endif
/* So many are freed at once. */
#ifndef RCU_PIECE
#define RCU_PIECE 32
#endif

/* In rcu_ripe of a CPU that frees what was there. */
#define BEING_FREED ((struct work *)1)

static struct {
	struct work *queue; /* waits for the next grace period; atomic: a stack that all CPUs push to */
	u32 queued;         /* about how many work items that are; atomic */

	u32 begun; /* grace periods that have begun so far; atomic */
	u32 busy;  /* a grace period runs; atomic: set by its leader, cleared by the last to answer */
	struct work
		*batch; /* its work items; written by the leader before it asks, handed to it by the last to answer */
	u32 leader;     /* the CPU that does them; as the batch */
	u32 awaited;    /* answers still to come, the leader's own included; atomic */

	struct trace_span running; /* its time, if tracing was on when it began; passed on with `batch` */
} rcu;

/* By which a leader on another CPU is told that its batch is ripe. A CPU that is lost in sleep keeps its own. */
static struct {
	struct work work;
	bool sent; /* atomic: it is in the mailbox */
} news[HEDRON_CPU_MAX];

static always_inline void enqueue(struct work *w, void (*fn)(struct work *), u32 weight)
{
	struct cpu *cpu = cpu_current();

	w->fn = fn;
	w->next = __atomic_load_n(&rcu.queue, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&rcu.queue, &w->next, w, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	__atomic_fetch_add(&rcu.queued, weight, __ATOMIC_RELAXED);
	cpu->rcu_caller = cpu->ec;
	hazard_set(cpu, HAZARD_RCU);
}

void rcu_call(struct work *w, void (*fn)(struct work *))
{
	enqueue(w, fn, 1);
}

void rcu_call_large(struct work *w, void (*fn)(struct work *))
{
	enqueue(w, fn, RCU_BATCH);
}

/* ---- What is ripe ---- */

static always_inline struct work *free_first(struct work *w)
{
	struct work *next = w->next;
	w->fn(w);
	return next;
}

/* Some, or a piece of one that is long, until the CPU is wanted; returns the rest. */
static struct work *free_piece(struct cpu *cpu, struct work *w)
{
	cpu->rcu_stop = NULL;
	for (unsigned n = 0; w && n < RCU_PIECE; n++) {
		w = free_first(w);
		if (unlikely(cpu->rcu_stop))
			return cpu->rcu_stop;
		if (unlikely(unfinished_wanted(cpu)))
			break;
	}
	return w;
}

static void free_list(struct cpu *cpu, struct work *w)
{
	while (w) {
		cpu->rcu_stop = NULL;
		w = free_first(w);
		if (cpu->rcu_stop)
			w = cpu->rcu_stop;
	}
}

void rcu_stop_before(struct work *w)
{
	cpu_current()->rcu_stop = w;
}

/* More is ripe on this CPU. The next piece follows at once, unless that would delay somebody who has deleted nothing.
 */
static cold void go_on(struct cpu *cpu)
{
	if (cpu->ec == cpu->rcu_deleter && !unfinished_wanted(cpu))
		hazard_set(cpu, HAZARD_RCU);
}

/* Of this CPU. Others that want memory may have taken it all meanwhile; from those who come now on it is kept by the
 * mark. */
static struct work *take_own_ripe(struct cpu *cpu)
{
	return __atomic_exchange_n(&cpu->rcu_ripe, BEING_FREED, __ATOMIC_ACQUIRE);
}

static void leave_ripe(struct cpu *cpu, struct work *rest)
{
	__atomic_store_n(&cpu->rcu_ripe, rest, __ATOMIC_RELEASE);
}

static void see_to_ripe(struct work *w)
{
	struct cpu *cpu = cpu_current();

	(void)w;
	__atomic_store_n(&news[cpu->id].sent, false, __ATOMIC_RELEASE);
	hazard_set(cpu, HAZARD_RCU);
}

static void tell(unsigned leader)
{
	if (cpu_online(leader) && !__atomic_exchange_n(&news[leader].sent, true, __ATOMIC_ACQ_REL))
		remote_call(leader, &news[leader].work, see_to_ripe);
}

/* The last answer is in: no CPU can hold a pointer to anything in the batch any more. It is the leader's, which has
 * nothing ripe, because else it would not lead. */
static always_inline void complete(void)
{
	unsigned leader = rcu.leader;
	struct work *w = rcu.batch;
	bool here = leader == cpu_current()->id;

	rcu.batch = NULL;
	if (likely(here))
		w = free_piece(cpu_current(), w);
	if (unlikely(w))
		leave_ripe(arch_cpu(leader), w);
	__atomic_store_n(&rcu.busy, 0, __ATOMIC_RELEASE);
	if (unlikely(!here))
		tell(leader);
	else if (unlikely(w))
		go_on(cpu_current());
}

/* ---- Grace periods ---- */

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

/* Begins a grace period, if none runs and this CPU has nothing ripe. The leader's own answer comes last, so nobody
 * completes while it is still asking. */
static noinline bool lead(struct cpu *cpu)
{
	if (__atomic_load_n(&rcu.busy, __ATOMIC_RELAXED) || __atomic_exchange_n(&rcu.busy, 1, __ATOMIC_ACQ_REL))
		return false;
	if (unlikely(rcu_has_ripe(cpu))) { /* the one that was over just now was its own */
		__atomic_store_n(&rcu.busy, 0, __ATOMIC_RELEASE);
		return false;
	}
	__atomic_fetch_add(&rcu.begun, 1, __ATOMIC_RELAXED);
	if (trace_point(0, TRACE_PATH_BIT(GRACE)))
		trace_begin(&rcu.running);
	TRACE(GRACE, 0, rcu.begun, 0);
	__atomic_store_n(&rcu.queued, 0, __ATOMIC_RELAXED);
	/* The XCHG is the barrier between unhooking the objects and the look at who sleeps. */
	rcu.batch = __atomic_exchange_n(&rcu.queue, NULL, __ATOMIC_SEQ_CST);
	rcu.leader = cpu->id;
	__atomic_store_n(&rcu.awaited, 1, __ATOMIC_RELAXED);
	for (unsigned n = 0; n < cpu_count; n++)
		if (n != cpu->id && cpu_online(n))
			ask(arch_cpu(n));
	answer();
	return true;
}

static bool others_sleep(const struct cpu *cpu)
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

/* What is freed from now on may queue more. */
static always_inline void begin(struct cpu *cpu)
{
	cpu->rcu_deleter = cpu->rcu_caller;
	cpu->rcu_caller = NULL;
}

/* A grace period of nobody. */
static void free_at_once(struct cpu *cpu)
{
	begin(cpu);
	rcu.queued = 0;
	struct work *w = free_piece(cpu, __atomic_exchange_n(&rcu.queue, NULL, __ATOMIC_RELAXED));
	if (likely(!w))
		return;
	cpu->rcu_ripe = w;
	go_on(cpu);
}

static noinline void lead_if_worth_it(struct cpu *cpu)
{
	struct ec *caller = cpu->rcu_caller;

	if (!__atomic_load_n(&rcu.queue, __ATOMIC_RELAXED)) {
		cpu->rcu_caller = NULL;
		return;
	}
	if (__atomic_load_n(&rcu.queued, __ATOMIC_RELAXED) < RCU_BATCH && !others_sleep(cpu))
		return;
	begin(cpu);
	if (!lead(cpu))
		cpu->rcu_caller = caller;
}

/* Nothing is ripe. A CPU that has only been asked leads nothing, whatever others have queued: it would have to free
 * it, too. */
static always_inline void lead_if_due(struct cpu *cpu)
{
	if (!cpu->rcu_caller)
		return;
	if (cpu_count == 1)
		free_at_once(cpu);
	else
		lead_if_worth_it(cpu);
}

static noinline void free_ripe(struct cpu *cpu)
{
	struct work *w = free_piece(cpu, take_own_ripe(cpu));

	leave_ripe(cpu, w);
	if (w)
		go_on(cpu);
	else
		lead_if_due(cpu);
}

void rcu_quiesce(struct cpu *cpu)
{
	hazard_clear(cpu, HAZARD_RCU);
	answer_if_asked(cpu);
	if (unlikely(rcu_has_ripe(cpu)))
		free_ripe(cpu);
	else
		lead_if_due(cpu);
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

static bool something_ripe(void)
{
	for (unsigned n = 0; n < cpu_count; n++)
		if (rcu_has_ripe(arch_cpu(n)))
			return true;
	return false;
}

static bool something_dies(const struct cpu *cpu)
{
	return !list_empty(&cpu->dying) || something_queued() || something_ripe() || something_sent() ||
	       unfinished_is_kept_anywhere();
}

void rcu_help_others(struct cpu *cpu)
{
	answer_if_asked(cpu);
	remote_take(cpu);
	if (!list_empty(&cpu->dying))
		reap_sent(cpu);
	if (rcu_has_ripe(cpu)) {
		free_list(cpu, take_own_ripe(cpu));
		leave_ripe(cpu, NULL);
	}
	if (__atomic_load_n(&rcu.queue, __ATOMIC_RELAXED))
		lead(cpu);
	arch_relax();
}

/* Waits until what ECs of all CPUs keep has been dismantled, by this CPU or by others that wait for memory. */
static void await_kept(struct cpu *cpu)
{
	unfinished_ask_for_objects(cpu);
	for (unsigned n = 0; n < cpu_count; n++)
		while (cpu_online(n) && unfinished_is_asked(n))
			rcu_help_others(cpu);
	unfinished_adopt(cpu);
	while (!list_empty(&cpu->dying))
		rcu_help_others(cpu);
	unfinished_has_adopted(cpu);
	for (unsigned n = 0; n < cpu_count; n++)
		while (cpu_online(n) && unfinished_adopts(n))
			rcu_help_others(cpu);
}

/* Waits until each CPU has got through the objects that have been sent to it up to now. */
static void await_sent(struct cpu *cpu)
{
	for (unsigned n = 0; n < cpu_count; n++) {
		const struct cpu *owner = arch_cpu(n);
		u32 sent = __atomic_load_n(&owner->rcu_sent, __ATOMIC_RELAXED);
		while (cpu_online(n) && !has_done(owner, sent))
			rcu_help_others(cpu);
	}
}

/* Waits for the grace period that runs now and for those of all that is queued now, which have ended when a third one
 * has begun. Other CPUs may go on queueing, which is no reason to wait for longer. */
static void await_grace(struct cpu *cpu)
{
	u32 begun = __atomic_load_n(&rcu.begun, __ATOMIC_ACQUIRE);

	while (something_queued() && __atomic_load_n(&rcu.begun, __ATOMIC_ACQUIRE) - begun <= 2)
		rcu_help_others(cpu);
}

/* Takes what is ripe on another CPU, which need not come into the kernel for that, and may even be lost. If it frees
 * something at the moment that is waited for. */
static struct work *take_ripe(struct cpu *cpu, struct cpu *other)
{
	struct work *w = __atomic_load_n(&other->rcu_ripe, __ATOMIC_RELAXED);

	for (;;) {
		if (w == BEING_FREED) {
			rcu_help_others(cpu);
			w = __atomic_load_n(&other->rcu_ripe, __ATOMIC_ACQUIRE);
		} else if (__atomic_compare_exchange_n(&other->rcu_ripe, &w, NULL, false, __ATOMIC_ACQUIRE,
						       __ATOMIC_RELAXED)) {
			return w;
		}
	}
}

static void free_all_ripe(struct cpu *cpu)
{
	for (unsigned n = 0; n < cpu_count; n++)
		free_list(cpu, take_ripe(cpu, arch_cpu(n)));
}

/*
 * ECs, SCs and vCPUs are sent to their owner CPU twice: to be dismantled before the grace period, and to be freed
 * after it. The running EC must not be freed while it waits here, so it needs a reference; an EC that has begun to
 * die gets none, and does not wait.
 */
bool rcu_expedite(struct cpu *cpu)
{
	struct ec *self = cpu->ec;

	if (!something_dies(cpu) || !kobject_get(&self->obj))
		return false;
	await_kept(cpu);
	await_sent(cpu);
	await_grace(cpu);
	free_all_ripe(cpu);
	await_sent(cpu);
	kobject_unref(&self->obj);
	return true;
}
