/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/page.h"

#include "arch/cpu.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "platform/panic.h"

#include <hedron/abi.h>

#define KEEP_MAX 64 /* pages of a CPU */
#define BATCH 32    /* pages moved at a time */

/* All guarded by the lock; `count` is read without it. */
struct page_cache {
	struct spinlock lock;
	u32 count;                   /* pages on both stacks */
	u32 limit;                   /* KEEP_MAX; 0 while a CPU searches for memory */
	struct page *dirty, *zeroed; /* stacks, linked through page.owner */
} aligned(64);

static struct page_cache caches[HEDRON_CPU_MAX];
/* Held by the CPU that searches for memory, that is, while limits are 0. */
static struct spinlock search_lock;

/* Of CPUs that may come here. */
static unsigned num_caches;

bool (*page_reclaim)(void);

static always_inline struct page_cache *own_cache(void)
{
	return &caches[cpu_current_id()];
}

/* ---- Stacks ---- */

static always_inline struct page *pop_locked(struct page_cache *c, struct page **stack)
{
	struct page *p = *stack;
	if (likely(p)) {
		*stack = p->owner;
		c->count--;
		__atomic_store_n(&p->state, PAGE_TAKEN, __ATOMIC_RELAXED);
	}
	return p;
}

static always_inline void push_locked(struct page_cache *c, struct page **stack, struct page *p)
{
	kassert(p->state == PAGE_TAKEN && !p->order);
	__atomic_store_n(&p->state, PAGE_KEPT, __ATOMIC_RELAXED);
	p->owner = *stack;
	*stack = p;
	c->count++;
}

/* No dirty page is left: refills a batch from the buddy allocator, or spends a zeroed page. */
static noinline struct page *stock_locked(struct page_cache *c)
{
	if (!c->zeroed)
		c->count += buddy_take(&c->dirty, c->limit ? BATCH : 1);
	return pop_locked(c, c->dirty ? &c->dirty : &c->zeroed);
}

static noinline void spill_locked(struct page_cache *c, u32 keep)
{
	while (c->count > keep) {
		struct page **stack = c->dirty ? &c->dirty : &c->zeroed;
		c->count -= buddy_give(stack, c->count - keep);
	}
}

/* ---- When the heap is empty ---- */

/* So that this CPU keeps nothing until the search is over. True: it gave pages. */
static bool search_cache(struct page_cache *c)
{
	spin_lock(&c->lock);
	bool some = c->count;
	c->limit = 0;
	if (unlikely(some))
		spill_locked(c, 0);
	spin_unlock(&c->lock);
	return some;
}

static void reset_limits(unsigned num)
{
	for (unsigned n = 0; n < num; n++) {
		spin_lock(&caches[n].lock);
		caches[n].limit = KEEP_MAX;
		spin_unlock(&caches[n].lock);
	}
}

/* One CPU after the other gives what it keeps back to the buddy allocator, and keeps nothing from then on, until
 * there is enough. So the allocation fails only if no CPU has the memory; if none keeps any, none is disturbed. */
static void *search(unsigned order)
{
	void *block = NULL;
	unsigned n = 0;

	spin_lock(&search_lock);
	while (n < num_caches && !block)
		if (search_cache(&caches[n++]) || n == num_caches)
			block = buddy_alloc(order);
	reset_limits(n);
	spin_unlock(&search_lock);
	return block;
}

static noinline void *alloc_slow(unsigned order)
{
	void *block = search(order);
	if (!block && page_reclaim && page_reclaim())
		block = search(order);
	return block;
}

/* ---- Single pages ---- */

void *page_alloc(void)
{
	struct page_cache *c = own_cache();

	spin_lock(&c->lock);
	struct page *p = pop_locked(c, &c->dirty);
	if (unlikely(!p))
		p = stock_locked(c);
	spin_unlock(&c->lock);
	return likely(p) ? buddy_page_virt(p) : alloc_slow(0);
}

void *page_alloc_zeroed(void)
{
	struct page_cache *c = own_cache();

	spin_lock(&c->lock);
	struct page *p = pop_locked(c, &c->zeroed);
	spin_unlock(&c->lock);
	if (p)
		return buddy_page_virt(p);
	void *page = page_alloc();
	return likely(page) ? memset(page, 0, PAGE_SIZE) : NULL;
}

static always_inline void give(struct page_cache *c, struct page **stack, struct page *p)
{
	spin_lock(&c->lock);
	push_locked(c, stack, p);
	if (unlikely(c->count > c->limit))
		spill_locked(c, c->limit / 2);
	spin_unlock(&c->lock);
}

void page_free(void *page)
{
	struct page_cache *c = own_cache();
	kassert(buddy_is_page(page));
	give(c, &c->dirty, buddy_page(page));
}

void page_free_zeroed(void *page)
{
	struct page_cache *c = own_cache();
	kassert(buddy_is_page(page));
	give(c, &c->zeroed, buddy_page(page));
}

/* ---- Pages that somebody pays for ---- */

/* The account has lost the bytes already; `covered`: and had them. */
static cold void *take_slow(struct account *a, bool covered, void *(*alloc)(void))
{
	if (!covered && !account_take_slow(a, PAGE_SIZE))
		return NULL;
	void *page = alloc();
	if (page)
		buddy_page(page)->account = a;
	else
		account_give(a, PAGE_SIZE);
	return page;
}

/* The slow ways are jumps, so that nothing is pushed. */
void *page_take(struct account *a)
{
	struct page_cache *c = own_cache();

	if (unlikely(!account_took(a, PAGE_SIZE)))
		return take_slow(a, false, page_alloc);
	spin_lock(&c->lock);
	struct page *p = pop_locked(c, &c->dirty);
	spin_unlock(&c->lock);
	if (unlikely(!p))
		return take_slow(a, true, page_alloc);
	p->account = a;
	return buddy_page_virt(p);
}

void *page_take_zeroed(struct account *a)
{
	struct page_cache *c = own_cache();

	if (unlikely(!account_took(a, PAGE_SIZE)))
		return take_slow(a, false, page_alloc_zeroed);
	spin_lock(&c->lock);
	struct page *p = pop_locked(c, &c->zeroed);
	bool zeroed = p;
	if (!p)
		p = pop_locked(c, &c->dirty);
	spin_unlock(&c->lock);
	if (unlikely(!p))
		return take_slow(a, true, page_alloc_zeroed);
	p->account = a;
	return zeroed ? buddy_page_virt(p) : memset(buddy_page_virt(p), 0, PAGE_SIZE);
}

/* The account has got its bytes, but is closed, or was empty. */
static cold void return_slow(struct account *a, void *page)
{
	account_give_slow(a, PAGE_SIZE);
	page_free(page);
}

void page_return(void *page)
{
	struct page *p = buddy_page(page);

	if (unlikely(!account_gave(p->account, PAGE_SIZE)))
		return_slow(p->account, page);
	else
		give(own_cache(), &own_cache()->dirty, p);
}

void page_return_zeroed(void *page)
{
	struct page *p = buddy_page(page);

	if (unlikely(!account_gave(p->account, PAGE_SIZE)))
		return_slow(p->account, page);
	else
		give(own_cache(), &own_cache()->zeroed, p);
}

/* ---- Blocks ---- */

void *page_alloc_block(unsigned order)
{
	if (!order)
		return page_alloc();
	if (order >= BUDDY_ORDERS)
		return NULL;
	void *block = buddy_alloc(order);
	return likely(block) ? block : alloc_slow(order);
}

void page_free_block(void *block, unsigned order)
{
	if (order)
		buddy_free(block, order);
	else
		page_free(block);
}

void *page_take_block(struct account *a, unsigned order)
{
	if (!account_take(a, PAGE_SIZE << order))
		return NULL;
	void *block = page_alloc_block(order);
	if (block)
		buddy_page(block)->account = a;
	else
		account_give(a, PAGE_SIZE << order);
	return block;
}

void page_return_block(void *block, unsigned order)
{
	struct account *a = buddy_page(block)->account;

	page_free_block(block, order);
	account_give(a, PAGE_SIZE << order);
}

/* ---- Start, count ---- */

u64 page_free_count(void)
{
	u64 count = buddy_free_pages();
	for (unsigned n = 0; n < array_size(caches); n++)
		count += READ_ONCE(caches[n].count);
	return count;
}

void page_init_lists(void)
{
	search_lock = (struct spinlock){0};
	for (unsigned n = 0; n < array_size(caches); n++)
		caches[n] = (struct page_cache){.limit = KEEP_MAX};
	num_caches = array_size(caches);
}

void page_init(paddr_t base, u64 size)
{
	buddy_init(base, size);
	page_init_lists();
}

void page_set_cpus(unsigned num)
{
	num_caches = num;
}
