/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory as the CPUs of a run see it: total store order (SDM vol. 3, 9.2; x86-TSO, Sewell et al., CACM 2010). A store
 * stays in its CPU's buffer, in order, until the CPU drains it: at a LOCK, a fence, a serializing instruction, when
 * it goes to sleep, or some time. Its own loads see it at once.
 *
 * The process's memory always is what the running CPU sees. Buffered stores of other CPUs are taken out when they
 * stop running and put back when they go on; the compiler's calls before each access tell what is stored
 * (callbacks.c).
 *
 * Only words that several CPUs use, one of them for writing, are buffered, and only there another CPU may take over:
 * elsewhere nobody can tell the difference. Which words these are is learned from run to run (memory_learn()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum access {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_MARKED = 2,  /* atomic or volatile: ordered like any x86 access, and no data race */
	ACCESS_BY_CALL = 4, /* the call does it: memory_store() or a locked instruction follows */
};

/* A new run: nothing is buffered, nobody has accessed anything. What was learned stays. */
void memory_reset(void);
/* A new scenario: what was learned is forgotten. */
void memory_forget(void);
/* Words that were found to be shared since the last call are scheduling points from now on: true if there are any.
 * Not to be called between a run and its repetition, which would have other points. */
bool memory_learn(void);
/* Whether data races are looked for, which takes its time. */
void memory_check_races(bool on);
/* The running CPU's accesses from now on are left out, until this is called with false. */
void memory_pause_races(bool on);

/* Before an access of the running CPU: others may run first. */
void memory_before(const void *p, unsigned size, unsigned access, const void *pc);
/* A store that is done by a call: may be buffered. */
void memory_store(void *p, unsigned size, uint64_t value);

/* The other half of a locked instruction, whose load was told to memory_before(). Drains the buffer. */
void memory_locked_write(const void *p, unsigned size, const void *pc);

/* The running CPU's stores become visible. */
void memory_drain(void);
/* Whether CPU `cpu`, which does not run, has a store that others do not see yet, and the first of them becoming
 * visible. */
bool memory_holds_back(unsigned cpu);
void memory_drain_one(unsigned cpu);
/* The same for all: nothing stays in a buffer for ever. True if something was there. */
bool memory_drain_all(void);
/* Another CPU runs from now on (-1: none). Whether the one that ran keeps some stores back is one of the choices. */
void memory_switch(int to);

/* Order that is not made by memory but by NMIs: whoever sends one releases to that CPU, whose handler acquires, and
 * so has seen all that the sender has done before. */
void memory_release_to(unsigned cpu);
void memory_acquire(void);
