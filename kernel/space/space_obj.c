/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_obj.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "mm/buddy.h"
#include "platform/panic.h"
#include "space/block.h"
#include "space/mdb.h"
#include "space/pd.h"
#include "space/slot_table.h"

/* ---- Slots ---- */

/* A word that is read without a lock may change at any time. Under the lock of the object that it names it does not.
 */
static cap_t slot_read(const struct cap_slot *s)
{
	return __atomic_load_n(&s->cap, __ATOMIC_ACQUIRE);
}
static void slot_write(struct cap_slot *s, cap_t cap)
{
	__atomic_store_n(&s->cap, cap, __ATOMIC_RELEASE);
}

static struct cap_slot *slot_of(struct mdb_node *n)
{
	return container_of(n, struct cap_slot, node);
}

/* With the space's lock held. A reserved slot is its own parent. Emptying a slot, which does not take this lock,
 * clears the parent before the word, hence the order of the reads: an empty word that is seen means that the parent
 * is done. */
static bool slot_is_free_locked(const struct cap_slot *s)
{
	return !slot_read(s) && !s->node.parent;
}

/* Locks the object that c names, which was read from s. False, and no lock: s no longer names it. Its memory is there
 * in any case (core/rcu.h). */
static always_inline bool slot_lock(const struct cap_slot *s, cap_t c)
{
	struct kobject *o = cap_object(c);

	spin_lock(&o->lock);
	if (likely(cap_object(slot_read(s)) == o))
		return true;
	spin_unlock(&o->lock);
	return false;
}

/* Delegates what `from` holds to `to`, unless it has changed since c was read from it. `to` is free, and its space's
 * lock is held. */
static void slot_derive_locked(cap_t c, struct cap_slot *from, struct cap_slot *to, cap_t perm)
{
	struct kobject *o = cap_object(c);

	if (!slot_lock(from, c))
		return;
	c = from->cap & (perm | ~CAP_PERM_MASK);
	if (likely(cap_perm(c))) {
		mdb_insert_child(&from->node, &to->node);
		o->caps++;
		slot_write(to, c);
	}
	spin_unlock(&o->lock);
}

/* Takes permissions away from s, and s out of the tree if none are left. Then it has no children: none below s has a
 * permission that s lacks, and those below are weakened first. */
static always_inline void slot_weaken_locked(struct kobject *o, struct cap_slot *s, cap_t perm)
{
	cap_t left = s->cap & ~perm;

	if (cap_perm(left)) {
		slot_write(s, left);
		return;
	}
	mdb_remove(&s->node);
	slot_write(s, 0);
	if (--o->caps == 0)
		kobject_caps_gone(o);
}

static noinline void slot_weaken_below_locked(struct kobject *o, struct cap_slot *s, cap_t perm)
{
	struct mdb_walk walk = {&o->lock, &o->walk_suspended, MDB_WALK_NODES};

	for (struct mdb_node *n = mdb_last(&s->node, &walk), *back; n != &s->node; n = back) {
		if (mdb_lock_break_due(&walk))
			n = mdb_lock_break(&walk, n);
		back = mdb_back(n);
		slot_weaken_locked(o, slot_of(n), perm);
	}
}

/*
 * With the object's lock held, which it releases while it waits: waits until no other walk of the object's tree is
 * suspended. True: s still names the object, and the lock is held. False: it does not, and the lock is released.
 */
static noinline bool slot_wait_for_walk(struct kobject *o, const struct cap_slot *s)
{
	while (o->walk_suspended) {
		spin_unlock(&o->lock);
		arch_relax();
		spin_lock(&o->lock);
	}
	if (cap_object(slot_read(s)) == o)
		return true;
	spin_unlock(&o->lock);
	return false;
}

/* With the object's lock held, which is released: revokes `perm` from all below s, and with `self` from s. */
static always_inline void slot_revoke_and_unlock(struct kobject *o, struct cap_slot *s, cap_t perm, bool self)
{
	if (unlikely(o->walk_suspended) && !mdb_is_leaf(&s->node) && !slot_wait_for_walk(o, s))
		return;
	if (!mdb_is_leaf(&s->node)) { /* also after the wait */
		struct mdb_node *n = mdb_only_child(&s->node);
		if (likely(n))
			slot_weaken_locked(o, slot_of(n), perm);
		else
			slot_weaken_below_locked(o, s, perm);
	}
	if (self)
		slot_weaken_locked(o, s, perm);
	spin_unlock(&o->lock);
}

/* c was read from s. */
static always_inline void slot_revoke(cap_t c, struct cap_slot *s, cap_t perm, bool self)
{
	struct kobject *o = cap_object(c);

	if (likely(slot_lock(s, c)))
		slot_revoke_and_unlock(o, s, perm, self);
}

struct cap_slot *space_obj_slot(const struct space_obj *sp, u64 sel)
{
	return sel < HEDRON_SEL_NUM ? slot_table_find(sp->pdpt, sel) : NULL;
}

struct pd *space_obj_owner(const struct cap_slot *slot, u64 *sel)
{
	const struct page *p = buddy_page(slot);

	*sel = p->index + ((u64)slot & PAGE_MASK) / sizeof *slot;
	return p->owner;
}

/* ---- Start and end ---- */

enum status space_obj_init(struct space_obj *sp)
{
	*sp = (struct space_obj){.pdpt = slot_table_alloc()};
	return sp->pdpt ? SUCCESS : OOM;
}

void space_obj_destroy(struct pd *pd)
{
	spin_lock(&pd->objs.lock);
	pd->objs.closed = true;
	spin_unlock(&pd->objs.lock);
	space_obj_revoke(pd, 0, SPACE_OBJ_ORDER, PERM_ALL, true);
}

void space_obj_free(struct space_obj *sp)
{
	slot_table_free(sp->pdpt);
	sp->pdpt = NULL;
}

/* ---- Creation ---- */

/* With the space's lock held, which is released: reserves s if it is free. */
static always_inline enum status reserve_found(struct pd *pd, struct cap_slot *s, struct cap_slot **slot)
{
	enum status status = BAD_CAP;

	if (likely(!pd->objs.closed && slot_is_free_locked(s))) {
		s->node.parent = &s->node;
		*slot = s;
		status = SUCCESS;
	}
	spin_unlock(&pd->objs.lock);
	return status;
}

/* The same for a selector whose page of slots is missing. A closed space gets no new page. */
static noinline enum status reserve_new(struct pd *pd, u64 sel, struct cap_slot **slot)
{
	bool closed = pd->objs.closed;
	struct cap_slot *s = closed ? NULL : slot_table_make(pd->objs.pdpt, pd, sel);

	if (s)
		return reserve_found(pd, s, slot);
	spin_unlock(&pd->objs.lock);
	return closed ? BAD_CAP : OOM;
}

enum status space_obj_reserve(struct pd *pd, u64 sel, struct cap_slot **slot)
{
	struct cap_slot *s;

	if (unlikely(sel >= HEDRON_SEL_NUM))
		return BAD_PAR;
	spin_lock(&pd->objs.lock);
	s = slot_table_find(pd->objs.pdpt, sel);
	return likely(s) ? reserve_found(pd, s, slot) : reserve_new(pd, sel, slot);
}

void space_obj_commit(struct pd *pd, struct cap_slot *s, struct kobject *o, unsigned perm)
{
	kassert(s->node.parent == &s->node && !o->caps && (perm & PERM_ALL));
	spin_lock(&pd->objs.lock);
	mdb_insert_root(&s->node);
	if (likely(!pd->objs.closed)) {
		o->caps = 1;
		slot_write(s, cap_make(o, perm & PERM_ALL));
	} else {
		kobject_caps_gone(o);
	}
	spin_unlock(&pd->objs.lock);
}

void space_obj_cancel(struct pd *pd, struct cap_slot *s)
{
	kassert(s->node.parent == &s->node);
	spin_lock(&pd->objs.lock);
	s->node.parent = NULL;
	spin_unlock(&pd->objs.lock);
}

enum status space_obj_insert_root(struct pd *pd, u64 sel, struct kobject *o, unsigned perm)
{
	struct cap_slot *slot;
	enum status status = space_obj_reserve(pd, sel, &slot);

	if (status == SUCCESS)
		space_obj_commit(pd, slot, o, perm);
	return status;
}

/* ---- Ranges: page by page; small ones lie on one page ---- */

/* Moves *sel on to the first selector below `end` whose page of slots exists; *count selectors from there share the
 * page. False: there is none. */
static bool page_next(const struct space_obj *sp, u64 *sel, u64 *count, u64 end)
{
	*sel = slot_table_skip(sp->pdpt, *sel, end);
	*count = min_u64(end - *sel, CAP_SLOTS_PER_PAGE);
	return *sel < end;
}

/* Delegates `count` slots from `from` on to as many in one page of slots: the space's lock is held for no longer. */
static enum status delegate_slots(struct cap_slot *from, struct pd *dst, u64 dst_sel, u64 count, cap_t perm)
{
	struct cap_slot *to;
	enum status status = SUCCESS;

	spin_lock(&dst->objs.lock);
	to = slot_table_find(dst->objs.pdpt, dst_sel);
	for (u64 i = 0; i < count && likely(!dst->objs.closed); i++) {
		cap_t c = slot_read(&from[i]);
		if (!(c & perm))
			continue;
		if (unlikely(!to) && !(to = slot_table_make(dst->objs.pdpt, dst, dst_sel))) {
			status = OOM;
			break;
		}
		if (slot_is_free_locked(&to[i]))
			slot_derive_locked(c, &from[i], &to[i], perm);
	}
	spin_unlock(&dst->objs.lock);
	return status;
}

static noinline enum status delegate_pages(struct pd *src, u64 src_sel, struct pd *dst, u64 dst_sel, u64 size,
					   cap_t perm)
{
	enum status status = SUCCESS;
	u64 sel = src_sel, count;

	for (; status == SUCCESS && page_next(&src->objs, &sel, &count, src_sel + size); sel += count)
		status = delegate_slots(slot_table_find(src->objs.pdpt, sel), dst, dst_sel + (sel - src_sel), count,
					perm);
	return status;
}

enum status space_obj_delegate(struct pd *src, u64 src_sel, struct pd *dst, u64 dst_sel, unsigned order,
			       unsigned perm)
{
	struct cap_slot *from;

	perm &= PERM_ALL;
	if (order > SLOT_TABLE_SLOT_BITS)
		return delegate_pages(src, src_sel, dst, dst_sel, bit(order), perm);
	from = slot_table_find(src->objs.pdpt, src_sel);
	return from ? delegate_slots(from, dst, dst_sel, bit(order), perm) : SUCCESS;
}

static noinline void revoke_slots(struct cap_slot *s, u64 count, cap_t perm, bool self)
{
	for (struct cap_slot *end = s + count; s < end; s++) {
		cap_t c = slot_read(s);
		if (c & perm)
			slot_revoke(c, s, perm, self);
	}
}

static noinline void revoke_range(struct pd *pd, u64 sel, u64 size, cap_t perm, bool self)
{
	for (u64 end = sel + size, count; page_next(&pd->objs, &sel, &count, end); sel += count)
		revoke_slots(slot_table_find(pd->objs.pdpt, sel), count, perm, self);
}

static noinline void revoke_one_slow(struct kobject *o, struct cap_slot *s, cap_t perm, bool self)
{
	slot_revoke_and_unlock(o, s, perm, self);
}

static always_inline void revoke_one(struct cap_slot *s, cap_t perm, bool self)
{
	cap_t c = slot_read(s);
	struct kobject *o = cap_object(c);

	if (unlikely(!(c & perm)) || unlikely(!slot_lock(s, c)))
		return;
	if (!mdb_is_leaf(&s->node)) {
		revoke_one_slow(o, s, perm, self);
		return;
	}
	if (self)
		slot_weaken_locked(o, s, perm);
	spin_unlock(&o->lock);
}

void space_obj_revoke(struct pd *pd, u64 sel, unsigned order, unsigned perm, bool self)
{
	struct cap_slot *s;

	perm &= PERM_ALL;
	if (unlikely(order > SLOT_TABLE_SLOT_BITS)) {
		revoke_range(pd, sel, bit(order), perm, self);
		return;
	}
	s = slot_table_find(pd->objs.pdpt, sel);
	if (unlikely(!s))
		return;
	if (likely(!order))
		revoke_one(s, perm, self);
	else
		revoke_slots(s, bit(order), perm, self);
}

/* ---- Translation ---- */

/* Finds the nearest node above s that is dst's and in the window, or s itself if `self`. True: *sel is its selector.
 */
static bool translate_locked(struct cap_slot *s, bool self, const struct pd *dst, struct block window, u64 *sel,
			     struct mdb_walk *walk)
{
	for (struct mdb_node *n = s->node.parent; n; n = n->parent) {
		if (space_obj_owner(slot_of(n), sel) == dst && block_has(window, *sel))
			return true;
		if (mdb_lock_break_due(walk))
			mdb_lock_break(walk, &s->node);
	}
	return self && (space_obj_owner(s, sel), block_has(window, *sel));
}

crd_t space_obj_translate(struct pd *src, u64 src_sel, struct pd *dst, struct block window)
{
	struct cap_slot *s = space_obj_slot(&src->objs, src_sel);
	cap_t c = s ? slot_read(s) : 0;
	struct kobject *o = cap_object(c);
	struct mdb_walk walk = {.left = MDB_WALK_NODES};
	crd_t found = 0;
	u64 sel;

	if (!c)
		return 0;
	walk.lock = &o->lock;
	walk.suspended = &o->walk_suspended;
	if (!slot_lock(s, c) || (unlikely(o->walk_suspended) && !slot_wait_for_walk(o, s)))
		return 0;
	if (translate_locked(s, src == dst, dst, window, &sel, &walk))
		found = crd_make(CRD_OBJ, sel, 0, cap_perm(s->cap));
	spin_unlock(&o->lock);
	return found;
}
