/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Circular doubly linked list with an anchor; a node that is on no list points to itself. */
#pragma once

#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

/* A work item: something to do later (core/rcu.h) or on another CPU (core/remote.h). In one list at a time. */
struct work {
	struct work *next;
	void (*fn)(struct work *);
};

static always_inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static always_inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static always_inline void list_insert_before(struct list *at, struct list *n)
{
	n->next = at;
	n->prev = at->prev;
	at->prev->next = n;
	at->prev = n;
}

static always_inline void list_push_tail(struct list *anchor, struct list *n)
{
	list_insert_before(anchor, n);
}
static always_inline void list_push_head(struct list *anchor, struct list *n)
{
	list_insert_before(anchor->next, n);
}

/* Leaves n's own links as they were: for nodes whose owner knows whether they are on a list. */
static always_inline void list_unlink(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
}

static always_inline void list_remove(struct list *n)
{
	list_unlink(n);
	list_init(n);
}

/* Puts all that is on `from`, which is empty then, at the end of `to`. */
static always_inline void list_move_all(struct list *from, struct list *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_first(anchor, type, member) container_of((anchor)->next, type, member)
#define list_for_each(pos, anchor) for (struct list *pos = (anchor)->next; pos != (anchor); pos = pos->next)
#define list_for_each_safe(pos, anchor)                                                \
	for (struct list *pos = (anchor)->next, *pos##_n = pos->next; pos != (anchor); \
	     pos = pos##_n, pos##_n = pos->next)
