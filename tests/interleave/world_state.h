/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world of the run that is under way: made and taken apart by world_make.c, judged by world_check.c. */
#pragma once

#include "world.h"

#include "core/ec.h"
#include "core/sc.h"
#include "space/pd.h"

#define WORLD_PDS 3
#define WORLD_PORTS 0x100 /* eight of them, which PD 0 has at first */
#define WORLD_PORTS_ORDER 3
#define WORLD_FLAGS 8

struct world_thread {
	struct ec *ec;
	struct sc *sc;
	unsigned at;           /* operation that is next, or under way */
	bool under_way, ended; /* has been begun and has not returned; has come to the last one */
	u64 worked, seen;      /* ticks: by OP_WORK so far; what OP_TIME has been told last */
};

struct world {
	const struct scenario *scenario;
	struct pd *pds[WORLD_PDS];
	struct world_thread threads[WORLD_THREADS];
	bool flags[WORLD_FLAGS];
	bool unmapped;      /* an OP_UNMAP has returned */
	u64 pages_at_first; /* free before any object was made: as many have to be free in the end */
	u64 used_at_first;  /* bytes that the kernel's account paid for when there was nothing but idle ECs */
	void *hoard;        /* pages that are kept from the scenario; each begins with the address of the next */
};

extern struct world world;

/* Whether the scenario has a thread with that number. */
static inline bool world_has_thread(unsigned t)
{
	const struct thread *spec = &world.scenario->threads[t];
	return spec->ops[0].kind || spec->prio || spec->local;
}

/* world_make.c: all that the scenario names, at rest. */
void world_make(void);
/* Revokes everything: all memory has to come back. */
void world_unmake(void);

/* world_check.c: when nothing goes on any more. What is wrong is reported. */
void world_check(void);
