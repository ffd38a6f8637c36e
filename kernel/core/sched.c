/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sched.h"

#include "core/sc.h"

void sched_init(struct sched *s)
{
	s->bitmap[0] = s->bitmap[1] = 0;
	for (unsigned p = 0; p < SCHED_PRIOS; p++)
		list_init(&s->queue[p]);
}

static always_inline void sched_mark(struct sched *s, unsigned prio) { s->bitmap[prio / 64] |= bit(prio % 64); }

static always_inline void sched_unmark_if_empty(struct sched *s, unsigned prio)
{
	if (list_empty(&s->queue[prio]))
		s->bitmap[prio / 64] &= ~bit(prio % 64);
}

void sched_enqueue_tail(struct sched *s, struct sc *sc)
{
	list_push_tail(&s->queue[sc->prio], &sc->link);
	sched_mark(s, sc->prio);
}

void sched_enqueue_head(struct sched *s, struct sc *sc)
{
	list_push_head(&s->queue[sc->prio], &sc->link);
	sched_mark(s, sc->prio);
}

void sched_dequeue(struct sched *s, struct sc *sc)
{
	list_remove(&sc->link);
	sched_unmark_if_empty(s, sc->prio);
}

struct sc *sched_pop(struct sched *s)
{
	unsigned prio = sched_top(s);
	if (!prio)
		return NULL;
	struct sc *sc = list_first(&s->queue[prio], struct sc, link);
	sched_dequeue(s, sc);
	return sc;
}
