/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What roottasks for several CPUs have in common: a worker on each CPU, a wait that notices when nobody makes
 * progress any more, stores that may fault, and other PDs with a server on each CPU.
 *
 * Worker 0 is on the boot CPU, which main() shares with it: main() is less important and waits. A test does a fixed
 * number of rounds, whatever the time. Everything here is made by main(); workers use hypercalls only.
 */
#pragma once

#include "rt/portal.h"
#include "rt/sel.h"
#include "rt/test.h"

#define SMP_MAX 8   /* workers at most; more CPUs idle */
#define SMP_PRIO 32 /* of workers */
#define SMP_SEL_ORDER 20
#define SMP_SEL RT_SEL_PROGRAM /* selectors for the running test, revoked when it ends */
#define SMP_NOTHING 0x200000ul /* nobody ever creates anything here */

extern unsigned smp_count; /* workers, one per CPU: smp_cpu(0) is the boot CPU */
unsigned smp_cpu(unsigned worker);

/* Runs the tests; "cpus=N" on the command line uses fewer CPUs, "effort=N" does N percent of the rounds, "seed=N"
 * draws other random numbers. */
bool smp_test_run(const char *suite, const struct test *tests, size_t n);
unsigned long smp_rounds(unsigned long usual);

/* Skips the test on machines with fewer CPUs. */
#define NEED_CPUS(n)                              \
	do {                                      \
		if (smp_count < (n))              \
			SKIP("not so many CPUs"); \
	} while (0)

/* fn(i) runs on each of the first n CPUs at the same time. */
typedef void smp_fn(unsigned self);
void smp_run(unsigned n, smp_fn *fn);
void smp_run_asleep(unsigned n, smp_fn *fn); /* the same while main() sleeps: the boot CPU can be idle, too */
void smp_progress(unsigned self);            /* in each round: says that this worker goes on */
bool smp_barrier(void);                      /* of all workers that run; false: the test has failed, go home */

/* Spins until the condition holds. If nobody makes progress for very long, the run fails. False: the test has failed.
 */
struct smp_wait {
	unsigned long rounds, turns;
};
bool smp_keep_waiting(struct smp_wait *p);
#define SMP_WAIT(condition)                             \
	({                                              \
		struct smp_wait wait_ = {0};            \
		bool ok_ = true;                        \
		while (ok_ && !(condition))             \
			ok_ = smp_keep_waiting(&wait_); \
		ok_;                                    \
	})

/* A few turns of doing nothing, different each time. */
void smp_delay(uint64_t *seed, unsigned most);
uint64_t smp_random(uint64_t *seed); /* xorshift64*; start with any number but 0 */
uint64_t smp_seed(uint64_t usual);   /* `usual`, or what "seed=N" on the command line makes of it; never 0 */

static inline unsigned long smp_load(const volatile unsigned long *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline void smp_set(volatile unsigned long *p, unsigned long v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}
static inline unsigned long smp_inc(volatile unsigned long *p) /* what it was */
{
	return __atomic_fetch_add(p, 1, __ATOMIC_ACQ_REL);
}

/* Selectors of the running test. */
sel_t smp_sel(void);
sel_t smp_sm(unsigned long count);
void smp_clean(void); /* within a test, when all workers rest: revokes what it has created so far, and starts again */

/* A thread, a local EC, a portal on any CPU; made or the run ends. `worker` counts as above. */
void smp_thread(struct rt_ec *ec, unsigned worker, unsigned prio, void (*fn)(void *), void *arg);
sel_t smp_server(struct rt_ec *ec, unsigned worker, rt_handler *fn, void *arg);

/* One store or load; false if it faulted. Not only in the own PD: also on ECs of agents. */
bool smp_try_store(volatile unsigned long *p, unsigned long v);
bool smp_try_load(const volatile unsigned long *p, unsigned long *v);

/* Another PD that runs functions of this image, on whichever CPU it is asked. Made once, reused by setting it to 0.
 */
struct smp_agent {
	sel_t pd;
	struct rt_ec ec[SMP_MAX];
	sel_t pt[SMP_MAX];
};
typedef unsigned long smp_agent_fn(unsigned long a, unsigned long b);
void smp_agent_make(struct smp_agent *a, unsigned n);
unsigned long smp_agent_do(struct smp_agent *a, unsigned self, smp_agent_fn *fn, unsigned long x, unsigned long y);
struct utcb *smp_utcb(unsigned self); /* of a worker */
sel_t smp_pd(void);                   /* sees the image; selectors 32 * i are the event portals of worker i's CPU */
enum { SMP_PD_EVENTS = 32 };
