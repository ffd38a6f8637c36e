/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of several things happens next: a run of a scenario is the list of its choices. Three ways to make them:
 *
 *  - exhaustively: depth first through all lists whose costs (preemptions, stores that stay in a buffer, NMIs that
 *    come late) add up to no more than a bound;
 *  - at random, with priorities: the highest runs, and falls behind all others at a few moments drawn beforehand
 *    (PCT; Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs",
 *    ASPLOS 2010);
 *  - from a list that an earlier run has printed.
 *
 * All of it belongs to the explorer: it is not instrumented, and one thread runs it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One of `options`, of which 0 is what happens of its own accord. `cost[i]` is what option i counts towards the
 * bound. */
unsigned explore_choose(unsigned options, const uint8_t *cost);

/* A CPU to run: option i is CPU `cpu[i]`. `first_free`: none of them is running, so there is no preemption to pay
 * for. */
unsigned explore_choose_cpu(unsigned options, const uint8_t *cpu, bool first_free);

/* An exhaustive search: begin, then runs as long as explore_next() says so. */
void explore_begin_exhaustive(unsigned bound);
bool explore_next(void);
/* A random run. The seed decides it, and how many times a CPU was chosen in the run before: so far apart are the
 * moments. */
void explore_begin_random(uint64_t seed);
/* A run with the choices of a list that explore_text() has printed. False: it is no such list. */
bool explore_begin_replay(const char *text);

/* The choices of the run so far: "1.0.0.2"; zeros at the end are left out. */
const char *explore_text(void);

/* That CPU waits for others: in a random run it falls behind all of them. */
void explore_yield(unsigned cpu);

/* Whether the run's list was cut because it was too long. */
bool explore_truncated(void);
