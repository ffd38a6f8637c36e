/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite "latency": how long a CPU keeps its most important thread waiting, whatever a less important one has
 * built and now asks for. A case is an attack in two sizes; a bounded kernel shows the same number for both. See
 * docs/design/bounded.md.
 */
#pragma once

#include "rt/bench/bench.h"
#include "rt/sel.h"

/*
 * An attack: build(), attack() and clean() are executed one after the other in each run, by the thread that attacks,
 * on the CPU that is watched. Only while attack() runs is the important thread woken. The other functions are
 * executed on the boot CPU.
 */
struct latency_case {
	const char *name;
	unsigned long sizes[2];                   /* small and full; no second one: it has no size */
	const char *(*setup)(unsigned long size); /* once; null, or why the case is skipped */
	void (*build)(unsigned long size);
	void (*attack)(unsigned long size);
	const char *(*check)(unsigned long size); /* after an attack: null, or what it has not done */
	void (*clean)(unsigned long size);
	void (*teardown)(void);
	void (*beside)(unsigned long size); /* in each run, after the first wake-up */
	bool alone;                         /* whatever else happens meanwhile would make it fail */
	unsigned runs;                      /* 0: LATENCY_RUNS; each has another distance between wake-ups */
};

enum { LATENCY_RUNS = 8 };
enum { LATENCY_ABOVE = BENCH_PRIO + 8, LATENCY_IMPORTANT = BENCH_PRIO + 16 };

/* One table per file, each ends with an empty case; and all of them, ended by a null pointer. */
extern const struct latency_case latency_floor_cases[];
extern const struct latency_case latency_object_cases[];
extern const struct latency_case latency_message_cases[];
extern const struct latency_case latency_memory_cases[];
extern const struct latency_case latency_port_cases[];
extern const struct latency_case latency_thread_cases[];
extern const struct latency_case latency_free_cases[];
extern const struct latency_case *const latency_tables[];

extern const struct bench_case latency_all_cases[]; /* everything at once */

/* Selectors: areas of 2^LATENCY_AREA_ORDER, which are empty between two runs. Cases have the first four. */
enum { LATENCY_AREA_ORDER = 20, LATENCY_AREAS = 8 };
#define LATENCY_SEL 0x1000000ul
static inline sel_t latency_area(unsigned n)
{
	return LATENCY_SEL + ((sel_t)n << LATENCY_AREA_ORDER);
}
void latency_revoke_area(unsigned n); /* all that is in it, and what was derived from it */

unsigned latency_perm(sel_t sel); /* of the capability there; 0: none */

unsigned latency_cpu(void);      /* that is watched */
struct utcb *latency_utcb(void); /* of the thread that attacks */

unsigned latency_order(unsigned long size); /* of a power of two */

/* Executes some instructions in user mode: that many turns of a loop that does not pause. */
void latency_spin(unsigned long turns);
/* Spins until that many wake-ups have been sent in this run. */
void latency_spin_wakes(unsigned long wakes);
