/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_pio.h"

#include "core/pd.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/slab.h"
#include "space/mdb.h"

static struct spinlock pio_lock;
static struct slab_cache pio_cache;

/* ---- Ranges ---- */

static struct pio_node *of_avl(struct avl_node *n)
{
	return n ? container_of(n, struct pio_node, avl) : NULL;
}
static struct pio_node *of_mdb(struct mdb_node *n)
{
	return container_of(n, struct pio_node, node);
}
static struct block range_of(const struct pio_node *n)
{
	return (struct block){n->avl.key, n->order};
}

/* The range that covers the port, or NULL. */
static struct pio_node *covering(const struct space_pio *sp, u64 port)
{
	struct pio_node *n = port < PIO_PORTS ? of_avl(avl_floor(&sp->ranges, (u32)port)) : NULL;

	return n && block_has(range_of(n), port) ? n : NULL;
}

/* The first range that covers the port or one above. */
static struct pio_node *first_from(const struct space_pio *sp, u64 port)
{
	struct pio_node *n = covering(sp, port);

	return n ? n : of_avl(avl_ceiling(&sp->ranges, (u32)port));
}

/* Bits of bitmap pages, one per port. */
static void bitmap_set(u8 *const pages[], struct block r, bool value)
{
	if (r.order < 3) {
		u8 *byte = &pages[r.base >> 15][r.base >> 3 & PAGE_MASK];
		u8 mask = (u8)(bits_low(1u << r.order) << (r.base & 7));
		WRITE_ONCE(*byte, (u8)(value ? *byte | mask : *byte & ~mask));
		return;
	}
	for (u64 at = r.base >> 3, end = block_end(r) >> 3; at < end; at = (at | PAGE_MASK) + 1)
		memset(&pages[at >> PAGE_BITS][at & PAGE_MASK], value ? 0xff : 0,
		       min_u64(end, (at | PAGE_MASK) + 1) - at);
}

static void bitmaps_deny(const struct pio_node *n, struct block r, bool deny)
{
	if (n->where & PIO_HOST)
		bitmap_set(n->pd->pio.host, r, deny);
	if (n->where & PIO_GUEST)
		bitmap_set(n->pd->pio.guest, r, deny);
}

/* A new range of pd's space; its place in the mapping tree is the caller's business. */
static void range_insert(struct pio_node *n, struct pd *pd, struct block r, unsigned where)
{
	n->pd = pd;
	n->where = (u8)where;
	n->order = (u8)r.order;
	n->parts = NULL;
	n->avl.key = (u32)r.base;
	avl_insert(&pd->pio.ranges, &n->avl);
}

/* n is in no mapping tree any more. */
static void range_free(struct pio_node *n)
{
	bitmaps_deny(n, range_of(n), true);
	avl_remove(&n->pd->pio.ranges, &n->avl);
	slab_free(&pio_cache, n);
}

/* Without children. */
static void range_drop(struct pio_node *n)
{
	mdb_remove(&n->node);
	range_free(n);
}

static void subtree_drop(struct pio_node *top, bool self)
{
	for (struct mdb_node *n = mdb_last(&top->node), *back; n != &top->node; n = back) {
		back = mdb_back(n);
		range_drop(of_mdb(n));
	}
	if (self)
		range_drop(top);
}

/* ---- Spares: nodes allocated before anything is changed, linked through `parts` ---- */

static struct pio_node *spare_take(struct pio_node **spares)
{
	struct pio_node *n = *spares;

	*spares = n->parts;
	return n;
}

static enum status spares_make(struct pio_node **spares, u64 count)
{
	for (*spares = NULL; count; count--) {
		struct pio_node *n = slab_alloc(&pio_cache);
		if (!n)
			break;
		n->parts = *spares;
		*spares = n;
	}
	if (!count)
		return SUCCESS;
	while (*spares)
		slab_free(&pio_cache, spare_take(spares));
	return OOM;
}

/* ---- Life ---- */

enum status space_pio_boot(struct pd *kernel)
{
	struct pio_node *all;

	slab_init(&pio_cache, "pio", sizeof(struct pio_node), _Alignof(struct pio_node));
	space_pio_init(&kernel->pio);
	all = slab_alloc(&pio_cache);
	if (!all)
		return OOM;
	mdb_insert_root(&all->node);
	range_insert(all, kernel, block_make(0, PIO_ORDER), 0);
	return SUCCESS;
}

void space_pio_init(struct space_pio *sp)
{
	*sp = (struct space_pio){0};
}

void space_pio_destroy(struct pd *pd)
{
	spin_lock(&pio_lock);
	pd->pio.closed = true;
	while (pd->pio.ranges.root)
		subtree_drop(of_avl(pd->pio.ranges.root), true);
	spin_unlock(&pio_lock);
}

static void pages_free(u8 **pages, unsigned count)
{
	while (count--) {
		if (pages[count])
			buddy_free(pages[count], 0);
		pages[count] = NULL;
	}
}

void space_pio_free(struct space_pio *sp)
{
	pages_free(sp->host, PIO_HOST_PAGES);
	pages_free(sp->guest, PIO_GUEST_PAGES);
}

/* Fills the array with pages of ones; the first comes last: who sees it (without the lock) sees all. */
static enum status pages_make_locked(u8 **pages, unsigned count)
{
	if (pages[0])
		return SUCCESS;
	for (unsigned i = count; i--;) {
		u8 *page = buddy_alloc(0);
		if (!page) {
			pages_free(pages, count);
			return OOM;
		}
		memset(page, 0xff, PAGE_SIZE);
		__atomic_store_n(&pages[i], page, __ATOMIC_RELEASE);
	}
	return SUCCESS;
}

enum status space_pio_make_guest(struct pd *pd)
{
	enum status status;

	spin_lock(&pio_lock);
	status = pages_make_locked(pd->pio.guest, PIO_GUEST_PAGES);
	spin_unlock(&pio_lock);
	return status;
}

static enum status bitmaps_make_locked(struct space_pio *sp, unsigned where)
{
	enum status status = SUCCESS;

	if (where & PIO_HOST)
		status = pages_make_locked(sp->host, PIO_HOST_PAGES);
	if (status == SUCCESS && (where & PIO_GUEST))
		status = pages_make_locked(sp->guest, PIO_GUEST_PAGES);
	return status;
}

/* The host bitmap is made; maps it if nobody has yet. The architecture may wait for other CPUs: no lock is held. */
static enum status host_attach(struct pd *pd)
{
	if (READ_ONCE(pd->pio.attached))
		return SUCCESS;
	if (arch_pio_bitmap_attach(pd) != SUCCESS)
		return OOM;
	WRITE_ONCE(pd->pio.attached, true);
	return SUCCESS;
}

/* ---- Delegation ---- */

/* A walk through what `src` has and `dst` has not, in the largest pieces that are ranges. */
struct transfer {
	const struct space_pio *src, *dst;
	u64 at, end;
	/* the piece found: its range and the one it comes from */
	struct block piece;
	struct pio_node *from;
};

static bool transfer_next(struct transfer *t)
{
	while (t->at < t->end && (t->from = first_from(t->src, t->at)) && t->from->avl.key < t->end) {
		struct pio_node *there;
		u64 limit = min_u64(t->end, block_end(range_of(t->from)));

		t->at = max_u64(t->at, t->from->avl.key);
		there = first_from(t->dst, t->at);
		if (there && there->avl.key <= t->at) {
			t->at = block_end(range_of(there));
			continue;
		}
		if (there)
			limit = min_u64(limit, there->avl.key);
		t->piece = block_make(t->at, order_fit(t->at, limit - t->at));
		t->at = block_end(t->piece);
		return true;
	}
	return false;
}

/* Makes the walk twice: once to count the nodes, once to use them. */
static enum status transfer_locked(struct transfer t, struct pd *dst, unsigned where)
{
	struct transfer trial = t;
	struct pio_node *spares;
	u64 count = 0;

	while (transfer_next(&trial))
		count++;
	if (spares_make(&spares, count) != SUCCESS)
		return OOM;
	while (transfer_next(&t)) {
		struct pio_node *n = spare_take(&spares);
		range_insert(n, dst, t.piece, where);
		mdb_insert_child(&t.from->node, &n->node);
		bitmaps_deny(n, t.piece, false);
	}
	return SUCCESS;
}

/* Whether there is anything to do; if so, the bitmaps are there. */
static enum status transfer_prepare_locked(struct transfer t, struct pd *dst, unsigned where, bool *any)
{
	*any = !dst->pio.closed && transfer_next(&t);
	return *any ? bitmaps_make_locked(&dst->pio, where) : SUCCESS;
}

enum status space_pio_delegate(struct pd *src, struct pd *dst, u32 base, unsigned order, unsigned where)
{
	struct transfer t = {.src = &src->pio, .dst = &dst->pio, .at = base, .end = base + bit(order)};
	enum status status;
	bool any;

	if (!where)
		return SUCCESS;
	spin_lock(&pio_lock);
	status = transfer_prepare_locked(t, dst, where, &any);
	spin_unlock(&pio_lock);
	if (status != SUCCESS || !any)
		return status;
	if ((where & PIO_HOST) && host_attach(dst) != SUCCESS)
		return OOM;
	spin_lock(&pio_lock);
	if (!dst->pio.closed)
		status = transfer_locked(t, dst, where);
	spin_unlock(&pio_lock);
	return status;
}

/* ---- Revocation ---- */

/*
 * Cutting a hole out of a subtree whose ranges may be larger than the hole. A range that contains the hole falls into
 * parts: the halves that remain when it is halved towards the hole, one for each order from the hole's up. Every
 * range beside the hole lies in one part of each range above it, the part of the same class: the highest bit in which
 * it differs from the hole. So one pass through the list deals the nodes out to one list per class, each of which is
 * in pre-order again.
 */
struct cut {
	struct block hole;
	struct pio_node *spares;
	struct {
		struct mdb_node *first, *last;
	} class[PIO_ORDER];
	struct pio_node *split; /* ranges that fell into parts, linked through node.next */
};

static bool contains_more(struct block r, struct block hole)
{
	return r.order > hole.order && block_has(r, hole.base);
}

static void cut_append(struct cut *c, unsigned class, struct mdb_node *n)
{
	n->prev = c->class[class].last;
	n->next = NULL;
	if (n->prev)
		n->prev->next = n;
	else
		c->class[class].first = n;
	c->class[class].last = n;
}

/* The parent of a node of this class: the part of what its parent fell into. */
static struct mdb_node *cut_parent(struct mdb_node *parent, unsigned class)
{
	struct pio_node *part = parent ? of_mdb(parent)->parts : NULL;

	while (part && part->order != class)
		part = part->parts;
	return part ? &part->node : parent;
}

static void cut_split(struct cut *c, struct pio_node *n)
{
	avl_remove(&n->pd->pio.ranges, &n->avl);
	bitmaps_deny(n, c->hole, true);
	for (unsigned class = c->hole.order; class < n->order; class ++) {
		struct pio_node *part = spare_take(&c->spares);
		range_insert(part, n->pd, block_make(c->hole.base ^ bit(class), class), n->where);
		part->node.parent = cut_parent(n->node.parent, class);
		part->parts = n->parts;
		n->parts = part;
		cut_append(c, class, &part->node);
	}
}

static void cut_deal(struct cut *c, struct pio_node *n)
{
	struct block r = range_of(n);

	if (contains_more(r, c->hole)) {
		cut_split(c, n);
		n->node.next = c->split ? &c->split->node : NULL;
		c->split = n;
	} else if (block_has(c->hole, r.base)) {
		range_free(n);
	} else {
		unsigned class = bit_highest(r.base ^ c->hole.base);
		n->node.parent = cut_parent(n->node.parent, class);
		cut_append(c, class, &n->node);
	}
}

/* The classes' lists, one behind the other, go between `before` and `after`. */
static void cut_join(struct cut *c, struct mdb_node *before, struct mdb_node *after)
{
	for (unsigned class = 0; class < PIO_ORDER; class ++) {
		if (!c->class[class].first)
			continue;
		c->class[class].first->prev = before;
		if (before)
			before->next = c->class[class].first;
		before = c->class[class].last;
	}
	if (before)
		before->next = after;
	if (after)
		after->prev = before;
}

static void cut_finish(struct cut *c)
{
	for (struct pio_node *n = c->split, *next; n; n = next) {
		next = n->node.next ? of_mdb(n->node.next) : NULL;
		while (n->parts) {
			struct pio_node *part = n->parts;
			n->parts = part->parts;
			part->parts = NULL;
		}
		slab_free(&pio_cache, n);
	}
}

static u64 cut_parts(const struct mdb_node *first, const struct mdb_node *after, struct block hole)
{
	u64 count = 0;

	for (const struct mdb_node *n = first; n != after; n = n->next) {
		const struct pio_node *p = container_of(n, const struct pio_node, node);
		count += contains_more(range_of(p), hole) ? p->order - hole.order : 0;
	}
	return count;
}

/* Takes the hole from all below `outer`, which contains more than that, and with `self` from outer. */
static enum status cut_locked(struct pio_node *outer, struct block hole, bool self)
{
	struct mdb_node *before = self ? outer->node.prev : &outer->node;
	struct mdb_node *first = self ? &outer->node : outer->node.next;
	struct mdb_node *after = mdb_last(&outer->node)->next;
	struct cut c = {.hole = hole};

	if (spares_make(&c.spares, cut_parts(first, after, hole)) != SUCCESS)
		return OOM;
	for (struct mdb_node *n = first, *next; n != after; n = next) {
		next = n->next;
		cut_deal(&c, of_mdb(n));
	}
	cut_join(&c, before, after);
	cut_finish(&c);
	return SUCCESS;
}

static enum status revoke_locked(struct space_pio *sp, struct block r, bool self)
{
	struct pio_node *n = covering(sp, r.base);

	if (n && contains_more(range_of(n), r))
		return cut_locked(n, r, self);
	for (u64 at = r.base; (n = first_from(sp, at)) && n->avl.key < block_end(r);) {
		at = block_end(range_of(n));
		subtree_drop(n, self);
	}
	return SUCCESS;
}

enum status space_pio_revoke(struct pd *pd, u32 base, unsigned order, bool self)
{
	enum status status;

	spin_lock(&pio_lock);
	status = revoke_locked(&pd->pio, block_make(base, order), self);
	spin_unlock(&pio_lock);
	return status;
}

/* ---- Questions ---- */

static crd_t crd_of(struct block r)
{
	return crd_make(CRD_PIO, r.base, r.order, PERM_PIO_A);
}

crd_t space_pio_lookup(struct pd *pd, u64 port)
{
	struct pio_node *n;
	crd_t found;

	spin_lock(&pio_lock);
	n = covering(&pd->pio, port);
	found = n ? crd_of(range_of(n)) : 0;
	spin_unlock(&pio_lock);
	return found;
}

static crd_t translate_locked(struct pio_node *n, bool self, const struct pd *dst, struct block window)
{
	for (struct mdb_node *up = n->node.parent; up; up = up->parent)
		if (of_mdb(up)->pd == dst && block_overlap(range_of(of_mdb(up)), window))
			return crd_of(block_intersection(range_of(of_mdb(up)), window));
	return self && block_overlap(range_of(n), window) ? crd_of(block_intersection(range_of(n), window)) : 0;
}

crd_t space_pio_translate(struct pd *src, u64 port, struct pd *dst, struct block window)
{
	struct pio_node *n;
	crd_t found;

	spin_lock(&pio_lock);
	n = covering(&src->pio, port);
	found = n ? translate_locked(n, src == dst, dst, window) : 0;
	spin_unlock(&pio_lock);
	return found;
}
