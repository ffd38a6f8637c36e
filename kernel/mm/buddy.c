/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/buddy.h"

#include "lib/bits.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "mm/layout.h"
#include "platform/panic.h"

/* All guarded by the lock; `free_count` is read without it. */
static struct {
	struct spinlock lock;
	u64 free_count; /* pages */
	u64 nonempty;   /* bit n: free[n] is not empty */
	struct list free[BUDDY_ORDERS];
} heap;

struct buddy_frames buddy_frames;

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
	u64 twin = frame ^ bit(order);
	if (twin - buddy_frames.first >= buddy_frames.count)
		return NULL;
	struct page *p = &buddy_frames.page[twin];
	/* Pages that are allocated, or kept by a CPU, change their state without this lock, but only between
	 * PAGE_TAKEN and PAGE_KEPT. So the answer to this question does not change. */
	return __atomic_load_n(&p->state, __ATOMIC_RELAXED) == PAGE_FREE && p->order == order ? p : NULL;
}

static void merge_locked(struct page *p, unsigned order)
{
	u64 frame = buddy_frame(p);
	struct page *twin;

	p->state = PAGE_INSIDE;
	for (; order < BUDDY_ORDERS - 1 && (twin = free_twin(frame, order)); order++) {
		unlist_block(twin);
		frame &= ~bit(order);
	}
	list_block(&buddy_frames.page[frame], order);
}

static struct page *pick_locked(unsigned order)
{
	u64 fitting = heap.nonempty & ~bits_low(order);
	if (!fitting)
		return NULL;

	unsigned o = bit_lowest(fitting);
	struct page *p = list_first(&heap.free[o], struct page, link);
	unlist_block(p);
	while (o-- > order)
		list_block(p + bit(o), o);
	p->state = PAGE_TAKEN;
	p->order = (u8)order;
	heap.free_count -= bit(order);
	return p;
}

void *buddy_alloc(unsigned order)
{
	if (order >= BUDDY_ORDERS)
		return NULL;
	spin_lock(&heap.lock);
	struct page *p = pick_locked(order);
	spin_unlock(&heap.lock);
	return p ? buddy_page_virt(p) : NULL;
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

	kassert(buddy_is_page(block));
	spin_lock(&heap.lock);
	kassert(p->state == PAGE_TAKEN && p->order == order);
	heap.free_count += bit(order);
	merge_locked(p, order);
	spin_unlock(&heap.lock);
}

/* ---- Many single pages ---- */

u32 buddy_take(struct page **stack, u32 most)
{
	u32 count = 0;
	struct page *p;

	spin_lock(&heap.lock);
	for (; count < most && (p = pick_locked(0)); count++) {
		p->state = PAGE_KEPT;
		p->owner = *stack;
		*stack = p;
	}
	spin_unlock(&heap.lock);
	return count;
}

u32 buddy_give(struct page **stack, u32 most)
{
	u32 count = 0;
	struct page *p;

	spin_lock(&heap.lock);
	for (; count < most && (p = *stack); count++) {
		*stack = p->owner;
		merge_locked(p, 0);
	}
	heap.free_count += count;
	spin_unlock(&heap.lock);
	return count;
}

void buddy_init_empty(struct page *pages, u64 first, u64 count)
{
	buddy_frames = (struct buddy_frames){pages, first, count};
	heap = (__typeof__(heap)){0};
	for (unsigned o = 0; o < BUDDY_ORDERS; o++)
		list_init(&heap.free[o]);
}

void buddy_add(paddr_t base, u64 size)
{
	kassert(is_aligned(base.v | size, PAGE_SIZE));
	u64 first = base.v >> PAGE_BITS, count = size >> PAGE_BITS;

	kassert(first - buddy_frames.first < buddy_frames.count);
	kassert(count <= buddy_frames.count - (first - buddy_frames.first));
	for (u64 i = 0; i < count;) {
		unsigned order = order_fit(first + i, count - i);
		if (order > BUDDY_ORDERS - 1)
			order = BUDDY_ORDERS - 1;
		list_block(&buddy_frames.page[first + i], order);
		heap.free_count += bit(order);
		i += bit(order);
	}
}

void buddy_init(paddr_t base, u64 size)
{
	u64 first = base.v >> PAGE_BITS, count = size >> PAGE_BITS;
	u64 own = align_up(count * sizeof(struct page), PAGE_SIZE);
	struct page *pages = heap_virt(base);

	kassert(own < size);
	memset(pages, 0, count * sizeof(struct page));
	buddy_init_empty(pages - first, first, count);
	buddy_add(paddr(base.v + own), size - own);
}
