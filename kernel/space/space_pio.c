/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_pio.h"

#include "arch/space.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mm/page.h"
#include "platform/panic.h"
#include "space/pd.h"
#include "space/pio_lock_set.h"
#include "space/pio_cut.h"
#include "space/pio_range.h"

/* ---- Start and end ---- */

enum status space_pio_boot(struct pd *kernel)
{
	struct pio_node *all;

	pio_range_boot();
	space_pio_init(&kernel->pio);
	if (pio_range_reserve(&all, 1) != SUCCESS)
		return OOM;
	pio_range_insert(pio_range_take(&all), kernel, NULL, block_make(0, PIO_ORDER), 0);
	return SUCCESS;
}

void space_pio_init(struct space_pio *sp)
{
	*sp = (struct space_pio){0};
}

static const struct block all_ports = {0, PIO_ORDER};

/* Cannot fail for want of memory: whole ranges are taken away, so none falls into parts. */
void space_pio_destroy(struct pd *pd)
{
	spin_lock(&pd->pio.lock);
	pd->pio.closed = true;
	bool any = pd->pio.ranges.root;
	spin_unlock(&pd->pio.lock);
	for (u64 at = 0; any && at < PIO_PORTS;) {
		enum status status = pio_cut(pd, all_ports, &at, true);
		kassert(status == SUCCESS);
	}
}

void space_pio_stop_guests(struct pd *pd)
{
	if (pd->pio.guests_stopped)
		return;
	__atomic_store_n(&pd->pio.guests_stopped, true, __ATOMIC_RELAXED);
	arch_guests_stop(pd);
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

/* Fills the array with pages of ones, the first page last: whoever sees that one, without the lock, sees all. */
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

	spin_lock(&pd->pio.lock);
	status = pages_make_locked(pd->pio.guest, PIO_GUEST_PAGES);
	spin_unlock(&pd->pio.lock);
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

/* Maps the host bitmap, which is there, unless that was done. The architecture may wait for other CPUs, so no lock is
 * held: two CPUs may both do it. */
static enum status host_attach(struct pd *pd)
{
	if (__atomic_load_n(&pd->pio.attached, __ATOMIC_RELAXED))
		return SUCCESS;
	if (arch_pio_bitmap_attach(pd) != SUCCESS)
		return OOM;
	__atomic_store_n(&pd->pio.attached, true, __ATOMIC_RELAXED);
	return SUCCESS;
}

/* ---- Delegation ---- */

/* A walk through the ports that `src` has and `dst` has not, in the largest pieces that can be ranges. */
struct transfer {
	struct pd *src, *dst;
	u64 at, end;
	struct block piece; /* found */
};

static bool transfer_next(struct transfer *t)
{
	struct pio_node *from, *there;

	while (t->at < t->end && (from = pio_range_from(&t->src->pio, t->at)) && from->held.key < t->end) {
		u64 limit = min_u64(t->end, block_end(pio_range_block(from)));

		t->at = max_u64(t->at, from->held.key);
		there = pio_range_from(&t->dst->pio, t->at);
		if (there && there->held.key <= t->at) {
			t->at = block_end(pio_range_block(there));
			continue;
		}
		if (there)
			limit = min_u64(limit, there->held.key);
		t->piece = block_make(t->at, order_fit(t->at, limit - t->at));
		t->at = block_end(t->piece);
		return true;
	}
	return false;
}

/* Makes the walk twice: once to count the nodes, once to use them. */
static enum status transfer_locked(struct transfer t, unsigned where)
{
	struct transfer trial = t;
	struct pio_node *spares;
	u64 count = 0;

	while (transfer_next(&trial))
		count++;
	if (pio_range_reserve(&spares, count) != SUCCESS)
		return OOM;
	if (count && (where & PIO_GUEST))
		space_pio_stop_guests(t.dst);
	while (transfer_next(&t)) {
		struct pio_node *n = pio_range_take(&spares);
		pio_range_insert(n, t.dst, t.src, t.piece, where);
		pio_range_deny(n, t.piece, false);
	}
	return SUCCESS;
}

/* Whether there is anything to do; if so, the bitmaps are there. */
static enum status transfer_prepare_locked(struct transfer t, unsigned where, bool *any)
{
	*any = !t.dst->pio.closed && transfer_next(&t);
	return *any ? bitmaps_make_locked(&t.dst->pio, where) : SUCCESS;
}

/* In the order of addresses, so that two delegations do not give way to each other. */
static void lock_both(struct pio_lock_set *c, const struct transfer *t)
{
	struct pd *low = t->src < t->dst ? t->src : t->dst, *high = low == t->src ? t->dst : t->src;

	while (!pio_lock_set_add(c, low) || !pio_lock_set_add(c, high))
		pio_lock_set_restart(c);
}

static enum status prepare(const struct transfer *t, unsigned where, bool *any)
{
	struct pio_lock_set c = {0};
	enum status status;

	lock_both(&c, t);
	status = transfer_prepare_locked(*t, where, any);
	pio_lock_set_release(&c);
	return status;
}

enum status space_pio_delegate(struct pd *src, struct pd *dst, u32 base, unsigned order, unsigned where)
{
	struct transfer t = {.src = src, .dst = dst, .at = base, .end = base + bit(order)};
	struct pio_lock_set c = {0};
	enum status status;
	bool any;

	if (!where || src == dst)
		return SUCCESS;
	status = prepare(&t, where, &any);
	if (status != SUCCESS || !any)
		return status;
	if ((where & PIO_HOST) && host_attach(dst) != SUCCESS)
		return OOM;
	lock_both(&c, &t);
	if (!dst->pio.closed)
		status = transfer_locked(t, where);
	pio_lock_set_release(&c);
	return status;
}

/* ---- Revocation ---- */

/* Range by range. OOM comes only from a range of which a part is revoked: then that part is all there is to revoke,
 * because blocks are nested or disjoint, and nothing has changed. */
enum status space_pio_revoke(struct pd *pd, u32 base, unsigned order, bool self)
{
	struct block r = block_make(base, order);
	enum status status = SUCCESS;

	for (u64 at = r.base; status == SUCCESS && at < block_end(r);)
		status = pio_cut(pd, r, &at, self);
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

	spin_lock(&pd->pio.lock);
	n = pio_range_at(&pd->pio, port);
	found = n ? crd_of(pio_range_block(n)) : 0;
	spin_unlock(&pd->pio.lock);
	return found;
}

/* The part of a range that is in the window, or 0. */
static crd_t clipped(const struct pio_node *n, struct block window)
{
	struct block r = pio_range_block(n);

	return block_overlap(r, window) ? crd_of(block_intersection(r, window)) : 0;
}

/* Climbs from src's range through its sources to the first that is dst's. If src is dst that is src's own: a PD holds
 * a port once, so none above is dst's. False: a lock was not to be had. */
static bool translate(struct pio_lock_set *c, struct pd *src, u64 port, const struct pd *dst, struct block window,
		      crd_t *found)
{
	struct pio_node *n;

	*found = 0;
	for (struct pd *pd = src; pd && !*found; pd = n->source) {
		if (!pio_lock_set_add(c, pd))
			return false;
		n = pio_range_at(&pd->pio, port);
		if (!n)
			break;
		if (pd == dst)
			*found = clipped(n, window);
	}
	return true;
}

crd_t space_pio_translate(struct pd *src, u64 port, struct pd *dst, struct block window)
{
	struct pio_lock_set c = {0};
	crd_t found;

	while (!translate(&c, src, port, dst, window, &found))
		pio_lock_set_restart(&c);
	pio_lock_set_release(&c);
	return found;
}
