/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_mem.h"

#include "arch/memory.h"
#include "arch/space.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "platform/panic.h"
#include "space/pd.h"

#define USER_PAGES (HEDRON_USER_END >> PAGE_BITS)

/* Accessed and dirty are set in advance: the CPU never has to write to an entry. */
#define LEAF_USER (PTE_P | PTE_U | PTE_A | PTE_D)
#define LEAF_HEAP (LEAF_USER | PTE_NX | (u64)MEM_WB << PTE_TYPE_SHIFT)

/* ---- the end of a change ---- */

/* The work that a change of one PD's tables leaves for when the lock is released: flushes, and tables of both kinds
 * to be freed. */
struct change {
	struct ptab_gather g; /* `stale` is the host table's ... */
	u64 guest_stale;      /* ... after the nested one's was put here */
};

static always_inline void guest_done(struct change *c)
{
	c->guest_stale = c->g.stale;
	c->g.stale = 0;
}

/* A piece. What is left belongs to the next revocation of the PD's memory, or to its end. */
static noinline void free_many_tables(struct pd *pd, struct ptab_gather *g)
{
	ptab_gather_free(g, PTAB_GATHER_PIECE);
	if (!g->tables)
		return;
	spin_lock(&pd->mem.lock);
	ptab_gather_move(g, &pd->mem.dead);
	spin_unlock(&pd->mem.lock);
}

static noinline void free_tables(struct pd *pd, struct ptab_gather *g)
{
	if (likely(ptab_gather_is_one_leaf(g)))
		page_return(g->tables);
	else
		free_many_tables(pd, g);
}

/* With the PD's lock held, which is released. `others`: flushes of earlier changes are under way, which may be about
 * this range (space_mem.flushing), so flush even what this change has not made stale. */
static noinline void flush(struct pd *pd, u64 page, unsigned order, struct change *c, bool others)
{
	struct space_mem *m = &pd->mem;

	__atomic_fetch_add(&m->flushing, 1, __ATOMIC_RELAXED);
	spin_unlock(&m->lock);
	if (c->g.stale || others)
		arch_tlb_flush(pd, page << PAGE_BITS, order);
	if (c->guest_stale || (others && m->guest.root))
		arch_tlb_flush_guest(pd);
	__atomic_fetch_sub(&m->flushing, 1, __ATOMIC_RELEASE);
	if (c->g.tables)
		free_tables(pd, &c->g);
}

/* With the PD's lock held, which is released: flushes what the change made stale, then frees its tables. */
static always_inline void finish(struct pd *pd, u64 page, unsigned order, struct change *c)
{
	u32 others = __atomic_load_n(&pd->mem.flushing, __ATOMIC_ACQUIRE);

	if (c->g.stale | c->guest_stale | others)
		flush(pd, page, order, c, others);
	else
		spin_unlock(&pd->mem.lock);
}

/* flush() for a single leaf of the host table, `stale` being the old one or 0. */
static noinline void flush_leaf(struct pd *pd, u64 page, unsigned order, u64 stale, bool others)
{
	struct change c = {.g.stale = stale};
	flush(pd, page, order, &c, others);
}

/* With the PD's lock held, which is released: replaces the leaf at e by `entry`. */
static always_inline void finish_leaf(struct pd *pd, u64 page, unsigned order, u64 *e, u64 entry)
{
	u32 others = __atomic_load_n(&pd->mem.flushing, __ATOMIC_ACQUIRE);
	u64 stale = *e == entry ? 0 : *e;

	__atomic_store_n(e, entry, __ATOMIC_RELEASE);
	if (stale | others)
		flush_leaf(pd, page, order, stale, others);
	else
		spin_unlock(&pd->mem.lock);
}

/* ---- delegation ---- */

#define PERM_MEM_ALL (PERM_MEM_R | PERM_MEM_W | PERM_MEM_X)

_Static_assert(PERM_MEM_W == PTE_W && (u64)PERM_MEM_X << 61 == PTE_NX, "rights and the bits that deny them");

static always_inline u64 denied(unsigned perm)
{
	u64 missing = perm ^ PERM_MEM_ALL;
	return missing | missing << 61; /* other bits mean nothing */
}

/* Whether both ranges are naturally aligned and lie in user space. Given one range twice, whether it does. */
static always_inline bool in_user_space(u64 a, u64 b, unsigned order)
{
	u64 within = bit(order) - 1;
	return !((a | b) & within) && (max_u64(a, b) | within) < USER_PAGES;
}

/* Maps a block of physical memory that lies in several runs, or is withheld, run by run. */
static noinline enum status map_runs(struct ptab *pt, u64 page, u64 src_page, unsigned order, u64 deny,
				     struct ptab_gather *g)
{
	u64 end = src_page + bit(order);
	enum status st = SUCCESS;

	while (src_page < end && st == SUCCESS) {
		const struct space_mem_run *run = space_mem_phys_run(src_page);
		unsigned part = order_fit(src_page | bit(order), min_u64(run->end, end) - src_page);
		if (run->leaf)
			st = ptab_map(pt, page, part, ptab_weaken(run->leaf, deny) | src_page << PAGE_BITS, g);
		else
			st = ptab_unmap(pt, page, part, g);
		src_page += bit(part);
		page += bit(part);
	}
	return st;
}

/* `src` is NULL for physical memory. */
static always_inline enum status fill(struct ptab *pt, u64 page, const struct pd *src, u64 src_page, unsigned order,
				      u64 deny, struct ptab_gather *g)
{
	if (src)
		return ptab_copy(pt, page, &src->mem.host, src_page, order, deny, g);

	const struct space_mem_run *run = space_mem_phys_run(src_page);
	if (unlikely(!run->leaf || src_page + bit(order) > run->end))
		return map_runs(pt, page, src_page, order, deny, g);
	return ptab_map(pt, page, order, ptab_weaken(run->leaf, deny) | src_page << PAGE_BITS, g);
}

/* Cannot fail: where there is no memory to split a superpage all of it goes, and what has gone without need faults.
 * Nested tables are flushed as a whole. */
static always_inline void empty(struct pd *pd, u64 page, unsigned order, bool host, bool guest)
{
	struct change c = {0};

	spin_lock(&pd->mem.lock);
	if (guest && pd->mem.guest.root) {
		if (ptab_unmap(&pd->mem.guest, page, order, &c.g) != SUCCESS)
			ptab_unmap_superpage(&pd->mem.guest, page, &c.g);
		guest_done(&c);
	}
	if (host && unlikely(ptab_unmap(&pd->mem.host, page, order, &c.g) != SUCCESS)) {
		order = ptab_unmap_superpage(&pd->mem.host, page, &c.g);
		page &= ~bits_low(order);
	}
	finish(pd, page, order, &c);
}

static noinline enum status withdraw(struct pd *pd, u64 page, unsigned order, unsigned how)
{
	empty(pd, page, order, !(how & ITEM_NO_HOST), how & ITEM_GUEST);
	return SUCCESS;
}

static noinline void lock_both(struct space_mem *a, struct space_mem *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	spin_lock(a < b ? &b->lock : &a->lock);
}

static always_inline void lock(struct pd *src, struct pd *dst)
{
	if (src == dst)
		spin_lock(&dst->mem.lock);
	else
		lock_both(&src->mem, &dst->mem);
}

static always_inline void unlock_source(struct pd *src, const struct pd *dst)
{
	if (src != dst)
		spin_unlock(&src->mem.lock);
}

/* `src` is NULL for physical memory. */
static always_inline enum status change(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
					unsigned how)
{
	u64 deny = denied(how);
	struct change c = {0};
	enum status st = SUCCESS;

	lock(src ? src : dst, dst);
	/* The host table last: it may be the source. */
	if (how & ITEM_GUEST) {
		st = fill(&dst->mem.guest, dst_page, src, src_page, order, deny, &c.g);
		guest_done(&c);
	}
	if (!(how & ITEM_NO_HOST) && st == SUCCESS)
		st = fill(&dst->mem.host, dst_page, src, src_page, order, deny, &c.g);
	unlock_source(src ? src : dst, dst);
	finish(dst, dst_page, order, &c);
	return st;
}

static noinline enum status change_phys(struct pd *dst, u64 src_page, u64 dst_page, unsigned order, unsigned how)
{
	return change(NULL, dst, src_page, dst_page, order, how);
}

static noinline enum status change_copy(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
					unsigned how)
{
	if (!src)
		unreachable(); /* saves tests */
	return change(src, dst, src_page, dst_page, order, how);
}

/* ---- delegation of large blocks, in pieces ---- */

/* What a piece may cost; a unit is up to ten instructions. No part costs more. */
#define PIECE 512

/* A part, as large as possible, of the pages of src's from `at` to `end` that takes few entries to be mapped; what it
 * costs. */
static unsigned part_of_phys(const struct space_mem *to, u64 at, u64 end, int *cost)
{
	unsigned level = (unsigned)min_u64(to->host.leaf_max, to->guest.leaf_max);
	u64 run_end = min_u64(end, space_mem_phys_run(at)->end);
	unsigned order = (unsigned)min_u64(order_fit(at, run_end - at), (level + 1) * PTAB_LEVEL_BITS - 1);

	if (order % PTAB_LEVEL_BITS == PTAB_LEVEL_BITS - 1)
		order--;
	*cost = 8 + 3 * (int)bit(order % PTAB_LEVEL_BITS); /* each entry may replace a table */
	return order;
}

static unsigned part_locked(const struct pd *src, u64 at, u64 end, unsigned how, int *cost)
{
	unsigned fit = order_fit(at, end - at), found;

	(void)ptab_lookup(&src->mem.host, at, &found);
	if (found) { /* a superpage, or a hole */
		*cost = 32;
		return (unsigned)min_u64(fit, found);
	}
	*cost = PIECE;
	return (unsigned)min_u64(fit, PTAB_LEVEL_BITS - (how & ITEM_GUEST ? 1 : 0));
}

/* After the flush: tables that were replaced belong to the PD until they are freed. */
static void keep_tables(struct pd *pd, struct ptab_gather *g)
{
	spin_lock(&pd->mem.lock);
	ptab_gather_move(g, &pd->mem.dead);
	spin_unlock(&pd->mem.lock);
}

/*
 * The next piece; *at moves on. `src` is NULL for physical memory. Tables that were replaced are freed in pieces of
 * their own; if there are some after the last part, that is to be done once more, which changes nothing.
 */
static enum status change_piece(struct pd *src, struct pd *dst, u64 *at, u64 end, u64 offset, unsigned how)
{
	struct ptab_gather replaced = {0};
	struct change c = {0};
	u64 deny = denied(how), host_stale = 0, guest_stale = 0;
	enum status st = SUCCESS;
	unsigned order = 0;

	if (READ_ONCE(dst->mem.dead.tables) && space_mem_free_step(dst))
		return SUCCESS;
	lock(src ? src : dst, dst);
	for (int left = PIECE, cost; *at < end && st == SUCCESS; left -= cost) {
		order = src ? part_locked(src, *at, end, how, &cost) : part_of_phys(&dst->mem, *at, end, &cost);
		if (cost > left)
			break; /* not for the first, so it gets on */
		if (how & ITEM_GUEST)
			st = fill(&dst->mem.guest, *at + offset, src, *at, order, deny, &c.g);
		guest_stale |= c.g.stale;
		c.g.stale = 0;
		if (!(how & ITEM_NO_HOST) && st == SUCCESS)
			st = fill(&dst->mem.host, *at + offset, src, *at, order, deny, &c.g);
		host_stale |= c.g.stale;
		c.g.stale = 0;
		if (st == SUCCESS)
			*at += bit(order);
	}
	replaced.tables = c.g.tables;
	c = (struct change){.g.stale = host_stale, .guest_stale = guest_stale};
	unlock_source(src ? src : dst, dst);
	finish(dst, 0, PTAB_ORDER_MAX, &c);
	if (replaced.tables) {
		keep_tables(dst, &replaced);
		if (*at == end && st == SUCCESS)
			*at -= bit(order);
	}
	return st;
}

static noinline enum status change_large(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
					 unsigned how)
{
	u64 at = src_page, end = src_page + bit(order), offset = dst_page - src_page;
	enum status st = change_piece(src, dst, &at, end, offset, how);

	if (st == SUCCESS && at < end)
		space_obj_delegate_begin((struct space_obj_delegation){src ? src : &pd_kernel, dst, at, end, offset,
								       how, DELEGATE_MEMORY});
	return st;
}

enum status space_mem_delegate_step(struct space_obj_delegation *d)
{
	struct pd *src = d->src == &pd_kernel ? NULL : d->src;

	return change_piece(src, d->dst, &d->next, d->end, d->offset, (unsigned)d->perm);
}

/*
 * A leaf of `level` (0 or 1, a constant) for the host table. With dst's lock held, which is released in any case.
 * False: there is no table for it, or one in its place.
 */
static always_inline bool set_leaf(struct pd *dst, u64 page, unsigned level, u64 leaf, unsigned how)
{
	u64 *e = ptab_leaf(&dst->mem.host, page, level);
	if (unlikely(!e) || (level && unlikely(ptab_is_table(*e)))) {
		spin_unlock(&dst->mem.lock);
		return false;
	}
	finish_leaf(dst, page, level * PTAB_LEVEL_BITS, e, ptab_pass(leaf, denied(how)));
	return true;
}

/* The same, of physical memory. */
static always_inline bool set_phys_leaf(struct pd *dst, u64 src_page, u64 dst_page, unsigned level, unsigned how)
{
	const struct space_mem_run *run = space_mem_phys_run(src_page);
	if (level && unlikely(!run->leaf || src_page + bit(level * PTAB_LEVEL_BITS) > run->end))
		return false;
	u64 leaf = run->leaf ? run->leaf | src_page << PAGE_BITS | (level ? PTE_PS : 0) : 0;
	spin_lock(&dst->mem.lock);
	return set_leaf(dst, dst_page, level, leaf, how);
}

static noinline enum status delegate_phys_range(struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
						unsigned how)
{
	if (src_page + bit(order) > space_mem_phys_end)
		return BAD_PAR;
	if (order == PTAB_LEVEL_BITS && !(how & (ITEM_NO_HOST | ITEM_GUEST)) &&
	    likely(set_phys_leaf(dst, src_page, dst_page, 1, how)))
		return SUCCESS;
	return order > PTAB_LEVEL_BITS ? change_large(NULL, dst, src_page, dst_page, order, how)
				       : change_phys(dst, src_page, dst_page, order, how);
}

static noinline enum status delegate_range(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
					   unsigned how)
{
	if (unlikely(!in_user_space(src_page, dst_page, order) ||
		     (how & (ITEM_NO_HOST | ITEM_GUEST)) == ITEM_NO_HOST))
		return SUCCESS;
	if (unlikely(!(how & PERM_MEM_ALL)))
		return withdraw(dst, dst_page, order, how);
	if (how & ITEM_HYPERVISOR || src == &pd_kernel)
		return delegate_phys_range(dst, src_page, dst_page, order, how);
	return unlikely(order > PTAB_LEVEL_BITS) ? change_large(src, dst, src_page, dst_page, order, how)
						 : change_copy(src, dst, src_page, dst_page, order, how);
}

static noinline enum status delegate_phys_page(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page,
					       unsigned order, unsigned how)
{
	if (likely(src_page < space_mem_phys_end) && likely(set_phys_leaf(dst, src_page, dst_page, 0, how)))
		return SUCCESS;
	return delegate_range(src, dst, src_page, dst_page, order, how);
}

static always_inline enum status delegate_page(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page,
					       unsigned order, unsigned how)
{
	lock(src, dst);
	u64 leaf = ptab_page(&src->mem.host, src_page);
	unlock_source(src, dst);
	if (likely(set_leaf(dst, dst_page, 0, leaf, how)))
		return SUCCESS;
	return delegate_range(src, dst, src_page, dst_page, order, how);
}

/* The usual case is one page with some rights for the host table. It has a path of its own, which works if the table
 * for the page is there. */
enum status space_mem_delegate(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
			       unsigned how)
{
	if (unlikely(order | (how & ~PERM_MEM_ALL)) || unlikely(!how) ||
	    unlikely(max_u64(src_page, dst_page) >= USER_PAGES))
		return delegate_range(src, dst, src_page, dst_page, order, how);
	if (src == &pd_kernel)
		return delegate_phys_page(src, dst, src_page, dst_page, order, how);
	return delegate_page(src, dst, src_page, dst_page, order, how);
}

static always_inline bool revoke_page(struct pd *pd, u64 page)
{
	spin_lock(&pd->mem.lock);
	u64 *e = ptab_leaf(&pd->mem.host, page, 0);
	if (likely(e && !pd->mem.guest.root)) {
		finish_leaf(pd, page, 0, e, 0);
		return true;
	}
	spin_unlock(&pd->mem.lock);
	return false;
}

static noinline void revoke_range(struct pd *pd, u64 page, unsigned order)
{
	empty(pd, page, order, true, true);
	if (unlikely(READ_ONCE(pd->mem.dead.tables) != NULL))
		space_obj_revoke_begin_tables(pd);
}

void space_mem_revoke(struct pd *pd, u64 page, unsigned order)
{
	if (in_user_space(page, page, order) && (order || !revoke_page(pd, page)))
		revoke_range(pd, page, order);
}

/* ---- single pages of the kernel ---- */

static bool is_user_page(u64 va)
{
	return is_aligned(va, PAGE_SIZE) && va < HEDRON_USER_END;
}

static enum status map_leaf(struct pd *pd, u64 va, u64 leaf)
{
	struct change c = {0};

	if (!is_user_page(va))
		return BAD_PAR;
	spin_lock(&pd->mem.lock);
	enum status st = ptab_map(&pd->mem.host, va >> PAGE_BITS, 0, leaf, &c.g);
	finish(pd, va >> PAGE_BITS, 0, &c);
	return st;
}

enum status space_mem_map_kernel_page(struct pd *pd, u64 va, const void *heap_page, enum space_mem_kind kind)
{
	return map_leaf(pd, va, heap_phys(heap_page).v | LEAF_HEAP | (kind == SPACE_MEM_PRIVATE ? PTE_W : PTE_DELEG));
}

enum status space_mem_map_program_page(struct pd *pd, u64 va, const void *heap_page, bool write, bool execute)
{
	u64 leaf = heap_phys(heap_page).v | LEAF_HEAP | PTE_DELEG | (write ? PTE_W : 0);
	return map_leaf(pd, va, execute ? leaf & ~PTE_NX : leaf);
}

void space_mem_unmap_kernel_page(struct pd *pd, u64 va, const void *heap_page)
{
	u64 page = va >> PAGE_BITS, entry = 0;
	struct change c = {0};
	unsigned order;

	spin_lock(&pd->mem.lock);
	if (is_user_page(va))
		entry = ptab_lookup(&pd->mem.host, page, &order);
	if (entry && (entry & PTE_ADDR) == heap_phys(heap_page).v) {
		/* Heap pages are never part of a superpage, so there is nothing to split. */
		enum status st = ptab_unmap(&pd->mem.host, page, 0, &c.g);
		kassert(st == SUCCESS);
	}
	finish(pd, page, 0, &c);
}

enum status space_mem_map_guest_page(struct pd *pd, u64 gpa, const void *heap_page)
{
	struct change c = {0};

	if (!is_user_page(gpa))
		return BAD_PAR;
	spin_lock(&pd->mem.lock);
	enum status st =
		ptab_map(&pd->mem.guest, gpa >> PAGE_BITS, 0, heap_phys(heap_page).v | LEAF_HEAP | PTE_W, &c.g);
	guest_done(&c);
	finish(pd, gpa >> PAGE_BITS, 0, &c);
	return st;
}
