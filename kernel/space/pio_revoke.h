/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes ports away from all ranges that were derived from one, in pieces (docs/design/bounded.md).
 *
 * What is being taken away is a *job*: a hole, for which ranges are collected from the PDs that hold them, nearest
 * first, and freed when nothing is below them any more. A job is not anybody's: whoever wants to delegate or revoke
 * some of its ports, or destroys a PD that has to do with it, goes on with it until it is over. So nobody waits for a
 * thread that may never run again, nothing new gets below the hole meanwhile, and when a revocation is over nothing
 * is left of what it names, whoever else was at work there.
 *
 * A range of which a part goes is split. If there is no memory for that, all of it goes.
 *
 * Locking: the caller holds pio_lock, and has held it since it asked what there is to do.
 */
#pragma once

#include "space/pio_range.h"

/* A job that has some of these ports, or NULL. There are none most of the time. */
struct pio_job;
extern u32 pio_revoke_jobs; /* those in use */
struct pio_job *pio_revoke_search_locked(struct block b);

static always_inline struct pio_job *pio_revoke_job_locked(struct block b)
{
	return unlikely(pio_revoke_jobs) ? pio_revoke_search_locked(b) : NULL;
}

/* Takes a range away that has a source, and nothing below it. The guests of its PD (with this space) are stopped, if
 * they have it. */
static always_inline void pio_revoke_simple_locked(struct space_pio *sp, struct pio_range *n)
{
	pio_range_drop_given(n);
	pio_range_deny(sp, n->base, n->order, n->where, true);
	pio_range_drop_held(sp, n);
	pio_range_release(n);
}

/* Does a piece of a job. */
void pio_revoke_continue_locked(struct pio_job *j);

/* Does a piece of what takes `range` away from all that was derived from pd's, and with `self` from pd. *next: the
 * first port that has not been come to. True: it is over. */
bool pio_revoke_piece_locked(struct pd *pd, struct block range, u64 *next, bool self) must_check;

/* Does a piece of what takes all ports away from pd, whose space is closed, and from all below it. True: it holds
 * nothing any more, and no job refers to it. */
bool pio_revoke_all_locked(struct pd *pd) must_check;
