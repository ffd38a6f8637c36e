/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ready queues of one CPU: 128 priorities, a FIFO list for each, and a bitmap of those that are not empty.
 * Locking: none; only its own CPU touches it.
 */
#pragma once

#include "lib/bits.h"
#include "lib/list.h"

#include <hedron/abi.h>

#define SCHED_PRIOS (HEDRON_PRIO_MAX + 1)

/* Ready SCs; the current one is not among them, nor is cpu->preempted. No SC has priority 0 (CREATE_SC refuses it),
 * so sched_top() can use it for "none". */
struct sched {
	u64 bitmap[SCHED_PRIOS / 64];
	struct list queue[SCHED_PRIOS];
};

void sched_init(struct sched *s);

/* The highest priority with a ready SC; 0 if there is none. */
static always_inline unsigned sched_top(const struct sched *s)
{
	if (s->bitmap[1])
		return 64 + bit_highest(s->bitmap[1]);
	return s->bitmap[0] ? bit_highest(s->bitmap[0]) : 0;
}

static always_inline void sched_mark(struct sched *s, unsigned prio)
{
	s->bitmap[prio / 64] |= bit(prio % 64);
}

/* A woken or new SC goes to the tail, one that was preempted to the head. `link` is sc->link. */
static always_inline void sched_enqueue_tail(struct sched *s, struct list *link, unsigned prio)
{
	list_push_tail(&s->queue[prio], link);
	sched_mark(s, prio);
}

static always_inline void sched_enqueue_head(struct sched *s, struct list *link, unsigned prio)
{
	list_push_head(&s->queue[prio], link);
	sched_mark(s, prio);
}

/* Puts `link` at the tail of a queue that is not empty and takes the first out. So the queue stays as full as it is,
 * and the bitmap as it is. */
static always_inline struct list *sched_rotate(struct list *queue, struct list *link)
{
	struct list *first = queue->next;
	list_push_tail(queue, link);
	list_unlink(first);
	return first;
}

/* The node may also be in another list than the queue of its priority. */
static always_inline void sched_dequeue(struct sched *s, struct list *link, unsigned prio)
{
	list_unlink(link);
	if (list_empty(&s->queue[prio]))
		s->bitmap[prio / 64] &= ~bit(prio % 64);
}
