/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker thread on each CPU that runs the functions it is given, for suites that measure several CPUs. Worker 0 is
 * on the boot CPU, beside the EC that runs the cases, and has its priority. A worker without work sleeps, and so does
 * whoever waits for one: a CPU where nobody has work is idle.
 */
#pragma once

#include "rt/cpu.h"
#include "rt/hypercall.h"
#include "rt/sel.h"

#include <stdint.h>

/*
 * Selectors for what suites make on each CPU: workers_sel(n, i), i below 2^WORKERS_SEL_ORDER, are used by nobody
 * else.
 */
enum { WORKERS_SEL = RT_SEL_PROGRAM + 0x80000, WORKERS_SEL_ORDER = 6 };

typedef uint64_t workers_fn(unsigned self);

/* Makes all workers; to be called by main(). Functions can be given to them from within bench_run(). */
void workers_init(void);

extern unsigned workers_count; /* one per enabled CPU */
unsigned workers_cpu(unsigned n);
struct utcb *workers_utcb(unsigned n);
sel_t workers_sc(unsigned n);
sel_t workers_sel(unsigned n, unsigned i);

/* For setup: null if there are `count` workers, or why the case is skipped. */
const char *workers_need(unsigned count);

void workers_start(unsigned n, workers_fn *fn);
uint64_t workers_wait(unsigned n); /* until the function has returned; its result */
static inline uint64_t workers_do(unsigned n, workers_fn *fn)
{
	workers_start(n, fn);
	return workers_wait(n);
}

/* Lets the first `count` workers run the function at once, and waits for all; the largest result. */
uint64_t workers_do_all(unsigned count, workers_fn *fn);
/* To be called by each of these: returns when all have called it, so that they go on together. */
void workers_meet(void);

static inline unsigned long workers_load(const volatile unsigned long *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* Spins until *p is v. */
static inline void workers_until(const volatile unsigned long *p, unsigned long v)
{
	while (workers_load(p) != v)
		rt_pause();
}
