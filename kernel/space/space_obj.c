/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_obj.h"

#include "core/pd.h"
#include "lib/bits.h"
#include "lib/panic.h"
#include "mm/buddy.h"
#include "space/mdb.h"
#include "space/block.h"

/*
 * Three levels of tables lead to a page of slots. Selector bits 25, 24:16 and 15:7 are the indices, 6:0 is the slot.
 * Manual: SDM vol. 3, 4.5.
 */
#define SLOT_BITS 7
#define TABLE_BITS 9
#define SHIFT_TOP 25

#define ENTRY_ADDR 0x000ffffffffff000ull
#define ENTRY_FLAGS 0x8000000000000063ull /* present, writable, accessed, dirty, supervisor, no execution */

_Static_assert(CAP_SLOTS_PER_PAGE == 1 << SLOT_BITS, "slots of a page");
_Static_assert(SHIFT_TOP == SLOT_BITS + 2 * TABLE_BITS && HEDRON_SEL_NUM == 2 << SHIFT_TOP,
	       "two entries of the PDPT");

static unsigned table_index(u64 sel, int shift)
{
	return sel >> shift & bits_low(TABLE_BITS);
}
/* Tables are read without lock. */
static u64 entry_read(const u64 *table, u64 i)
{
	return __atomic_load_n(&table[i], __ATOMIC_ACQUIRE);
}
static void *entry_target(u64 entry)
{
	return heap_virt(paddr(entry & ENTRY_ADDR));
}

/* ---- Tables ---- */

/* Entries of a table from this one on have never been used: selectors are mostly low, tables mostly empty. */
static u64 *table_limit(const u64 *table)
{
	return &buddy_page(table)->index;
}

/* The first used entry from i on; 2^TABLE_BITS if there is none. */
static unsigned table_next(const u64 *table, unsigned i)
{
	for (unsigned limit = (unsigned)__atomic_load_n(table_limit(table), __ATOMIC_ACQUIRE); i < limit; i++)
		if (entry_read(table, i))
			return i;
	return 1u << TABLE_BITS;
}

static u64 *table_alloc(void)
{
	u64 *table = buddy_alloc_zeroed();

	if (table)
		*table_limit(table) = 0;
	return table;
}

static void table_set(u64 *table, unsigned i, const void *target)
{
	u64 *limit = table_limit(table);

	__atomic_store_n(&table[i], heap_phys(target).v | ENTRY_FLAGS, __ATOMIC_RELEASE);
	if (*limit <= i)
		__atomic_store_n(limit, i + 1, __ATOMIC_RELEASE);
}

static void *slot_page_alloc(struct pd *pd, u64 sel)
{
	void *slots = buddy_alloc_zeroed();

	if (slots) {
		buddy_page(slots)->owner = pd;
		buddy_page(slots)->index = sel & ~bits_low(SLOT_BITS);
	}
	return slots;
}

/* Written out, as this is most of what small operations cost. NULL if no page is there. */
static always_inline struct cap_slot *slot_find(const struct space_obj *sp, u64 sel)
{
	u64 entry = entry_read(sp->pdpt, sel >> SHIFT_TOP);

	if (unlikely(!entry))
		return NULL;
	entry = entry_read(entry_target(entry), table_index(sel, SHIFT_TOP - TABLE_BITS));
	if (unlikely(!entry))
		return NULL;
	entry = entry_read(entry_target(entry), table_index(sel, SLOT_BITS));
	if (unlikely(!entry))
		return NULL;
	return (struct cap_slot *)entry_target(entry) + (sel & bits_low(SLOT_BITS));
}

struct cap_slot *space_obj_slot(const struct space_obj *sp, u64 sel)
{
	return sel < HEDRON_SEL_NUM ? slot_find(sp, sel) : NULL;
}

/* The same, and makes the tables that are missing. NULL: out of memory. */
static struct cap_slot *slot_make_locked(struct pd *pd, u64 sel)
{
	u64 *table = pd->objs.pdpt;

	for (int shift = SHIFT_TOP; shift > 0; shift -= TABLE_BITS) {
		unsigned i = table_index(sel, shift);
		if (!table[i]) {
			void *below = shift == SLOT_BITS ? slot_page_alloc(pd, sel) : table_alloc();
			if (!below)
				return NULL;
			table_set(table, i, below);
		}
		table = entry_target(table[i]);
	}
	return (struct cap_slot *)table + (sel & bits_low(SLOT_BITS));
}

/* The first selector from sel on, but below end, whose page of slots exists; end or more if there is none. */
static noinline u64 slots_skip(const struct space_obj *sp, u64 sel, u64 end)
{
	const u64 *table = sp->pdpt;
	int shift = SHIFT_TOP;

	while (sel < end) {
		unsigned i = table_index(sel, shift), next = table_next(table, i);
		if (next != i)
			sel = ((sel >> shift) + next - i) << shift;
		if (next >> TABLE_BITS) { /* on to another table */
			table = sp->pdpt;
			shift = SHIFT_TOP;
		} else if (shift == SLOT_BITS) {
			break;
		} else {
			table = entry_target(entry_read(table, next));
			shift -= TABLE_BITS;
		}
	}
	return sel;
}

/* The first slot in [*sel, end) whose page exists; *sel becomes its selector. NULL if there is none. */
static always_inline struct cap_slot *slots_next(const struct space_obj *sp, u64 *sel, u64 end)
{
	struct cap_slot *s;

	if (*sel >= end)
		return NULL;
	s = slot_find(sp, *sel);
	if (likely(s))
		return s;
	*sel = slots_skip(sp, *sel, end);
	return *sel < end ? space_obj_slot(sp, *sel) : NULL;
}

/* How many of the selectors from sel on share its page of slots and lie below end. */
static u64 slots_count(u64 sel, u64 end)
{
	return min_u64(end, (sel | bits_low(SLOT_BITS)) + 1) - sel;
}

/* ---- Slots ---- */

/* Without lock the word may change at any time. With the lock of the object it names, it does not. */
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

/* A reserved slot is its own parent. Emptying one clears the parent before the word, hence the order of the reads. */
static bool slot_is_free_locked(const struct cap_slot *s)
{
	return !slot_read(s) && !s->node.parent;
}

/* Locks the object that c named when it was read from s; false (and no lock) if s has changed since. */
static always_inline bool slot_lock(const struct cap_slot *s, cap_t c)
{
	struct kobject *o = cap_object(c);

	spin_lock(&o->lock);
	if (likely(cap_object(slot_read(s)) == o))
		return true;
	spin_unlock(&o->lock);
	return false;
}

/* c was read from `from`; `to` is free and its space locked. */
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

/* No node below s has bits that s has not: when s goes, all below are gone. */
static void slot_weaken_locked(struct kobject *o, struct cap_slot *s, cap_t perm)
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

/* c was read from s. */
static void slot_revoke(cap_t c, struct cap_slot *s, cap_t perm, bool self)
{
	struct kobject *o = cap_object(c);

	if (!slot_lock(s, c))
		return;
	for (struct mdb_node *n = mdb_last(&s->node), *back; n != &s->node; n = back) {
		back = mdb_back(n);
		slot_weaken_locked(o, slot_of(n), perm);
	}
	if (self)
		slot_weaken_locked(o, s, perm);
	spin_unlock(&o->lock);
}

struct pd *space_obj_owner(const struct cap_slot *slot, u64 *sel)
{
	const struct page *p = buddy_page(slot);

	*sel = p->index + ((u64)slot & PAGE_MASK) / sizeof *slot;
	return p->owner;
}

/* ---- Life ---- */

enum status space_obj_init(struct space_obj *sp)
{
	*sp = (struct space_obj){.pdpt = table_alloc()};
	return sp->pdpt ? SUCCESS : OOM;
}

void space_obj_destroy(struct pd *pd)
{
	spin_lock(&pd->objs.lock);
	pd->objs.closed = true;
	spin_unlock(&pd->objs.lock);
	space_obj_revoke(pd, 0, SHIFT_TOP + 1, PERM_ALL, true);
}

static void slot_pages_free(u64 *table)
{
	for (unsigned i = 0; (i = table_next(table, i)) >> TABLE_BITS == 0; i++)
		buddy_free(entry_target(table[i]), 0);
	buddy_free(table, 0);
}

static void tables_free(u64 *table)
{
	for (unsigned i = 0; (i = table_next(table, i)) >> TABLE_BITS == 0; i++)
		slot_pages_free(entry_target(table[i]));
	buddy_free(table, 0);
}

void space_obj_free(struct space_obj *sp)
{
	for (unsigned i = 0; (i = table_next(sp->pdpt, i)) >> TABLE_BITS == 0; i++)
		tables_free(entry_target(sp->pdpt[i]));
	buddy_free(sp->pdpt, 0);
	sp->pdpt = NULL;
}

/* ---- Creation ---- */

static enum status reserve_locked(struct pd *pd, u64 sel)
{
	struct cap_slot *s;

	if (pd->objs.closed)
		return BAD_CAP;
	s = slot_make_locked(pd, sel);
	if (!s)
		return OOM;
	if (!slot_is_free_locked(s))
		return BAD_CAP;
	s->node.parent = &s->node;
	return SUCCESS;
}

enum status space_obj_reserve(struct pd *pd, u64 sel)
{
	enum status status;

	if (sel >= HEDRON_SEL_NUM)
		return BAD_PAR;
	spin_lock(&pd->objs.lock);
	status = reserve_locked(pd, sel);
	spin_unlock(&pd->objs.lock);
	return status;
}

void space_obj_commit(struct pd *pd, u64 sel, struct kobject *o, unsigned perm)
{
	struct cap_slot *s = space_obj_slot(&pd->objs, sel);

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

void space_obj_cancel(struct pd *pd, u64 sel)
{
	struct cap_slot *s = space_obj_slot(&pd->objs, sel);

	kassert(s->node.parent == &s->node);
	spin_lock(&pd->objs.lock);
	s->node.parent = NULL;
	spin_unlock(&pd->objs.lock);
}

enum status space_obj_insert_root(struct pd *pd, u64 sel, struct kobject *o, unsigned perm)
{
	enum status status = space_obj_reserve(pd, sel);

	if (status == SUCCESS)
		space_obj_commit(pd, sel, o, perm);
	return status;
}

/* ---- Ranges ---- */

/* `count` slots from `from` on, to one page of slots. The lock is held for no more than a page. */
static enum status delegate_slots(struct cap_slot *from, struct pd *dst, u64 dst_sel, u64 count, cap_t perm)
{
	struct cap_slot *to;
	enum status status = SUCCESS;

	spin_lock(&dst->objs.lock);
	to = slot_find(&dst->objs, dst_sel);
	for (u64 i = 0; i < count && likely(!dst->objs.closed); i++) {
		cap_t c = slot_read(&from[i]);
		if (!(c & perm))
			continue;
		if (unlikely(!to) && !(to = slot_make_locked(dst, dst_sel))) {
			status = OOM;
			break;
		}
		if (slot_is_free_locked(&to[i]))
			slot_derive_locked(c, &from[i], &to[i], perm);
	}
	spin_unlock(&dst->objs.lock);
	return status;
}

enum status space_obj_delegate(struct pd *src, u64 src_sel, struct pd *dst, u64 dst_sel, unsigned order,
			       unsigned perm)
{
	u64 end = src_sel + bit(order), count;
	enum status status = SUCCESS;
	struct cap_slot *from;

	for (u64 sel = src_sel; status == SUCCESS && (from = slots_next(&src->objs, &sel, end)); sel += count) {
		count = slots_count(sel, end);
		status = delegate_slots(from, dst, dst_sel + (sel - src_sel), count, perm & PERM_ALL);
	}
	return status;
}

void space_obj_revoke(struct pd *pd, u64 sel, unsigned order, unsigned perm, bool self)
{
	u64 end = sel + bit(order), count;
	struct cap_slot *s;

	for (; (s = slots_next(&pd->objs, &sel, end)); sel += count) {
		count = slots_count(sel, end);
		for (u64 i = 0; i < count; i++) {
			cap_t c = slot_read(&s[i]);
			if (c & perm & PERM_ALL)
				slot_revoke(c, &s[i], perm & PERM_ALL, self);
		}
	}
}

/* ---- Questions ---- */

crd_t space_obj_lookup(const struct pd *pd, u64 sel)
{
	const struct cap_slot *s = space_obj_slot(&pd->objs, sel);
	cap_t c = s ? slot_read(s) : 0;

	return c ? crd_make(CRD_OBJ, sel, 0, cap_perm(c)) : 0;
}

/* The selector of the nearest node above s, or of s if `self`, that is dst's and in the window. */
static bool translate_locked(struct cap_slot *s, bool self, const struct pd *dst, struct block window, u64 *sel)
{
	for (struct mdb_node *n = s->node.parent; n; n = n->parent)
		if (space_obj_owner(slot_of(n), sel) == dst && block_has(window, *sel))
			return true;
	return self && (space_obj_owner(s, sel), block_has(window, *sel));
}

crd_t space_obj_translate(struct pd *src, u64 src_sel, struct pd *dst, struct block window)
{
	struct cap_slot *s = space_obj_slot(&src->objs, src_sel);
	cap_t c = s ? slot_read(s) : 0;
	crd_t found = 0;
	u64 sel;

	if (!c || !slot_lock(s, c))
		return 0;
	if (translate_locked(s, src == dst, dst, window, &sel))
		found = crd_make(CRD_OBJ, sel, 0, cap_perm(s->cap));
	spin_unlock(&cap_object(c)->lock);
	return found;
}
