/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_obj_revoke.h"

#include "lib/bits.h"
#include "space/pd.h"
#include "space/slot.h"
#include "space/slot_sweep.h"
#include "space/slot_table.h"

/* Of a piece: nodes of a tree, or slots that take no walk. A node is about 40 instructions, a slot that is emptied
 * about
 * 60. tests/interleave has a smaller number. */
#ifndef PIECE_ORDER
#define PIECE_ORDER 6
#endif
#define PIECE (1u << PIECE_ORDER)

/* ---- One slot ---- */

static always_inline void weaken_locked(struct cap_slot *s, cap_t perm)
{
	slot_write(s, s->cap & ~perm);
}

/* s has left the tree. */
static always_inline void empty_locked(struct kobject *o, struct cap_slot *s)
{
	slot_write(s, 0);
	if (--o->caps == 0)
		kobject_caps_gone(o);
}

/* s has no children. */
static always_inline void weaken_leaf_locked(struct kobject *o, struct cap_slot *s, cap_t perm)
{
	cap_t left = s->cap & ~perm;

	if (cap_perm(left)) {
		slot_write(s, left);
		return;
	}
	mdb_remove(&s->node);
	empty_locked(o, s);
}

/* The same, for one that has a parent: the object has another capability. */
static always_inline void weaken_child_locked(struct kobject *o, struct cap_slot *s, cap_t perm)
{
	cap_t left = s->cap & ~perm;

	if (cap_perm(left)) {
		slot_write(s, left);
		return;
	}
	mdb_remove(&s->node);
	slot_write(s, 0);
	o->caps--;
}

/* s, whose object is locked, has children. False, and nothing is done: it takes a walk. */
static always_inline bool revoke_only_child_locked(struct kobject *o, struct cap_slot *s, cap_t perm, bool self)
{
	struct mdb_node *n = s->node.next;

	if (unlikely(!mdb_has_only_child(&s->node)) || unlikely(mdb_is_place(n)))
		return false;
	weaken_child_locked(o, slot_of(n), perm);
	if (self)
		weaken_leaf_locked(o, s, perm);
	return true;
}

/* Whether c has what is to be taken away. If not, nothing below it has it either, unless it is dying. */
static always_inline bool needs_visit(cap_t c, cap_t perm)
{
	return c & perm || (c && !cap_perm(c));
}

/* c was read from s. False, and nothing is done: it takes a walk, or s has changed. */
static always_inline bool visit(struct cap_slot *s, cap_t c, cap_t perm, bool self)
{
	struct kobject *o = cap_object(c);
	bool done = true;

	if (!slot_lock_unchanged(s, c))
		return false;
	if (!mdb_is_leaf(&s->node))
		done = cap_perm(c) && revoke_only_child_locked(o, s, perm, self);
	else if (self || !cap_perm(c))
		weaken_leaf_locked(o, s, perm);
	spin_unlock(&o->lock);
	return done;
}

/* ---- The subtree of a slot ---- */

/* Begins with s. False: there is nothing in it any more. */
static bool walk_begin(struct space_obj_revocation *r, struct cap_slot *s)
{
	struct kobject *o = cap_object(slot_read(s));
	struct mdb_walk w = mdb_walk(&s->node);

	if (!o || !slot_lock(s, (cap_t)o))
		return false;
	if (r->self)
		weaken_locked(s, r->perm);
	mdb_pause(&r->place, &w);
	if (r->range.order && s->node.parent) {
		mdb_hang(&r->climb, s->node.parent);
		r->climbing = true;
	}
	kobject_ref(o);
	r->object = o;
	spin_unlock(&o->lock);
	return true;
}

/* The object may end with this. */
static void walk_end_and_unlock(struct space_obj_revocation *r)
{
	struct kobject *o = r->object;

	if (r->climbing)
		(void)mdb_unhang(&r->climb);
	r->climbing = false;
	r->object = NULL;
	spin_unlock(&o->lock);
	kobject_unref(o);
}

static void enter_locked(struct space_obj_revocation *r, struct mdb_walk *w)
{
	struct cap_slot *s = slot_of(w->up);

	weaken_locked(s, r->perm | (CAP_PERM_MASK & ~slot_of(s->node.parent)->cap));
}

/* A dying node goes when nothing is below it any more. If there are capabilities, whoever made it dying has come
 * after this walk, and finds them. */
static bool leave_locked(struct space_obj_revocation *r, struct mdb_walk *w)
{
	struct mdb_node *n = w->up;

	if (cap_perm(slot_of(n)->cap))
		return mdb_leave(w);
	if (mdb_ends_with_place(w)) {
		mdb_lift_place(w);
		if (!mdb_is_empty(w))
			return true;
	}
	if (!mdb_is_empty(w))
		return mdb_leave(w);
	bool more = mdb_leave_removed(w);
	empty_locked(r->object, slot_of(n));
	return more;
}

/*
 * Passing the places of others is a part of a step. All that run at this moment may have got ahead since the last
 * piece; more of them than there are CPUs fit into a piece, so each piece gets on.
 */
#define STEP_COST 4
#define PASS_COST 1
_Static_assert(PIECE_ORDER == 0 || PIECE * STEP_COST / PASS_COST > HEDRON_CPU_MAX, "a piece gets past all CPUs");

/* Takes what it costs from *left. */
static bool step_locked(struct space_obj_revocation *r, struct mdb_walk *w, int *left)
{
	switch (mdb_step(w)) {
	case MDB_ENTER:
		*left -= STEP_COST;
		enter_locked(r, w);
		return true;
	case MDB_PASS:
		*left -= PASS_COST;
		return true;
	default:
		*left -= STEP_COST;
		return leave_locked(r, w);
	}
}

/* Whether the node is one of those to be revoked itself. */
static bool is_in_range(const struct space_obj_revocation *r, struct mdb_node *n)
{
	u64 sel;

	return space_obj_owner(slot_of(n), &sel) == r->pd && block_has(r->range, sel);
}

/*
 * Climbs one node for each step of the walk. If that meets another one of the range, this walk is part of that one's,
 * which has been or is still to come. So of the nodes of a range that lie above each other each walks at least twice
 * as far as the one below it, or not at all, and no node is visited more often than the logarithm of the tree's size.
 */
static bool climb_locked(struct space_obj_revocation *r, struct mdb_node **above)
{
	if (!*above)
		return true;
	if (is_in_range(r, *above))
		return false;
	*above = (*above)->parent;
	return true;
}

static void walk(struct space_obj_revocation *r)
{
	struct kobject *o = r->object;
	struct mdb_node *above;
	struct mdb_walk w;
	bool more;

	spin_lock(&o->lock);
	above = r->climbing ? mdb_unhang(&r->climb) : NULL;
	r->climbing = false;
	more = mdb_resume(&r->place, &w);
	for (int left = PIECE * STEP_COST; left > 0 && more;)
		more = climb_locked(r, &above) && step_locked(r, &w, &left);
	if (!more) {
		walk_end_and_unlock(r);
		return;
	}
	mdb_pause(&r->place, &w);
	if (above) {
		mdb_hang(&r->climb, above);
		r->climbing = true;
	}
	spin_unlock(&o->lock);
}

/* ---- Ranges ---- */

/* Pages that have been passed may be empty: a piece of its own. Those of a closed space go all together. */
static void sweep(struct space_obj_revocation *r)
{
	unsigned num = r->passed_num;

	r->passed_num = 0;
	if (num && r->self && !r->pd->objs.closed)
		slot_sweep_pages(r->pd, r->passed, num);
}

/* Looks at the next slots, all of one page, until one takes a walk. False: there is none left. */
static bool scan(struct space_obj_revocation *r)
{
	u64 count;

	if (r->passed_num == SPACE_OBJ_REVOKE_PAGES) {
		sweep(r);
		return true;
	}
	if (!slot_table_page(r->pd->objs.pdpt, &r->next, &count, block_end(r->range)))
		return false;
	struct cap_slot *s = slot_table_find(r->pd->objs.pdpt, r->next);
	if (unlikely(!s))
		return true; /* a long hole, or somebody has just swept the page away */
	count = min_u64(min_u64(count, CAP_SLOTS_PER_PAGE - (r->next & bits_low(SLOT_TABLE_SLOT_BITS))), PIECE);
	for (bool more = true; more && count--; s++, r->next++) {
		cap_t c = slot_read(s);
		if (needs_visit(c, r->perm) && !visit(s, c, r->perm, r->self))
			more = !walk_begin(r, s);
	}
	if (!(r->next & bits_low(SLOT_TABLE_SLOT_BITS)))
		r->passed[r->passed_num++] = (u32)(r->next / CAP_SLOTS_PER_PAGE - 1);
	return true;
}

/* Between two slots. */
static bool step(struct space_obj_revocation *r)
{
	switch ((enum space_obj_revoke_kind)r->kind) {
	case REVOKE_PORTS:
		return space_pio_revoke_step(r);
	case REVOKE_TABLES:
		return space_mem_free_step(r->pd);
	default:
		return scan(r);
	}
}

bool space_obj_revoke_step(struct space_obj_revocation *r)
{
	if (r->object) {
		walk(r);
		return true;
	}
	if (r->pd && !step(r)) {
		if (r->kind == REVOKE_OBJECTS)
			sweep(r);
		kobject_unref(&r->pd->obj);
		r->pd = NULL;
	}
	return r->pd;
}

void space_obj_revoke_leave(struct space_obj_revocation *r)
{
	if (likely(!r->object))
		return;
	spin_lock(&r->object->lock);
	mdb_remove(&r->place.node);
	r->next--;
	walk_end_and_unlock(r);
}

/* A PD without references holds nothing any more. */
void space_obj_revoke_begin(struct space_obj_revocation *r, struct pd *pd, u64 sel, unsigned order, unsigned perm,
			    bool self)
{
	r->object = NULL;
	r->climbing = false;
	r->passed_num = 0;
	r->pd = kobject_get(&pd->obj) ? pd : NULL;
	r->range = (struct block){sel, order};
	r->next = sel;
	r->perm = perm & PERM_ALL;
	r->self = self;
	r->kind = REVOKE_OBJECTS;
}

cold void space_obj_revoke_begin_ports(struct pd *pd, struct block range, u64 next, bool self)
{
	struct space_obj_revocation *r = space_obj_unfinished();

	space_obj_revoke_begin(r, pd, range.base, range.order, 0, self);
	r->next = next;
	r->kind = REVOKE_PORTS;
}

cold void space_obj_revoke_begin_tables(struct pd *pd)
{
	struct space_obj_revocation *r = space_obj_unfinished();

	space_obj_revoke_begin(r, pd, 0, 0, 0, false);
	r->kind = REVOKE_TABLES;
}

/* ---- The usual case: few capabilities, each with at most one below it ---- */

/* What begins with s takes a walk, to the end of the naturally aligned range of 2^order slots that s is in. */
static noinline void revoke_slow(struct cap_slot *s, unsigned order, cap_t perm, bool self)
{
	struct space_obj_revocation *r = space_obj_unfinished();
	u64 sel;
	struct pd *pd = space_obj_owner(s, &sel);

	space_obj_revoke_begin(r, pd, sel & ~bits_low(order), order, (unsigned)perm, self);
	r->next = sel;
}

static noinline void revoke_below_and_unlock(struct kobject *o, struct cap_slot *s, cap_t perm, bool self)
{
	if (likely(revoke_only_child_locked(o, s, perm, self))) {
		spin_unlock(&o->lock);
	} else {
		spin_unlock(&o->lock);
		revoke_slow(s, 0, perm, self);
	}
}

static noinline void revoke_dying(struct cap_slot *s)
{
	cap_t c = slot_read(s);

	if (c && !cap_perm(c))
		revoke_slow(s, 0, 0, false);
}

static always_inline void revoke_one(struct cap_slot *s, cap_t perm, bool self)
{
	cap_t c = slot_read(s);
	struct kobject *o = cap_object(c);

	if (unlikely(!(c & perm))) {
		revoke_dying(s);
		return;
	}
	if (unlikely(!slot_lock_unchanged(s, c))) {
		revoke_slow(s, 0, perm, self);
		return;
	}
	if (!mdb_is_leaf(&s->node)) {
		revoke_below_and_unlock(o, s, perm, self);
		return;
	}
	if (self)
		weaken_leaf_locked(o, s, perm);
	spin_unlock(&o->lock);
}

static noinline void revoke_few(struct cap_slot *s, unsigned order, cap_t perm, bool self)
{
	struct cap_slot *end = s + bit(order);

	do {
		cap_t c = slot_read(s);
		if (unlikely(needs_visit(c, perm)) && unlikely(!visit(s, c, perm, self))) {
			revoke_slow(s, order, perm, self);
			return;
		}
	} while (++s < end);
}

static noinline void revoke_many(struct pd *pd, u64 sel, unsigned order, unsigned perm, bool self)
{
	space_obj_revoke_begin(space_obj_unfinished(), pd, sel, order, perm, self);
}

void space_obj_revoke(struct pd *pd, u64 sel, unsigned order, unsigned perm, bool self)
{
	struct cap_slot *s;

	perm &= PERM_ALL;
	if (unlikely(order > PIECE_ORDER)) {
		revoke_many(pd, sel, order, perm, self);
		return;
	}
	s = slot_table_find(pd->objs.pdpt, sel);
	if (unlikely(!s))
		return;
	if (likely(!order))
		revoke_one(s, perm, self);
	else
		revoke_few(s, order, perm, self);
}
