/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grace periods under many CPUs: everybody reads objects through shared pointers without lock or count, some replace
 * them. What is freed is overwritten at once, so whoever still used it would notice. CPUs answer NMIs as on the real
 * machine: in user mode at once, in the kernel on the way out; and they sleep.
 */
#include "core/ec.h"
#include "core/rcu.h"
#include "core/remote.h"

#include "stress.h"

#define CPUS 4
#define ROUNDS (30000 * STRESS_SCALE) /* of each CPU */
#define SHARED 8
#define POOL 512 /* objects of a CPU */

/*
 * A CPU that wakes up is ordered behind the leader that did not ask it by fences alone, which the thread sanitizer
 * does not understand.
 */
#ifdef __SANITIZE_THREAD__
#define MAY_SLEEP 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MAY_SLEEP 0
#endif
#endif
#ifndef MAY_SLEEP
#define MAY_SLEEP 1
#endif

struct object {
	struct work work;
	u64 value[4]; /* all the same while it lives */
	u32 is_free;  /* atomic: its maker may use it again */
};

static struct object pool[CPUS][POOL];
static struct object *shared[SHARED]; /* atomic */
static struct ec running[CPUS];
static u64 freed; /* atomic */
static u32 working;

static void free_object(struct work *w)
{
	struct object *o = container_of(w, struct object, work);
	for (unsigned i = 0; i < 4; i++)
		o->value[i] = ~0ull - i;
	__atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&o->is_free, 1, __ATOMIC_RELEASE);
}

static struct object *fresh(unsigned cpu, u64 value)
{
	static __thread unsigned at;
	for (unsigned tries = 0; tries < POOL; tries++) {
		struct object *o = &pool[cpu][at++ % POOL];
		if (!__atomic_load_n(&o->is_free, __ATOMIC_ACQUIRE))
			continue;
		o->is_free = 0;
		for (unsigned i = 0; i < 4; i++)
			o->value[i] = value;
		return o;
	}
	return NULL;
}

static void read_one(struct stress_random *r)
{
	const struct object *o = __atomic_load_n(&shared[stress_random(r, SHARED)], __ATOMIC_ACQUIRE);
	u64 value = o->value[0];
	for (unsigned pause = stress_random(r, 20); pause; pause--)
		arch_relax();
	for (unsigned i = 1; i < 4; i++)
		must(o->value[i] == value);
}

static void replace_one(unsigned cpu, struct stress_random *r, u64 value)
{
	struct object *o = fresh(cpu, value);
	if (!o) {
		rcu_expedite(cpu_current());
		return;
	}
	o = __atomic_exchange_n(&shared[stress_random(r, SHARED)], o, __ATOMIC_ACQ_REL);
	rcu_call(&o->work, free_object);
}

/* The NMI handler's part, and the way out. */
static void leave_kernel(struct cpu *cpu)
{
	if (__atomic_load_n(&cpu->rcu_asked, __ATOMIC_RELAXED))
		hazard_set(cpu, HAZARD_RCU);
	if (cpu->hazard & HAZARD_RCU)
		rcu_quiesce(cpu);
}

static void sleep_a_little(struct cpu *cpu, struct stress_random *r)
{
	__atomic_store_n(&cpu->sleeping, SLEEPING_HALTED, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned pause = stress_random(r, 2000); pause && !__atomic_load_n(&cpu->rcu_asked, __ATOMIC_RELAXED);
	     pause--)
		arch_relax();
	__atomic_store_n(&cpu->sleeping, SLEEPING_NOT, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void run(unsigned n, struct stress_random *r)
{
	struct cpu *cpu = cpu_current();

	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned k = stress_random(r, 8); k; k--)
			read_one(r);
		if (stress_random(r, 3) == 0)
			replace_one(n, r, (u64)n << 32 | i);
		leave_kernel(cpu);
		if (MAY_SLEEP && stress_random(r, 16) == 0)
			sleep_a_little(cpu, r);
	}
	/* Others may still wait for this one. */
	struct stress_wait wait = {0};
	__atomic_sub_fetch(&working, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&working, __ATOMIC_RELAXED)) {
		leave_kernel(cpu);
		stress_wait(&wait, "for the others");
	}
	leave_kernel(cpu);
}

int main(void)
{
	host_reset(MiB);
	host_set_cpus(CPUS);
	for (unsigned c = 0; c < CPUS; c++) {
		running[c].obj.refs = 1;
		host_cpus[c].ec = &running[c];
	}
	working = CPUS;
	for (unsigned c = 0; c < CPUS; c++)
		for (unsigned i = 0; i < POOL; i++)
			pool[c][i].is_free = 1;
	for (unsigned i = 0; i < SHARED; i++)
		shared[i] = fresh(i % CPUS, i);
	stress_run((void (*const[])(unsigned, struct stress_random *)){run, run, run, run, NULL});

	/* What is left is freed when all others sleep. */
	for (unsigned n = 1; n < CPUS; n++) {
		host_set_cpu(n);
		rcu_quiesce(&host_cpus[n]);
		host_cpus[n].sleeping = SLEEPING_MWAIT;
	}
	host_set_cpu(0);
	rcu_expedite(&host_cpus[0]);
	unsigned in_use = 0;
	for (unsigned c = 0; c < CPUS; c++)
		for (unsigned i = 0; i < POOL; i++)
			in_use += !pool[c][i].is_free;
	must(in_use == SHARED);
	must(freed > ROUNDS / 8);
	printf("%lu objects were freed, after %u kicks\n", freed,
	       host_calls[0].kicks + host_calls[1].kicks + host_calls[2].kicks + host_calls[3].kicks);
	return 0;
}
