/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Semaphores under many CPUs: no wake-up is lost, none is invented, what one does before up() the other sees after
 * down(), and those who leave, or wait when the semaphore ends, take nothing with them.
 */
#include "core/ec.h"
#include "core/remote.h"
#include "core/sm.h"
#include "mm/page.h"
#include "space/pd.h"

#include "stress.h"

#define CPUS 4
#define ROUNDS (10000 * STRESS_SCALE) /* of each CPU */
#define TOKENS 2

static struct sm *sm;
static struct ec *ecs; /* one per wait */
static unsigned ec_count;

static void init_ec(struct ec *ec, unsigned cpu)
{
	*ec = (struct ec){.obj.type = KOBJ_EC, .cpu_id = cpu};
	list_init(&ec->helpers);
	list_init(&ec->helper_link);
	list_init(&ec->parked);
	list_init(&ec->sm_link);
	unfinished_init(&ec->unfinished);
}

static bool is_blocked(const struct ec *ec)
{
	return ec->special & EC_BLOCKED; /* written by its own CPU only */
}

/* This CPU has nothing else to do but to take its work items until its EC is awake. */
static void sleep_while_blocked(struct ec *ec)
{
	struct stress_wait wait = {0};

	while (is_blocked(ec)) {
		remote_take(cpu_current());
		stress_wait(&wait, "for a semaphore");
	}
}

/* SUCCESS and others' statuses land in the EC, as with the hypercall. */
static enum status down(struct ec *ec, bool all)
{
	ec->regs.rdi = 99;
	enum status s = all ? sm_down_all(sm, ec) : sm_down(sm, ec);
	if (s != SUCCESS || !is_blocked(ec))
		return s;
	sleep_while_blocked(ec);
	return (enum status)ec->regs.rdi;
}

static void setup(u64 count)
{
	host_reset(STRESS_HEAP);
	host_set_cpus(CPUS);
	sm_init_cache();
	must(sm_create(&pd_kernel, count, &sm) == SUCCESS);
	ec_count = 0;
}

#define ALL(fn) ((void (*const[])(unsigned, struct stress_random *)){fn, fn, fn, fn, NULL})

/* ---- a lock ---- */

static u64 guarded; /* plain: the semaphore is what orders it */
static struct ec lockers[CPUS];

static void lock_and_count(unsigned cpu, struct stress_random *r)
{
	struct ec *ec = &lockers[cpu];

	init_ec(ec, cpu);
	for (unsigned i = 0; i < ROUNDS; i++) {
		must(down(ec, false) == SUCCESS);
		guarded++;
		must(sm_up(sm) == SUCCESS);
		/* Now and then it is free for a while: then the next one takes it without waiting. */
		for (unsigned pause = stress_random(r, i % 2 ? 30 : 400); pause; pause--)
			arch_relax();
	}
}

static void it_is_a_lock(void)
{
	setup(1);
	guarded = 0;
	stress_run(ALL(lock_and_count));
	must(guarded == (u64)CPUS * ROUNDS && sm->state == 1);
	u32 signals = 0;
	for (unsigned n = 0; n < CPUS; n++)
		signals += host_calls[n].signals;
	printf("lock: %lu turns, %u signals\n", guarded, signals);
}

/* ---- a few tokens, never more ---- */

static u32 holders;

static void hold_a_token(unsigned cpu, struct stress_random *r)
{
	struct ec *ec = &lockers[cpu];

	init_ec(ec, cpu);
	for (unsigned i = 0; i < ROUNDS; i++) {
		must(down(ec, false) == SUCCESS);
		must(__atomic_add_fetch(&holders, 1, __ATOMIC_RELAXED) <= TOKENS);
		for (unsigned pause = stress_random(r, 30); pause; pause--)
			arch_relax();
		__atomic_sub_fetch(&holders, 1, __ATOMIC_RELAXED);
		must(sm_up(sm) == SUCCESS);
	}
}

static void tokens_are_conserved(void)
{
	setup(TOKENS);
	stress_run(ALL(hold_a_token));
	must(sm->state == TOKENS);
}

/* ---- those who die ---- */

#define WAITS (3 * ROUNDS)

static u64 ups, got, deaths; /* atomic */
static u32 working;

#define ASLEEP 99 /* no status */

static struct ec *fresh_ec(unsigned cpu)
{
	struct ec *ec = &ecs[__atomic_fetch_add(&ec_count, 1, __ATOMIC_RELAXED)];
	init_ec(ec, cpu);
	ec->regs.rdi = ec->wake_status = ASLEEP;
	return ec;
}

/* An EC that dies may have been woken already: then the work item is on its way, and it has had its turn. */
static void wait_or_die(unsigned cpu, struct stress_random *r)
{
	for (unsigned i = 0; i < WAITS; i++) {
		struct ec *ec = fresh_ec(cpu);
		must(sm_down(sm, ec) == SUCCESS);
		if (!is_blocked(ec))
			ec->wake_status = SUCCESS;
		for (unsigned pause = stress_random(r, 3) * stress_random(r, 200); pause; pause--)
			arch_relax();
		if (stress_random(r, 2))
			remote_take(cpu_current());
		if (is_blocked(ec)) {
			__atomic_add_fetch(&deaths, 1, __ATOMIC_RELAXED);
			ec_kill(ec);
		}
	}
	__atomic_sub_fetch(&working, 1, __ATOMIC_RELEASE);
	struct stress_wait wait = {0};
	while (__atomic_load_n(&working, __ATOMIC_ACQUIRE)) {
		remote_take(cpu_current());
		stress_wait(&wait, "for the others");
	}
	remote_take(cpu_current());
}

static void post(unsigned cpu, struct stress_random *r)
{
	(void)cpu;
	for (unsigned i = 0; i < ROUNDS; i++) {
		must(sm_up(sm) == SUCCESS);
		__atomic_add_fetch(&ups, 1, __ATOMIC_RELAXED);
		for (unsigned pause = stress_random(r, 60); pause; pause--)
			arch_relax();
	}
	__atomic_sub_fetch(&working, 1, __ATOMIC_RELEASE);
}

static void death_loses_nothing(void)
{
	setup(0);
	ups = got = deaths = 0;
	working = CPUS;
	ecs = calloc(2 * WAITS, sizeof(*ecs));
	must(ecs);
	stress_run((void (*const[])(unsigned, struct stress_random *)){wait_or_die, wait_or_die, post, post, NULL});
	for (unsigned i = 0; i < ec_count; i++)
		got += ecs[i].regs.rdi == SUCCESS || ecs[i].wake_status == SUCCESS;
	must(list_empty(&sm->waiters) && sm->state >= 0);
	must(ups == got + (u64)sm->state);
	must(deaths);
	printf("death: %lu ups, %lu deaths, %lu had their turn, %lu left over\n", ups, deaths, got, (u64)sm->state);
	free(ecs);
}

/* ---- the whole count at once ---- */

static void take_all(unsigned cpu, struct stress_random *r)
{
	struct ec *ec = &lockers[cpu];

	(void)r;
	init_ec(ec, cpu);
	while (down(ec, true) == SUCCESS)
		__atomic_add_fetch(&got, 1, __ATOMIC_RELAXED);
}

static void post_and_end(unsigned cpu, struct stress_random *r)
{
	post(cpu, r);
	if (cpu == 0) {
		struct stress_wait wait = {0};
		while (__atomic_load_n(&working, __ATOMIC_ACQUIRE))
			stress_wait(&wait, "for the other");
		while (sm_retire(sm))
			;
	}
}

static void the_end_reaches_everybody(void)
{
	setup(0);
	ups = got = 0;
	working = 2;
	stress_run((void (*const[])(unsigned, struct stress_random *)){post_and_end, post, take_all, take_all, NULL});
	must(list_empty(&sm->waiters) && got <= ups);
	printf("end: %lu ups, %lu times all was taken\n", ups, got);
}

int main(void)
{
	it_is_a_lock();
	tokens_are_conserved();
	death_loses_nothing();
	the_end_reaches_everybody();
	return 0;
}
