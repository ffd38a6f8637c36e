/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/slab.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "platform/panic.h"

#define SLAB_ORDER_MAX 2
/* A batch is so many bytes, within these limits of objects. A CPU keeps at most two batches. */
#define BATCH_BYTES 8192
#define BATCH_MIN 2
#define BATCH_MAX 32

/* All caches, for reclaim(); written at boot only. */
static struct slab_cache *caches[32];
static unsigned cache_count;

/*
 * One page wherever an object fits: then nothing in the kernel needs more than single pages, and no mixture of long-
 * and short-lived ones (slot tables, objects) can make memory unusable. It costs a few objects per page at
 * most.
 */
static unsigned pick_order(u32 size)
{
	unsigned order = 0;
	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

/* page_reclaim: gives back the free objects that this CPU keeps, whose slabs may be free as a whole then. Those of
 * other CPUs cannot be taken: they belong to them without a lock, so core/scarce.c asks for them. */
static bool reclaim(void)
{
	bool any = false;

	for (unsigned i = 0; i < cache_count; i++) {
		if (!caches[i]->cpu[cpu_current_id()].count)
			continue;
		slab_drain(caches[i]);
		any = true;
	}
	return any;
}

static void enlist(struct slab_cache *c)
{
	for (unsigned i = 0; i < cache_count; i++)
		if (caches[i] == c)
			return;
	kassert(cache_count < array_size(caches));
	caches[cache_count++] = c;
	page_reclaim = reclaim;
}

void slab_init(struct slab_cache *c, const char *name, u32 size, u32 align)
{
	kassert(align >= sizeof(void *) && !(align & (align - 1)) && is_aligned(size, align));
	kassert(size && size <= PAGE_SIZE << SLAB_ORDER_MAX);

	*c = (struct slab_cache){.name = name, .size = size, .align = align};
	c->order = (u8)pick_order(size);
	c->objects = (u16)((PAGE_SIZE << c->order) / size);
	c->batch = (u16)max_u64(BATCH_MIN, min_u64(BATCH_MAX, BATCH_BYTES / size));
	c->limit = 2u * c->batch;
	list_init(&c->partial);
	enlist(c);
}

static void add_slab_locked(struct slab_cache *c, void *memory)
{
	struct page *p = buddy_page(memory);
	p->owner = c;
	p->count = 0;
	p->index = 0;
	for (unsigned i = c->objects; i--;) {
		u64 *object = (u64 *)((char *)memory + i * c->size);
		*object = p->index;
		p->index = (u64)object;
	}
	list_push_head(&c->partial, &p->link);
}

static void *take_locked(struct slab_cache *c)
{
	struct page *p = list_first(&c->partial, struct page, link);
	void *object = (void *)p->index;
	p->index = *(u64 *)object;
	if (++p->count == c->objects)
		list_remove(&p->link);
	c->in_use++;
	return object;
}

static void give_back_locked(struct slab_cache *c, void *object)
{
	void *slab = (void *)align_down((u64)object, PAGE_SIZE << c->order);
	struct page *p = buddy_page(slab);
	kassert(p->owner == c && p->count);

	if (p->count == c->objects)
		list_push_tail(&c->partial, &p->link);
	*(u64 *)object = p->index;
	p->index = (u64)object;
	c->in_use--;
	if (!--p->count) {
		list_remove(&p->link);
		p->owner = NULL;
		page_free_block(slab, c->order);
	}
}

/* Makes sure that there is a slab with free objects; on success with the lock held. */
static bool lock_stocked(struct slab_cache *c)
{
	spin_lock(&c->lock);
	if (!list_empty(&c->partial))
		return true;
	spin_unlock(&c->lock);

	/* Without the lock, which reclaim() takes if memory is short. */
	void *memory = page_alloc_block(c->order);
	spin_lock(&c->lock);
	if (memory)
		add_slab_locked(c, memory);
	else if (list_empty(&c->partial)) {
		spin_unlock(&c->lock);
		return false;
	}
	return true;
}

void *slab_refill(struct slab_cache *c, struct slab_local *l)
{
	if (!lock_stocked(c))
		return NULL;
	void *first = take_locked(c);
	while (l->count < c->batch - 1u && !list_empty(&c->partial)) {
		void *object = take_locked(c);
		*(void **)object = l->free;
		l->free = object;
		arch_add_here(&l->count, 1);
	}
	spin_unlock(&c->lock);
	return first;
}

static void give_back(struct slab_cache *c, struct slab_local *l, u32 keep)
{
	spin_lock(&c->lock);
	while (l->count > keep) {
		void *object = l->free;
		l->free = *(void **)object;
		arch_add_here(&l->count, -1ull);
		give_back_locked(c, object);
	}
	spin_unlock(&c->lock);
}

void slab_spill(struct slab_cache *c, struct slab_local *l)
{
	give_back(c, l, c->batch);
}

void slab_drain(struct slab_cache *c)
{
	give_back(c, &c->cpu[cpu_current_id()], 0);
}

bool slab_is_kept(unsigned cpu)
{
	for (unsigned i = 0; i < cache_count; i++)
		if (__atomic_load_n(&caches[i]->cpu[cpu].count, __ATOMIC_RELAXED))
			return true;
	return false;
}
