/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An allocator of objects of one size. Each CPU has a list of free objects for each cache, which it alone touches;
 * batches move between it and the cache's shared slabs under the cache's lock. A slab without objects in use is freed
 * at once, so that all memory is free when all objects are, but for what lists of CPUs hold: at most two batches,
 * until slab_drain(). Locking: the cache's lock, before those of mm/page.h. Lists need none: the kernel runs with
 * interrupts off, and NMI handlers allocate nothing.
 */
#pragma once

#include "arch/cpu.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h"
#include "mm/account.h"

#include <hedron/abi.h>

struct slab_local {
	void *free; /* linked through the objects' first word */
	u64 count;  /* atomic: others look at it when memory is short */
} aligned(64);

struct slab_cache {
	/* immutable after init */
	const char *name;
	u32 size;    /* bytes, multiple of align */
	u32 align;   /* power of two, at least 8 */
	u16 objects; /* per slab */
	u16 batch;   /* objects moved at a time */
	u32 limit;   /* of a CPU's list: two batches */
	u8 order;    /* pages of a slab: 2^order */

	/* guarded by the lock; on a cache line of its own, because all CPUs read `limit` at each free */
	aligned(64) struct spinlock lock;
	struct list partial; /* slabs with free objects */
	u64 in_use;          /* objects handed to CPUs */

	/* each CPU's own */
	struct slab_local cpu[HEDRON_CPU_MAX];
};

/* Boot time only. Objects of up to four pages. */
void slab_init(struct slab_cache *c, const char *name, u32 size, u32 align);
/* Gives this CPU's list back; done for all caches when memory runs out. */
void slab_drain(struct slab_cache *c);
/* Whether a CPU keeps free objects of any cache. */
bool slab_is_kept(unsigned cpu) must_check;

/* slab_refill() fetches a batch for a list that is empty and returns one object of it, NULL without memory.
 * slab_spill() gives a batch back from a list that is full. */
void *slab_refill(struct slab_cache *c, struct slab_local *l) must_check;
void slab_spill(struct slab_cache *c, struct slab_local *l);

/* NULL when the heap is exhausted. Contents are undefined. */
must_check static always_inline void *slab_alloc(struct slab_cache *c)
{
	struct slab_local *l = &c->cpu[cpu_current_id()];
	void *object = l->free;
	if (unlikely(!object))
		return slab_refill(c, l);
	l->free = *(void **)object;
	arch_add_here(&l->count, -1ull);
	return object;
}

static always_inline void slab_free(struct slab_cache *c, void *object)
{
	struct slab_local *l = &c->cpu[cpu_current_id()];
	*(void **)object = l->free;
	l->free = object;
	arch_add_here(&l->count, 1);
	if (unlikely(l->count >= c->limit))
		slab_spill(c, l);
}

/* The same for an object that an account pays for; NULL also if it cannot. Objects are paid for by their size: who
 * frees all but one of each slab keeps more than that, but others can have it. */
must_check static always_inline void *slab_take(struct slab_cache *c, struct account *a)
{
	if (unlikely(!account_take(a, c->size)))
		return NULL;
	void *object = slab_alloc(c);
	if (unlikely(!object))
		account_give(a, c->size);
	return object;
}

static always_inline void slab_return(struct slab_cache *c, void *object, struct account *a)
{
	slab_free(c, object);
	account_give(a, c->size);
}
