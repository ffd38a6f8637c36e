/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_mem.h"

#include "arch/memory.h"
#include "arch/space.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "platform/panic.h"
#include "space/pd.h"

#define USER_PAGES (HEDRON_USER_END >> PAGE_BITS)
#define USER_ENTRIES (PTAB_ENTRIES / 2) /* of the PML4 */

/* Accessed and dirty are set in advance: the CPU never has to write to an entry. */
#define LEAF_USER (PTE_P | PTE_U | PTE_A | PTE_D)
#define LEAF_HEAP (LEAF_USER | PTE_NX | (u64)MEM_WB << PTE_TYPE_SHIFT)

enum ptab_format space_mem_guest_format = PTAB_EPT;
unsigned space_mem_guest_leaf_max = 2;

enum status space_mem_init(struct space_mem *m, u64 *root)
{
	unsigned leaf_max = arch_has_1g_pages() ? 2 : 1;
	m->lock = (struct spinlock){0};
	m->flushing = 0;
	ptab_init(&m->host, PTAB_HOST, leaf_max);
	ptab_init(&m->guest, space_mem_guest_format, (unsigned)min_u64(space_mem_guest_leaf_max, leaf_max));
	m->host.root = root;
	return root ? SUCCESS : OOM;
}

static void destroy_table(struct ptab *pt, unsigned entries)
{
	if (!pt->root)
		return;
	ptab_clear(pt, entries);
	page_free_zeroed(pt->root);
	pt->root = NULL;
}

void space_mem_destroy(struct space_mem *m)
{
	destroy_table(&m->host, USER_ENTRIES);
	destroy_table(&m->guest, PTAB_ENTRIES);
}

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
		ptab_gather_free(&c->g);
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

static noinline enum status empty(struct pd *pd, u64 page, unsigned order, bool host, bool guest)
{
	struct change c = {0};
	enum status st = SUCCESS;

	spin_lock(&pd->mem.lock);
	if (guest && pd->mem.guest.root) {
		st = ptab_unmap(&pd->mem.guest, page, order, &c.g);
		guest_done(&c);
	}
	if (host && st == SUCCESS)
		st = ptab_unmap(&pd->mem.host, page, order, &c.g);
	finish(pd, page, order, &c);
	return st;
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
static noinline enum status change(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
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
	return change(NULL, dst, src_page, dst_page, order, how);
}

static noinline enum status delegate_range(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
					   unsigned how)
{
	if (unlikely(!in_user_space(src_page, dst_page, order) ||
		     (how & (ITEM_NO_HOST | ITEM_GUEST)) == ITEM_NO_HOST))
		return SUCCESS;
	if (unlikely(!(how & PERM_MEM_ALL)))
		return empty(dst, dst_page, order, !(how & ITEM_NO_HOST), how & ITEM_GUEST);
	if (how & ITEM_HYPERVISOR || src == &pd_kernel)
		return delegate_phys_range(dst, src_page, dst_page, order, how);
	return change(src, dst, src_page, dst_page, order, how);
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

enum status space_mem_revoke(struct pd *pd, u64 page, unsigned order)
{
	if (!in_user_space(page, page, order) || (!order && revoke_page(pd, page)))
		return SUCCESS;
	return empty(pd, page, order, true, true);
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

u64 *space_mem_guest_root(struct pd *pd)
{
	struct space_mem *m = &pd->mem;
	spin_lock(&m->lock);
	if (!m->guest.root)
		m->guest.root = page_alloc_zeroed();
	spin_unlock(&m->lock);
	return m->guest.root;
}
