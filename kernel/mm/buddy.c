/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/buddy.h"

#include "lib/bits.h"
#include "lib/panic.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mm/layout.h"

enum page_state {
	PAGE_INSIDE, /* of a block, or not ours to give */
	PAGE_FREE,   /* start of a block on a free list */
	PAGE_WARM,   /* a free page that has not been merged yet */
	PAGE_TAKEN,  /* start of an allocated block */
};

#define WARM_MAX 64 /* pages; more are merged at once */

static struct {
	struct spinlock lock;
	struct page *pages; /* of the heap, in order */
	u64 first;          /* page frame number of pages[0] */
	u64 count;
	u64 free_count;
	u64 nonempty; /* bit n: free[n] is not empty */
	struct list free[BUDDY_ORDERS];
	struct list warm;
	unsigned warm_count;
} heap;

void (*buddy_reclaim)(void);

struct page *buddy_page(const void *va)
{
	return &heap.pages[(heap_phys(va).v >> PAGE_BITS) - heap.first];
}

static u64 frame_of(const struct page *p)
{
	return heap.first + (u64)(p - heap.pages);
}

void *buddy_page_virt(const struct page *p)
{
	return heap_virt(paddr(frame_of(p) << PAGE_BITS));
}

u64 buddy_free_pages(void)
{
	return READ_ONCE(heap.free_count);
}

static void list_block(struct page *p, unsigned order)
{
	p->state = PAGE_FREE;
	p->order = (u8)order;
	list_push_head(&heap.free[order], &p->link);
	heap.nonempty |= bit(order);
}

static void unlist_block(struct page *p)
{
	p->state = PAGE_INSIDE;
	list_remove(&p->link);
	if (list_empty(&heap.free[p->order]))
		heap.nonempty &= ~bit(p->order);
}

/* The other half of the block twice as large, if it is free as a whole. */
static struct page *free_twin(u64 frame, unsigned order)
{
	u64 index = (frame ^ bit(order)) - heap.first;
	if (index >= heap.count)
		return NULL;
	struct page *p = &heap.pages[index];
	return p->state == PAGE_FREE && p->order == order ? p : NULL;
}

static void merge_locked(struct page *p, unsigned order)
{
	u64 frame = frame_of(p);
	struct page *twin;

	p->state = PAGE_INSIDE;
	for (; order < BUDDY_ORDERS - 1 && (twin = free_twin(frame, order)); order++) {
		unlist_block(twin);
		frame &= ~bit(order);
	}
	list_block(&heap.pages[frame - heap.first], order);
}

static void merge_warm_locked(void)
{
	for (; heap.warm_count; heap.warm_count--) {
		struct page *p = list_first(&heap.warm, struct page, link);
		list_remove(&p->link);
		merge_locked(p, 0);
	}
}

static struct page *pick_locked(unsigned order)
{
	if (!order && heap.warm_count) {
		struct page *p = list_first(&heap.warm, struct page, link);
		heap.warm_count--;
		list_remove(&p->link);
		return p;
	}
	u64 fitting = heap.nonempty & ~bits_low(order);
	if (!fitting)
		return NULL;

	unsigned o = bit_lowest(fitting);
	struct page *p = list_first(&heap.free[o], struct page, link);
	unlist_block(p);
	while (o-- > order)
		list_block(p + bit(o), o);
	return p;
}

static void *try_alloc(unsigned order)
{
	spin_lock(&heap.lock);
	struct page *p = pick_locked(order);
	if (!p && heap.warm_count) {
		merge_warm_locked();
		p = pick_locked(order);
	}
	if (p) {
		p->state = PAGE_TAKEN;
		p->order = (u8)order;
		heap.free_count -= bit(order);
	}
	spin_unlock(&heap.lock);
	return p ? buddy_page_virt(p) : NULL;
}

void *buddy_alloc(unsigned order)
{
	if (order >= BUDDY_ORDERS)
		return NULL;
	void *block = try_alloc(order);
	if (unlikely(!block) && buddy_reclaim) {
		buddy_reclaim();
		block = try_alloc(order);
	}
	return block;
}

void *buddy_alloc_zeroed(void)
{
	void *page = buddy_alloc(0);
	if (page)
		memset(page, 0, PAGE_SIZE);
	return page;
}

void buddy_free(void *block, unsigned order)
{
	struct page *p = buddy_page(block);
	kassert((u64)(p - heap.pages) < heap.count && is_aligned((u64)block, PAGE_SIZE));

	spin_lock(&heap.lock);
	kassert(p->state == PAGE_TAKEN && p->order == order);
	heap.free_count += bit(order);
	if (!order && heap.warm_count < WARM_MAX) {
		p->state = PAGE_WARM;
		list_push_head(&heap.warm, &p->link);
		heap.warm_count++;
	} else {
		merge_locked(p, order);
	}
	spin_unlock(&heap.lock);
}

void buddy_init(paddr_t base, u64 size)
{
	kassert(is_aligned(base.v | size, PAGE_SIZE));
	memset(&heap, 0, sizeof(heap));
	heap.first = base.v >> PAGE_BITS;
	heap.count = size >> PAGE_BITS;
	heap.pages = heap_virt(base);
	list_init(&heap.warm);
	for (unsigned o = 0; o < BUDDY_ORDERS; o++)
		list_init(&heap.free[o]);

	u64 own = align_up(heap.count * sizeof(struct page), PAGE_SIZE) >> PAGE_BITS;
	kassert(own < heap.count);
	memset(heap.pages, 0, heap.count * sizeof(struct page));

	for (u64 i = own; i < heap.count;) {
		unsigned order = order_fit(heap.first + i, heap.count - i);
		if (order > BUDDY_ORDERS - 1)
			order = BUDDY_ORDERS - 1;
		list_block(&heap.pages[i], order);
		heap.free_count += bit(order);
		i += bit(order);
	}
}
