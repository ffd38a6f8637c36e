/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_obj.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "platform/panic.h"
#include "space/block.h"
#include "space/mdb.h"
#include "space/pd.h"
#include "space/slot.h"
#include "space/slot_table.h"

/* ---- Slots ---- */

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

enum status space_obj_init(struct space_obj *sp, struct account *account)
{
	*sp = (struct space_obj){.pdpt = slot_table_alloc(account)};
	list_init(&sp->pages);
	return sp->pdpt ? SUCCESS : OOM;
}

void space_obj_close(struct pd *pd)
{
	spin_lock(&pd->objs.lock);
	pd->objs.closed = true;
	spin_unlock(&pd->objs.lock);
}

bool space_obj_is_empty(const struct space_obj *sp)
{
	return !slot_table_is_used(sp->pdpt);
}

void space_obj_free(struct space_obj *sp)
{
	page_return_zeroed(sp->pdpt);
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

/* ---- Ranges: a piece at a time, which lies on one page; small ones are one piece ---- */

/* A slot is about 55 instructions, and a new page about 2,000. */
#define PIECE_ORDER 6
#define PIECE (1u << PIECE_ORDER)
_Static_assert(PIECE_ORDER <= SLOT_TABLE_SLOT_BITS, "a piece lies on one page");

/* Delegates `count` slots from `from` on to as many in one page of slots: the space's lock is held for no longer. */
static enum status delegate_slots(struct cap_slot *from, struct pd *dst, u64 dst_sel, u64 count, cap_t perm)
{
	struct cap_slot *to;
	enum status status = SUCCESS;

	spin_lock(&dst->objs.lock);
	to = slot_table_find(dst->objs.pdpt, dst_sel);
	for (u64 i = 0; i < count && likely(!dst->objs.closed); i++, from++) {
		cap_t c = slot_read(from);
		if (!(c & perm))
			continue;
		if (unlikely(!to) && !(to = slot_table_make(dst->objs.pdpt, dst, dst_sel))) {
			status = OOM;
			break;
		}
		if (slot_is_free_locked(&to[i]))
			slot_derive_locked(c, from, &to[i], perm);
	}
	spin_unlock(&dst->objs.lock);
	return status;
}

/* A PD without references holds nothing any more, and gets nothing. */
noinline void space_obj_delegate_begin(struct space_obj_delegation begun)
{
	struct space_obj_delegation *d = space_obj_unfinished_delegation();

	if (!kobject_get(&begun.src->obj))
		return;
	if (!kobject_get(&begun.dst->obj)) {
		kobject_unref(&begun.src->obj);
		return;
	}
	*d = begun;
}

static noinline enum status delegate_many(struct pd *src, u64 src_sel, struct pd *dst, u64 dst_sel, u64 size,
					  cap_t perm)
{
	space_obj_delegate_begin((struct space_obj_delegation){src, dst, src_sel, src_sel + size, dst_sel - src_sel,
							       perm, DELEGATE_OBJECTS});
	return SUCCESS;
}

void space_obj_delegate_drop(struct space_obj_delegation *d)
{
	kobject_unref(&d->src->obj);
	kobject_unref(&d->dst->obj);
	d->src = NULL;
}

/* The next PIECE slots, or what is left of them: both ranges are aligned, so they are on one page on either side. */
static enum status delegate_some(struct space_obj_delegation *d)
{
	enum status status = SUCCESS;
	u64 count;

	if (slot_table_page(d->src->objs.pdpt, &d->next, &count, d->end)) {
		struct cap_slot *from = slot_table_find(d->src->objs.pdpt, d->next);
		if (likely(from)) /* else there is a hole, or somebody has just swept the page away */
			status = delegate_slots(from, d->dst, d->next + d->offset, min_u64(count, PIECE), d->perm);
	}
	if (status == SUCCESS)
		d->next += PIECE;
	return status;
}

static enum status delegate_piece(struct space_obj_delegation *d)
{
	switch ((enum space_obj_delegate_kind)d->kind) {
	case DELEGATE_PORTS:
		return space_pio_delegate_step(d);
	case DELEGATE_MEMORY:
		return space_mem_delegate_step(d);
	case DELEGATE_NOTHING:
		return OOM;
	default:
		return delegate_some(d);
	}
}

enum status space_obj_delegate_step(struct space_obj_delegation *d)
{
	enum status status = delegate_piece(d);

	if (status != SUCCESS)
		return status;
	if (d->next >= d->end)
		space_obj_delegate_drop(d);
	return SUCCESS;
}

enum status space_obj_delegate(struct pd *src, u64 src_sel, struct pd *dst, u64 dst_sel, unsigned order,
			       unsigned perm)
{
	struct cap_slot *from;

	perm &= PERM_ALL;
	if (order > PIECE_ORDER)
		return delegate_many(src, src_sel, dst, dst_sel, bit(order), perm);
	from = slot_table_find(src->objs.pdpt, src_sel);
	return from ? delegate_slots(from, dst, dst_sel, bit(order), perm) : SUCCESS;
}

/* ---- Translation ---- */

#define TRANSLATE_NODES 64 /* between two lock breaks */

/* Lets others have the object's lock for a moment. Returns n, or, if that has gone, the nearest above it. */
static noinline struct mdb_node *lock_break(struct kobject *o, struct mdb_node *n)
{
	struct mdb_place place;

	mdb_hang(&place, n);
	spin_unlock(&o->lock);
	arch_relax();
	spin_lock(&o->lock);
	return mdb_unhang(&place);
}

/* Finds the nearest node above s that is dst's and in the window, or s itself if `self`. True: *sel is its selector.
 */
static bool translate_locked(struct kobject *o, struct cap_slot *s, bool self, const struct pd *dst,
			     struct block window, u64 *sel)
{
	struct mdb_node *n = s->node.parent;

	for (unsigned depth = 1; n && depth <= SPACE_OBJ_TRANSLATE_MAX; depth++, n = n->parent) {
		if (space_obj_owner(slot_of(n), sel) == dst && block_has(window, *sel) && cap_perm(slot_of(n)->cap))
			return true;
		if (unlikely(depth % TRANSLATE_NODES == 0)) {
			n = lock_break(o, n);
			if (!n)
				break;
		}
	}
	return self && (space_obj_owner(s, sel), block_has(window, *sel));
}

crd_t space_obj_translate(struct pd *src, u64 src_sel, struct pd *dst, struct block window)
{
	struct cap_slot *s = space_obj_slot(&src->objs, src_sel);
	cap_t c = s ? slot_read(s) : 0;
	struct kobject *o = cap_object(c);
	crd_t found = 0;
	u64 sel;

	if (!cap_perm(c) || !slot_lock(s, c))
		return 0;
	if (translate_locked(o, s, src == dst, dst, window, &sel) && cap_object(s->cap) == o && cap_perm(s->cap))
		found = crd_make(CRD_OBJ, sel, 0, cap_perm(s->cap));
	spin_unlock(&o->lock);
	return found;
}
