/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/space_mem.h"

#include "arch/arch.h"
#include "core/pd.h"
#include "lib/bits.h"
#include "lib/panic.h"
#include "mm/buddy.h"

#define USER_PAGES (HEDRON_USER_END >> PAGE_BITS)
#define USER_ENTRIES (PTAB_ENTRIES / 2) /* of the PML4 */

/* Accessed and dirty are set in advance: the CPU never has to write to an entry. */
#define LEAF_USER (PTE_P | PTE_U | PTE_A | PTE_D)
#define LEAF_HEAP (LEAF_USER | PTE_NX | (u64)MEM_WB << PTE_TYPE_SHIFT)

enum ptab_format space_mem_guest_format = PTAB_EPT;

enum status space_mem_init(struct space_mem *m)
{
	unsigned leaf_max = arch_has_1g_pages() ? 2 : 1;
	m->lock = (struct spinlock){0};
	m->flushing = 0;
	ptab_init(&m->host, PTAB_HOST, leaf_max);
	ptab_init(&m->guest, space_mem_guest_format, leaf_max);
	m->host.root = buddy_alloc_zeroed();
	return m->host.root ? SUCCESS : OOM;
}

static void destroy_table(struct ptab *pt, unsigned entries)
{
	if (!pt->root)
		return;
	ptab_clear(pt, entries);
	buddy_free(pt->root, 0);
	pt->root = NULL;
}

void space_mem_destroy(struct space_mem *m)
{
	destroy_table(&m->host, USER_ENTRIES);
	destroy_table(&m->guest, PTAB_ENTRIES);
}

/* ---- changes: begin, change, end ---- */

struct change {
	struct pd *pd;
	u64 page;
	unsigned order;
	struct ptab_gather host, guest;
};

static void change_begin(struct change *c, struct pd *pd, u64 page, unsigned order)
{
	*c = (struct change){.pd = pd, .page = page, .order = order};
}

/* With the PD's lock held, which is released: flushes what the change made stale, then frees its tables. */
static void change_end(struct change *c)
{
	struct space_mem *m = &c->pd->mem;
	bool others = __atomic_load_n(&m->flushing, __ATOMIC_ACQUIRE);
	bool host = c->host.stale || others;
	bool guest = c->guest.stale || (others && m->guest.root);

	if (likely(!host && !guest)) {
		spin_unlock(&m->lock);
		return;
	}
	__atomic_fetch_add(&m->flushing, 1, __ATOMIC_RELAXED);
	spin_unlock(&m->lock);
	if (host)
		arch_tlb_flush(c->pd, c->page << PAGE_BITS, c->order);
	if (guest)
		arch_tlb_flush_guest(c->pd);
	__atomic_fetch_sub(&m->flushing, 1, __ATOMIC_RELEASE);
	ptab_gather_free(&c->host);
	ptab_gather_free(&c->guest);
}

/* ---- delegation ---- */

/* What is to happen to one table. */
struct transfer {
	const struct ptab *from; /* NULL: physical memory */
	u64 src_page, dst_page;
	unsigned order;
	struct ptab_filter filter; /* all 0: unmap */
};

static struct ptab_filter filter_for(unsigned perm)
{
	if (!(perm & (PERM_MEM_R | PERM_MEM_W | PERM_MEM_X)))
		return (struct ptab_filter){0, 0};
	return (struct ptab_filter){
		.keep = perm & PERM_MEM_W ? ~0ull : ~PTE_W,
		.set = perm & PERM_MEM_X ? 0 : PTE_NX,
	};
}

/* One block out of one run. */
static enum status transfer_block(struct ptab *pt, u64 page, u64 src_page, unsigned order, u64 leaf,
				  struct ptab_gather *g)
{
	return leaf ? ptab_map(pt, page, order, leaf | src_page << PAGE_BITS, g) : ptab_unmap(pt, page, order, g);
}

static enum status transfer_phys(const struct transfer *t, struct ptab *pt, struct ptab_gather *g)
{
	u64 page = t->dst_page, src_page = t->src_page, end = src_page + bit(t->order);
	enum status st = SUCCESS;

	while (src_page < end && st == SUCCESS) {
		const struct space_mem_run *run = space_mem_phys_run(src_page);
		u64 leaf = run->leaf ? (run->leaf & t->filter.keep) | t->filter.set : 0;
		unsigned order = order_fit(page | src_page | bit(t->order), min_u64(run->end, end) - src_page);
		st = transfer_block(pt, page, src_page, order, leaf, g);
		src_page += bit(order);
		page += bit(order);
	}
	return st;
}

static enum status transfer_to(const struct transfer *t, struct ptab *pt, struct ptab_gather *g)
{
	if (!t->filter.keep)
		return ptab_unmap(pt, t->dst_page, t->order, g);
	if (t->from)
		return ptab_copy(pt, t->dst_page, t->from, t->src_page, t->order, t->filter, g);
	return transfer_phys(t, pt, g);
}

static bool in_user_space(u64 page, unsigned order)
{
	return is_aligned(page, bit(order)) && page + bit(order) <= USER_PAGES;
}

static void lock_both(struct space_mem *a, struct space_mem *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock(a < b ? &b->lock : &a->lock);
}

/* `src` is NULL if no host table is read. */
static enum status transfer(struct pd *src, struct pd *dst, const struct transfer *t, bool host, bool guest)
{
	struct change c;
	enum status st = SUCCESS;

	change_begin(&c, dst, t->dst_page, t->order);
	if (src)
		lock_both(&src->mem, &dst->mem);
	else
		spin_lock(&dst->mem.lock);
	/* The host table last: it may be the source. */
	if (guest)
		st = transfer_to(t, &dst->mem.guest, &c.guest);
	if (host && st == SUCCESS)
		st = transfer_to(t, &dst->mem.host, &c.host);
	if (src && src != dst)
		spin_unlock(&src->mem.lock);
	change_end(&c);
	return st;
}

enum status space_mem_delegate(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
			       unsigned perm, unsigned flags)
{
	bool host = !(flags & ITEM_NO_HOST), guest = flags & ITEM_GUEST;
	struct transfer t = {NULL, src_page, dst_page, order, filter_for(perm)};

	if (!in_user_space(src_page, order) || !in_user_space(dst_page, order) || (!host && !guest))
		return SUCCESS;
	if (!t.filter.keep)
		return transfer(NULL, dst, &t, host, guest);
	if (src != &pd_kernel && !(flags & ITEM_HYPERVISOR)) {
		t.from = &src->mem.host;
		return transfer(src, dst, &t, host, guest);
	}
	if (src_page + bit(order) > space_mem_phys_end())
		return BAD_PAR;
	return transfer(NULL, dst, &t, host, guest);
}

enum status space_mem_revoke(struct pd *pd, u64 page, unsigned order)
{
	struct transfer t = {.dst_page = page, .order = order};
	return in_user_space(page, order) ? transfer(NULL, pd, &t, true, true) : SUCCESS;
}

/* ---- single pages of the kernel ---- */

static bool is_user_page(u64 va)
{
	return is_aligned(va, PAGE_SIZE) && va < HEDRON_USER_END;
}

static enum status map_leaf(struct pd *pd, u64 va, u64 leaf)
{
	struct change c;

	if (!is_user_page(va))
		return BAD_PAR;
	change_begin(&c, pd, va >> PAGE_BITS, 0);
	spin_lock(&pd->mem.lock);
	enum status st = ptab_map(&pd->mem.host, c.page, 0, leaf, &c.host);
	change_end(&c);
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
	struct change c;
	unsigned order;

	change_begin(&c, pd, va >> PAGE_BITS, 0);
	spin_lock(&pd->mem.lock);
	u64 entry = is_user_page(va) ? ptab_lookup(&pd->mem.host, c.page, &order) : 0;
	if (entry && (entry & PTE_ADDR) == heap_phys(heap_page).v) {
		/* Heap pages are never part of a superpage, so there is nothing to split. */
		enum status st = ptab_unmap(&pd->mem.host, c.page, 0, &c.host);
		kassert(st == SUCCESS);
	}
	change_end(&c);
}

enum status space_mem_map_guest_page(struct pd *pd, u64 gpa, const void *heap_page)
{
	struct change c;

	if (!is_user_page(gpa))
		return BAD_PAR;
	change_begin(&c, pd, gpa >> PAGE_BITS, 0);
	spin_lock(&pd->mem.lock);
	enum status st = ptab_map(&pd->mem.guest, c.page, 0, heap_phys(heap_page).v | LEAF_HEAP | PTE_W, &c.guest);
	change_end(&c);
	return st;
}

u64 *space_mem_guest_root(struct pd *pd)
{
	struct space_mem *m = &pd->mem;
	spin_lock(&m->lock);
	if (!m->guest.root)
		m->guest.root = buddy_alloc_zeroed();
	spin_unlock(&m->lock);
	return m->guest.root;
}
