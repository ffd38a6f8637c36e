/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads on all CPUs that do what they are told, for suites that need company. Member 0 is on the boot CPU, beside
 * the EC that runs the cases, of the same priority. A member without work sleeps, and so does who waits for one: a
 * CPU where nobody has work is idle.
 */
#pragma once

#include "rt/cpu.h"
#include "rt/hypercall.h"
#include "rt/sel.h"

#include <stdint.h>

/* Selectors for what suites make on each CPU: crew_sel(n, i), i below 2^CREW_SEL_ORDER, are used by nobody else. */
enum { CREW_SEL = RT_SEL_PROGRAM + 0x80000, CREW_SEL_ORDER = 6 };

typedef uint64_t crew_fn(unsigned self);

/* Makes all members; to be called by main(). They run once told to, below bench_run(). */
void crew_init(void);

extern unsigned crew_size; /* members: enabled CPUs */
unsigned crew_cpu(unsigned n);
struct utcb *crew_utcb(unsigned n);
sel_t crew_sc(unsigned n);
sel_t crew_sel(unsigned n, unsigned i);

/* For setup: null, or why the case is skipped. */
const char *crew_need(unsigned members);

void crew_start(unsigned n, crew_fn *fn);
uint64_t crew_wait(unsigned n); /* the function's result */
static inline uint64_t crew_do(unsigned n, crew_fn *fn)
{
	crew_start(n, fn);
	return crew_wait(n);
}

/* All of the first `count` members at once; the largest result. */
uint64_t crew_do_all(unsigned count, crew_fn *fn);
/* Called by each of these, waits for all: they go on together. */
void crew_meet(void);

static inline unsigned long crew_load(const volatile unsigned long *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* Spins until *p is v. */
static inline void crew_until(const volatile unsigned long *p, unsigned long v)
{
	while (crew_load(p) != v)
		rt_pause();
}
