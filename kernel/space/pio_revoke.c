/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_revoke.h"

#include "space/pd.h"
#include "space/pio_lock.h"
#include "space/pio_range.h"

/* What a piece may cost; a unit is up to 100 instructions, or 300 where memory is freed. tests/interleave has a
 * smaller number. */
#ifndef PIECE
#define PIECE 24
#endif

/* Units. Splitting a range makes up to 16 others; guests are stopped by NMIs, which have to be waited for. */
#define COST_STEP 1
#define COST_SPLIT 16
#define COST_STOP 8

struct pio_job {
	struct pd *pd;             /* whose ranges in the hole it is about, without these themselves; or NULL */
	struct block hole;         /* all ports that it may take away */
	struct pio_range *waiting; /* to be taken: held, without a source; linked through `next` */
	struct pio_range *taken;   /* not held any more, but there may be some below it */
};

/* So many may be under way; who comes when there is no place goes on with another one first. */
static struct pio_job jobs[32];
u32 pio_revoke_jobs;

_Static_assert(array_size(jobs) == 32, "a bit for each");

/* ---- Ranges ---- */

/* Takes n, which has no source any more, out of what its PD holds, and the ports away. */
static int take(struct pio_range *n)
{
	int cost = COST_STEP;

	if (unlikely(n->where & PIO_GUEST)) {
		pio_lock_stop_guests_locked(n->pd);
		cost = COST_STOP;
	}
	pio_range_deny(&n->pd->pio, n->base, n->order, n->where, true);
	pio_range_drop_held(&n->pd->pio, n);
	return cost;
}

/* Whether there is certainly nothing below n, and all of it lies in the hole. */
static always_inline bool is_simple(const struct pio_range *n, struct block hole)
{
	return n->order <= hole.order && !n->pd->pio.given_orders;
}

static always_inline int take_simple(struct pio_range *n)
{
	int cost = COST_STEP;

	if (unlikely(n->where & PIO_GUEST)) {
		pio_lock_stop_guests_locked(n->pd);
		cost = COST_STOP;
	}
	pio_revoke_simple_locked(&n->pd->pio, n);
	return cost;
}

/* ---- One job ---- */

/* Takes what lies in the hole of c, which it overlaps, out of what its source has given. */
static int detach(struct pio_job *j, struct pio_range *c, struct block hole)
{
	struct pd *source = c->source;
	int cost = COST_STEP;

	if (likely(is_simple(c, hole)))
		return take_simple(c);
	pio_range_drop_given(c);
	if (c->order > hole.order) {
		cost = COST_SPLIT;
		if (pio_range_split(c, hole, source) != SUCCESS && c->order > j->hole.order)
			j->hole = pio_range_block(c);
	}
	c->next = j->waiting;
	j->waiting = c;
	return cost;
}

static int take_waiting(struct pio_job *j)
{
	j->taken = j->waiting;
	j->waiting = j->taken->next;
	return take(j->taken);
}

/* Looks for another range below the one that was taken last, or frees that. */
static always_inline int look_below(struct pio_job *j)
{
	struct block b = pio_range_block(j->taken);
	struct pio_range *c = pio_range_given(&j->taken->pd->pio, b);

	if (unlikely(c))
		return detach(j, c, b);
	pio_range_release(j->taken);
	j->taken = NULL;
	return 0;
}

/* Of a look for what a space has given: it is made for each order that there may be. */
static always_inline int look_cost(const struct space_pio *sp)
{
	int cost = 0;

	for (u32 orders = sp->given_orders; unlikely(orders); orders &= orders - 1)
		cost += COST_STEP;
	return cost;
}

/* A step, and what it costs. 0 at the end. */
static always_inline int step(struct pio_job *j)
{
	struct pio_range *c;
	int cost, looked = 0;

	if (j->taken) {
		looked = look_cost(&j->taken->pd->pio);
		if ((cost = look_below(j)))
			return cost + looked;
	}
	if (j->waiting)
		return take_waiting(j) + looked;
	if (j->pd && (c = pio_range_given(&j->pd->pio, j->hole)))
		return detach(j, c, j->hole) + look_cost(&j->pd->pio);
	return 0;
}

static always_inline void run(struct pio_job *j, int *left)
{
	int cost;

	do {
		cost = step(j);
		*left -= cost;
	} while (cost && *left > 0);
	if (!cost)
		pio_revoke_jobs &= ~(1u << (j - jobs));
}

void pio_revoke_continue_locked(struct pio_job *j)
{
	int left = PIECE;

	run(j, &left);
}

/* ---- Jobs ---- */

struct pio_job *pio_revoke_search_locked(struct block b)
{
	for (u32 used = pio_revoke_jobs; used; used &= used - 1) {
		struct pio_job *j = &jobs[bit_lowest(used)];
		if (block_overlap(j->hole, b))
			return j;
	}
	return NULL;
}

/* A job for what lies in `hole`, of which n is a range of pd's that overlaps it. If there is no place it is another.
 */
static always_inline struct pio_job *begin(struct pd *pd, struct pio_range *n, struct block hole, bool self)
{
	struct pio_job *j = jobs;

	if (unlikely(pio_revoke_jobs == ~0u))
		return j;
	j += bit_lowest(~pio_revoke_jobs);
	pio_revoke_jobs |= 1u << (j - jobs);
	*j = (struct pio_job){.pd = self ? NULL : pd, .hole = hole};
	if (self)
		(void)detach(j, n, hole);
	return j;
}

/* The next range of pd's that has some of `range`: the first one may contain all of that, the others lie in it. */
static always_inline struct pio_range *next_range(struct pd *pd, struct block range, u64 next)
{
	struct pio_range *n = next == range.base ? pio_range_from(&pd->pio, next) : pio_range_begin(&pd->pio, next);

	return n && n->base < block_end(range) ? n : NULL;
}

bool pio_revoke_piece_locked(struct pd *pd, struct block range, u64 *next, bool self)
{
	for (int left = PIECE; left > 0;) {
		struct pio_job *j = pio_revoke_job_locked(range);
		if (likely(!j)) {
			struct pio_range *n = next_range(pd, range, *next);
			if (!n)
				return true;
			struct block hole = block_intersection(pio_range_block(n), range);
			if (self && likely(is_simple(n, range))) {
				*next = block_end(hole);
				left -= take_simple(n);
				if (block_end(hole) == block_end(range))
					return true;
				continue;
			}
			if (likely(pio_revoke_jobs != ~0u))
				*next = block_end(hole);
			j = begin(pd, n, hole, self);
		}
		run(j, &left);
	}
	return false;
}

static struct pio_job *search_pd(const struct pd *pd)
{
	for (u32 used = pio_revoke_jobs; used; used &= used - 1) {
		struct pio_job *j = &jobs[bit_lowest(used)];
		if (j->pd == pd || (j->taken && j->taken->pd == pd))
			return j;
	}
	return NULL;
}

bool pio_revoke_all_locked(struct pd *pd)
{
	struct pio_job *j = unlikely(pio_revoke_jobs) ? search_pd(pd) : NULL;
	struct pio_range *n;

	if (!j && (n = pio_range_begin(&pd->pio, 0))) {
		j = pio_revoke_job_locked(pio_range_block(n));
		if (!j)
			j = begin(pd, n, pio_range_block(n), true);
	}
	if (!j)
		return true;
	pio_revoke_continue_locked(j);
	return false;
}
