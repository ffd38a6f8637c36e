/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_pio.h"

#include "arch/space.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/pio_lock.h"
#include "space/pio_range.h"
#include "space/pio_revoke.h"

/* ---- Start and end ---- */

enum status space_pio_boot(struct pd *kernel)
{
	struct pio_range *all, **place;

	pio_range_boot();
	space_pio_init(&kernel->pio);
	all = pio_range_alloc(kernel);
	place = pio_index_make(&kernel->pio.held, 0);
	if (!all || !place)
		return OOM;
	*all = (struct pio_range){.pd = kernel, .order = PIO_ORDER};
	*place = all;
	return SUCCESS;
}

void space_pio_init(struct space_pio *sp)
{
	*sp = (struct space_pio){0};
}

bool space_pio_close(struct pd *pd)
{
	bool closed;

	pio_lock_take();
	pd->pio.closed = true;
	closed = !(pd->pio.held.count | pio_revoke_jobs) || pio_revoke_all_locked(pd);
	pio_lock_release();
	return closed;
}

static void pages_free(u8 **pages, unsigned count)
{
	while (count--) {
		if (pages[count])
			page_return(pages[count]);
		pages[count] = NULL;
	}
}

bool space_pio_guest_block;

void space_pio_free(struct space_pio *sp)
{
	if (sp->held.root)
		pio_index_free(&sp->held);
	if (sp->given.root)
		pio_index_free(&sp->given);
	pages_free(sp->host, PIO_HOST_PAGES);
	if (space_pio_guest_block && sp->guest[0])
		page_return_block(sp->guest[0], PIO_GUEST_BLOCK_ORDER);
	else
		pages_free(sp->guest, PIO_GUEST_PAGES);
}

/* Fills the array with pages of ones, the first page last: whoever sees that one, without the lock, sees all. */
static enum status pages_make_locked(struct account *account, u8 **pages, unsigned count)
{
	if (pages[0])
		return SUCCESS;
	for (unsigned i = count; i--;) {
		u8 *page = page_take(account);
		if (!page) {
			pages_free(pages, count);
			return OOM;
		}
		memset(page, 0xff, PAGE_SIZE);
		__atomic_store_n(&pages[i], page, __ATOMIC_RELEASE);
	}
	return SUCCESS;
}

/* As above; in one piece if it has to be. */
static enum status guest_make_locked(struct pd *pd)
{
	struct space_pio *sp = &pd->pio;

	if (!space_pio_guest_block || sp->guest[0])
		return pages_make_locked(&pd->account, sp->guest, PIO_GUEST_PAGES);
	u8 *block = page_take_block(&pd->account, PIO_GUEST_BLOCK_ORDER);
	if (!block)
		return OOM;
	memset(block, 0xff, PAGE_SIZE << PIO_GUEST_BLOCK_ORDER);
	sp->guest[1] = block + PAGE_SIZE;
	__atomic_store_n(&sp->guest[0], block, __ATOMIC_RELEASE);
	return SUCCESS;
}

enum status space_pio_make_guest(struct pd *pd)
{
	enum status status;

	pio_lock_take();
	status = guest_make_locked(pd);
	pio_lock_release();
	return status;
}

static enum status bitmaps_make_locked(struct pd *pd, unsigned where)
{
	enum status status = SUCCESS;

	if (where & PIO_HOST)
		status = pages_make_locked(&pd->account, pd->pio.host, PIO_HOST_PAGES);
	if (status == SUCCESS && (where & PIO_GUEST))
		status = guest_make_locked(pd);
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

/* So many ranges are delegated while the lock is held. One is about 150 instructions, or 350 if each needs memory of
 * its own. tests/interleave has a smaller number. */
#ifndef PIECE
#define PIECE 24u
#endif

/* A walk through the ports that `src` has and `dst` has not, in the largest pieces that can be ranges. */
struct transfer {
	struct pd *src, *dst;
	u64 at, end;
	struct pio_range *from;  /* of the source's: what the piece is a part of */
	u64 limit;               /* where that or the walk ends */
	struct pio_range *there; /* of the destination's: the first that does not end before the piece, or NULL */
};

static always_inline u64 end_of(const struct pio_range *n)
{
	return block_end(pio_range_block(n));
}

/* Whether a PD has a port, as its bitmaps say. */
static always_inline bool has_port(const struct space_pio *sp, u64 port)
{
	u64 page = port >> 15, byte = port >> 3 & PAGE_MASK, mask = bit(port & 7);

	return (sp->host[0] && !(sp->host[page][byte] & mask)) || (sp->guest[0] && !(sp->guest[page][byte] & mask));
}

/* `from` is a range of the source's that does not end before the next port, or NULL. */
static always_inline bool transfer_from(struct transfer *t, struct pio_range *from)
{
	if (unlikely(!from) || unlikely(from->base >= t->end))
		return false;
	t->from = from;
	t->at = max_u64(t->at, from->base);
	t->limit = min_u64(t->end, end_of(from));
	return true;
}

/* Where to begin. False: the source has nothing of that. */
static always_inline bool transfer_begin_locked(struct transfer *t)
{
	if (!transfer_from(t, pio_range_from(&t->src->pio, t->at)))
		return false;
	if (t->end - t->at == 1 && !has_port(&t->dst->pio, t->at))
		t->there = NULL;
	else
		t->there = pio_range_from(&t->dst->pio, t->at);
	return true;
}

/* The same after ports that are through. */
static always_inline bool transfer_go_on_locked(struct transfer *t)
{
	if (t->at >= t->limit && (t->at >= t->end || !transfer_from(t, pio_range_begin(&t->src->pio, t->at))))
		return false;
	if (unlikely(t->there != NULL) && t->at >= end_of(t->there))
		t->there = pio_range_from(&t->dst->pio, t->at);
	return true;
}

/* Whether the destination has the next port. */
static always_inline bool transfer_is_there(const struct transfer *t)
{
	return unlikely(t->there != NULL) && t->there->base <= t->at;
}

static always_inline unsigned transfer_order(const struct transfer *t)
{
	u64 limit = t->limit;

	if (limit - t->at == 1)
		return 0;
	if (t->there)
		limit = min_u64(limit, t->there->base);
	return order_fit(t->at, limit - t->at);
}

static noinline void allow_guests_locked(struct pd *pd, u32 base, unsigned order)
{
	pio_lock_stop_guests_locked(pd);
	pio_range_bits(pd->pio.guest, base, order, false);
}

/* Delegates a part of `from`, which is src's. */
static always_inline enum status grant_locked(struct pd *src, const struct pio_range *from, struct pd *dst, u32 base,
					      unsigned order, unsigned where)
{
	struct pio_range *n;

	if (unlikely(from->depth == PIO_DEPTH_MAX))
		return BAD_PAR;
	n = pio_range_alloc(dst);
	if (unlikely(!n))
		return OOM;
	n->source = src;
	n->base = (u16)base;
	n->depth = from->depth + 1;
	n->order = (u8)order;
	n->where = (u8)where;
	if (unlikely(pio_range_insert(n, dst, src, base, order) != SUCCESS)) {
		pio_range_release(n);
		return OOM;
	}
	if (likely(where & PIO_HOST))
		pio_range_bits(dst->pio.host, base, order, false);
	if (unlikely(where & PIO_GUEST))
		allow_guests_locked(dst, base, order);
	return SUCCESS;
}

/* Ports that are being taken away are not delegated before they are. */
static always_inline enum status transfer_locked(struct transfer *t, unsigned where)
{
	bool more = likely(!t->dst->pio.closed) && transfer_begin_locked(t);
	unsigned left = PIECE;

	for (; more && left; left--, more = transfer_go_on_locked(t)) {
		if (transfer_is_there(t)) {
			t->at = end_of(t->there);
			continue;
		}
		unsigned order = transfer_order(t);
		struct pio_job *j = pio_revoke_job_locked((struct block){t->at, order});
		if (unlikely(j != NULL)) {
			pio_revoke_continue_locked(j);
			return SUCCESS;
		}
		enum status status = grant_locked(t->src, t->from, t->dst, (u32)t->at, order, where);
		if (unlikely(status != SUCCESS))
			return status;
		t->at += bit(order);
	}
	if (!more)
		t->at = t->end;
	return SUCCESS;
}

/* Whether there may be anything to delegate: a walk of no more than a piece finds something, or does not end. */
static bool transfer_may_do_locked(struct transfer t)
{
	bool more = !t.dst->pio.closed && transfer_begin_locked(&t);

	for (unsigned left = PIECE; more && left && transfer_is_there(&t); left--) {
		t.at = end_of(t.there);
		more = transfer_go_on_locked(&t);
	}
	return more;
}

/* If there is anything to delegate: makes the bitmaps, and maps that of the host. */
static noinline enum status prepare(struct transfer t, unsigned where)
{
	enum status status = SUCCESS;
	bool any;

	pio_lock_take();
	any = transfer_may_do_locked(t);
	if (any)
		status = bitmaps_make_locked(t.dst, where);
	pio_lock_release();
	return any && status == SUCCESS && where & PIO_HOST ? host_attach(t.dst) : status;
}

/* Bitmaps, once there, stay. */
static always_inline bool is_prepared(const struct space_pio *sp, unsigned where)
{
	return (!(where & PIO_HOST) || __atomic_load_n(&sp->attached, __ATOMIC_RELAXED)) &&
	       (!(where & PIO_GUEST) || __atomic_load_n(&sp->guest[0], __ATOMIC_RELAXED));
}

/* A piece of the walk; it is over when it has come to its end. */
static always_inline enum status transfer(struct transfer *t, unsigned where)
{
	enum status status = SUCCESS;

	if (unlikely(!is_prepared(&t->dst->pio, where))) {
		status = prepare(*t, where);
		if (status != SUCCESS)
			return status;
		if (!is_prepared(&t->dst->pio, where)) {
			t->at = t->end;
			return SUCCESS;
		}
	}
	pio_lock_take();
	status = transfer_locked(t, where);
	pio_lock_release();
	return status;
}

static noinline enum status delegate_range(struct pd *src, struct pd *dst, u32 base, unsigned order, unsigned where)
{
	struct transfer t = {.src = src, .dst = dst, .at = base, .end = base + bit(order)};
	enum status status;

	if (unlikely(!where) || unlikely(src == dst))
		return SUCCESS;
	status = transfer(&t, where);
	if (likely(status == SUCCESS) && unlikely(t.at < t.end))
		space_obj_delegate_begin(
			(struct space_obj_delegation){src, dst, t.at, t.end, 0, where, DELEGATE_PORTS});
	return status;
}

/* The usual case is one port for the host, of a range that was asked for before, and it was not the first. */
enum status space_pio_delegate(struct pd *src, struct pd *dst, u32 base, unsigned order, unsigned where)
{
	const struct pio_range *from;
	enum status status;

	if (order || where != PIO_HOST || unlikely(!is_prepared(&dst->pio, PIO_HOST)) || unlikely(src == dst))
		return delegate_range(src, dst, base, order, where);
	pio_lock_take();
	from = src->pio.found;
	if (unlikely(!from) || unlikely(!block_has(pio_range_block(from), base)) || unlikely(pio_revoke_jobs) ||
	    unlikely(dst->pio.closed) || unlikely(has_port(&dst->pio, base))) {
		pio_lock_release();
		return delegate_range(src, dst, base, order, where);
	}
	status = grant_locked(src, from, dst, base, 0, PIO_HOST);
	spin_unlock(&pio_lock);
	return status;
}

enum status space_pio_delegate_step(struct space_obj_delegation *d)
{
	struct transfer t = {.src = d->src, .dst = d->dst, .at = d->next, .end = d->end};
	enum status status = transfer(&t, (unsigned)d->perm);

	d->next = t.at;
	return status;
}

/* ---- Revocation ---- */

static noinline void revoke_range(struct pd *pd, struct block range, bool self)
{
	u64 next = range.base;
	bool over;

	pio_lock_take();
	over = pio_revoke_piece_locked(pd, range, &next, self);
	pio_lock_release();
	if (unlikely(!over))
		space_obj_revoke_begin_ports(pd, range, next, self);
}

/* The usual case is a range that was asked for before, which nobody has got anything of. */
void space_pio_revoke(struct pd *pd, u32 base, unsigned order, bool self)
{
	struct pio_range *n;

	pio_lock_take();
	n = pd->pio.found;
	if (unlikely(!n) || n->base != base || n->order != order || !self || unlikely(pio_revoke_jobs) ||
	    pd->pio.given_orders || unlikely(n->where & PIO_GUEST)) {
		pio_lock_release();
		revoke_range(pd, (struct block){base, order}, self);
		return;
	}
	pio_revoke_simple_locked(&pd->pio, n);
	spin_unlock(&pio_lock);
}

bool space_pio_revoke_step(struct space_obj_revocation *r)
{
	bool over;

	pio_lock_take();
	over = pio_revoke_piece_locked(r->pd, r->range, &r->next, r->self);
	pio_lock_release();
	return !over;
}

/* ---- Questions ---- */

static crd_t crd_of(struct block r)
{
	return crd_make(CRD_PIO, r.base, r.order, PERM_PIO_A);
}

crd_t space_pio_lookup(struct pd *pd, u64 port)
{
	struct pio_range *n;
	crd_t found;

	pio_lock_take();
	n = pio_range_at(&pd->pio, port);
	found = n ? crd_of(pio_range_block(n)) : 0;
	pio_lock_release();
	return found;
}

/* The part of a range that is in the window, or 0. */
static crd_t clipped(const struct pio_range *n, struct block window)
{
	struct block r = pio_range_block(n);

	return block_overlap(r, window) ? crd_of(block_intersection(r, window)) : 0;
}

/* Climbs from src's range through its sources to the first that is dst's. If src is dst that is src's own: a PD holds
 * a port once, so none above is dst's. */
crd_t space_pio_translate(struct pd *src, u64 port, struct pd *dst, struct block window)
{
	struct pio_range *n;
	crd_t found = 0;

	pio_lock_take();
	for (struct pd *pd = src; pd && (n = pio_range_at(&pd->pio, port)); pd = n->source) {
		if (pd == dst) {
			found = clipped(n, window);
			break;
		}
	}
	pio_lock_release();
	return found;
}
