/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/mdb.h"

bool mdb_leave_removed(struct mdb_walk *w)
{
	struct mdb_node *gone = w->up, *parent = gone->parent;
	bool more = gone != w->top;

	w->at = gone->prev;
	w->up = parent;
	mdb_remove(gone);
	return more;
}

void mdb_lift_place(struct mdb_walk *w)
{
	struct mdb_node *n = w->at, *up = w->up;
	struct mdb_place *p = container_of(n, struct mdb_place, node);

	w->at = n->prev;
	mdb_remove(n);
	n->parent = up->parent;
	n->prev = up->prev;
	n->next = up;
	if (n->prev)
		n->prev->next = n;
	up->prev = n;
	if (p->top == up)
		p->top = NULL;
}

void mdb_pause(struct mdb_place *p, const struct mdb_walk *w)
{
	p->top = w->top;
	mdb_link_behind(w->at, &p->node);
	p->node.parent = w->up;
}

bool mdb_resume(struct mdb_place *p, struct mdb_walk *w)
{
	*w = (struct mdb_walk){p->top, p->node.prev, p->node.parent};
	mdb_remove(&p->node);
	return w->top;
}

void mdb_hang(struct mdb_place *p, struct mdb_node *n)
{
	p->top = NULL;
	mdb_insert_child(n, &p->node);
}

struct mdb_node *mdb_unhang(struct mdb_place *p)
{
	struct mdb_node *n = p->node.parent;

	mdb_remove(&p->node);
	return n;
}
