/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done before the kernel says that there is no memory. There may be some that is only not free yet:
 *
 * - empty pages of slots that nobody has looked at, in the PD that needs memory and in that of the current EC: these
 *   are looked at, some at a time, and the CPU is given up in between if it is wanted;
 * - what was deleted and waits for a grace period, or to be dismantled, on any CPU: that is waited for;
 * - free objects on lists of other CPUs (mm/slab.h): they are asked to give them back.
 *
 * Then whoever found no memory tries again. As long as there are pages to be looked at this is not the last time.
 * Used by hypercalls (core/unfinished.c) and typed items (core/ipc.c), when the current EC can be left at any time.
 */
#pragma once

#include "lib/types.h"

struct cpu;
struct ec;
struct pd;
struct unfinished;

enum scarce {
	SCARCE_LATER, /* the CPU is wanted: ask again when the current EC is chosen again */
	SCARCE_TRY,   /* there may be memory now: all has been done, or some empty pages were found */
	SCARCE_OOM,   /* there is none */
};

/* Of struct unfinished: how far it is. */
enum scarce_state {
	SCARCE_NOT,   /* nothing lacks memory */
	SCARCE_SEEKS, /* memory is sought */
	SCARCE_TRIED, /* it was sought; it is not known yet whether that has helped */
};

/* Something has found no memory of pd's, which `u` of `self` will see to. False: memory has been sought, in vain. */
bool scarce_seek(struct unfinished *u, const struct ec *self, struct pd *pd) must_check;
/* What the current EC is at, in `u`, has found no memory of pd's. It holds no lock, and uses nothing but what it
 * has references to. Work items are taken meanwhile, which may end the EC: it does not try again then. */
enum scarce scarce_await(struct cpu *cpu, struct unfinished *u, struct pd *pd) must_check;
/* It has found memory, or does not seek it any more. */
void scarce_end(struct unfinished *u);
