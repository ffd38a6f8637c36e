/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What went wrong in a run, and the story of a run: who did what, in order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Ends the run: it has failed. The first failure of a run is the one that counts. Returns outside of a run. */
__attribute__((format(printf, 1, 2))) void report_fail(const char *fmt, ...);
void report_race(uint64_t address, unsigned first, bool first_writes, const void *first_pc, unsigned second,
		 bool second_writes, const void *second_pc);

/* NULL, or why the run has failed. */
const char *report_failure(void);
void report_reset(void);

/* Whether the story is kept; it is printed by report_story(). */
void report_keep_story(bool on);
void report_access(const void *p, unsigned size, unsigned access, const void *pc);
void report_switch(int to);
void report_kick(unsigned to);
__attribute__((format(printf, 1, 2))) void report_note(const char *fmt, ...);
void report_story(void);

/* From now on [start, start + size) is called `name` in stories. */
void report_name(const void *start, uint64_t size, const char *name);

/* Races of unmarked accesses that were found so far, each pair of places once. */
unsigned report_races(void);
