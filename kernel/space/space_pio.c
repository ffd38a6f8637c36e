/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_pio.h"

#include "core/pd.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mm/page.h"
#include "space/pio_cut.h"
#include "space/pio_range.h"

static struct spinlock pio_lock;

/* ---- Life ---- */

enum status space_pio_boot(struct pd *kernel)
{
	struct pio_node *all;

	pio_range_boot();
	space_pio_init(&kernel->pio);
	if (pio_range_reserve(&all, 1) != SUCCESS)
		return OOM;
	mdb_insert_root(&all->node);
	pio_range_insert(all, kernel, block_make(0, PIO_ORDER), 0);
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
		pio_range_drop_below(pio_range_of_avl(pd->pio.ranges.root), true);
	spin_unlock(&pio_lock);
}

static void pages_free(u8 **pages, unsigned count)
{
	while (count--) {
		if (pages[count])
			page_free(pages[count]);
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
		u8 *page = page_alloc();
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
	while (t->at < t->end && (t->from = pio_range_from(t->src, t->at)) && t->from->avl.key < t->end) {
		struct pio_node *there;
		u64 limit = min_u64(t->end, block_end(pio_range_block(t->from)));

		t->at = max_u64(t->at, t->from->avl.key);
		there = pio_range_from(t->dst, t->at);
		if (there && there->avl.key <= t->at) {
			t->at = block_end(pio_range_block(there));
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
	if (pio_range_reserve(&spares, count) != SUCCESS)
		return OOM;
	while (transfer_next(&t)) {
		struct pio_node *n = pio_range_take(&spares);
		pio_range_insert(n, dst, t.piece, where);
		mdb_insert_child(&t.from->node, &n->node);
		pio_range_deny(n, t.piece, false);
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

static enum status revoke_locked(struct space_pio *sp, struct block r, bool self)
{
	struct pio_node *n = pio_range_at(sp, r.base);

	if (n && block_exceeds(pio_range_block(n), r))
		return pio_cut(n, r, self);
	for (u64 at = r.base; (n = pio_range_from(sp, at)) && n->avl.key < block_end(r);) {
		at = block_end(pio_range_block(n));
		pio_range_drop_below(n, self);
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
	n = pio_range_at(&pd->pio, port);
	found = n ? crd_of(pio_range_block(n)) : 0;
	spin_unlock(&pio_lock);
	return found;
}

static crd_t translate_locked(struct pio_node *n, bool self, const struct pd *dst, struct block window)
{
	for (struct mdb_node *up = n->node.parent; up; up = up->parent)
		if (pio_range_of_mdb(up)->pd == dst && block_overlap(pio_range_block(pio_range_of_mdb(up)), window))
			return crd_of(block_intersection(pio_range_block(pio_range_of_mdb(up)), window));
	return self && block_overlap(pio_range_block(n), window)
		       ? crd_of(block_intersection(pio_range_block(n), window))
		       : 0;
}

crd_t space_pio_translate(struct pd *src, u64 port, struct pd *dst, struct block window)
{
	struct pio_node *n;
	crd_t found;

	spin_lock(&pio_lock);
	n = pio_range_at(&src->pio, port);
	found = n ? translate_locked(n, src == dst, dst, window) : 0;
	spin_unlock(&pio_lock);
	return found;
}
