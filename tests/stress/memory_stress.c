/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages and objects under many CPUs: nobody gets what somebody else has, also when memory runs out and when objects
 * are freed elsewhere than they were made; in the end all is back in one piece.
 */
#include "mm/page.h"
#include "mm/slab.h"

#include "stress.h"

#define CPUS 4
#define ROUNDS (50000 * STRESS_SCALE) /* of each CPU */
#define MINE 48                       /* blocks or objects of a CPU */
#define SIZE 192
#define HEAP (96 * PAGE_SIZE) /* so little that it runs out */

#define ALL(fn) ((void (*const[])(unsigned, struct stress_random *)){fn, fn, fn, fn, NULL})

static u32 failures;

/* Every word of a block says whose it is; `words` from p on, some of them. */
static void mark(u64 *p, u64 words, u64 value)
{
	for (u64 i = 0; i < words; i += 61)
		p[i] = value;
	p[words - 1] = value;
}

static void check(const u64 *p, u64 words, u64 value)
{
	for (u64 i = 0; i < words; i += 61)
		must(p[i] == value);
	must(p[words - 1] == value);
}

/* ---- pages ---- */

static u64 block_words(unsigned order)
{
	return (PAGE_SIZE << order) / sizeof(u64);
}

static void use_pages(unsigned cpu, struct stress_random *r)
{
	struct {
		u64 *p, value;
		unsigned order;
	} mine[MINE] = {0};

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned k = stress_random(r, MINE);
		if (mine[k].p) {
			check(mine[k].p, block_words(mine[k].order), mine[k].value);
			page_free_block(mine[k].p, mine[k].order);
			mine[k].p = NULL;
			continue;
		}
		mine[k].order = stress_random(r, 4) ? 0 : stress_random(r, 6);
		mine[k].value = (u64)cpu << 32 | i;
		mine[k].p = page_alloc_block(mine[k].order);
		if (mine[k].p)
			mark(mine[k].p, block_words(mine[k].order), mine[k].value);
		else
			__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
	}
	for (unsigned k = 0; k < MINE; k++)
		if (mine[k].p)
			page_free_block(mine[k].p, mine[k].order);
}

/* Merged as far as at the beginning: the largest block of each can be had. */
static unsigned largest(void)
{
	for (unsigned order = BUDDY_ORDERS; order--;) {
		void *block = page_alloc_block(order);
		if (block) {
			page_free_block(block, order);
			return order;
		}
	}
	return 0;
}

static void pages(void)
{
	host_reset(HEAP);
	host_set_cpus(CPUS);
	u64 before = page_free_count();
	unsigned order = largest();
	failures = 0;
	stress_run(ALL(use_pages));
	must(page_free_count() == before);
	must(largest() == order);
	must(failures);
	printf("pages: %u allocations failed\n", failures);
}

/* ---- objects, which change hands ---- */

static struct slab_cache cache;
static u64 *exchange[16]; /* atomic */

static void use_objects(unsigned cpu, struct stress_random *r)
{
	u64 *mine[MINE] = {0};
	const u64 words = SIZE / sizeof(u64);

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned k = stress_random(r, MINE);
		if (!mine[k]) {
			mine[k] = slab_alloc(&cache);
			if (mine[k])
				mark(mine[k], words, (u64)mine[k] ^ cpu);
			else
				__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
			continue;
		}
		check(mine[k], words, (u64)mine[k] ^ cpu);
		if (stress_random(r, 2)) {
			slab_free(&cache, mine[k]);
			mine[k] = NULL;
			continue;
		}
		mark(mine[k], words, 0);
		mine[k] = __atomic_exchange_n(&exchange[stress_random(r, array_size(exchange))], mine[k],
					      __ATOMIC_ACQ_REL);
		if (mine[k]) {
			check(mine[k], words, 0);
			mark(mine[k], words, (u64)mine[k] ^ cpu);
		}
	}
	for (unsigned k = 0; k < MINE; k++)
		if (mine[k])
			slab_free(&cache, mine[k]);
	slab_drain(&cache);
}

static void objects(u64 heap)
{
	host_reset(heap);
	host_set_cpus(CPUS);
	u64 before = page_free_count();
	slab_init(&cache, "stress", SIZE, 64);
	failures = 0;
	for (unsigned i = 0; i < array_size(exchange); i++)
		exchange[i] = NULL;
	stress_run(ALL(use_objects));
	for (unsigned i = 0; i < array_size(exchange); i++)
		if (exchange[i])
			slab_free(&cache, exchange[i]);
	slab_drain(&cache);
	must(cache.in_use == 0 && list_empty(&cache.partial));
	must(page_free_count() == before);
	must(!failures == (heap > MiB));
	printf("objects: %u allocations failed\n", failures);
}

int main(void)
{
	pages();
	objects(8 * MiB);
	objects(3 * PAGE_SIZE); /* less than a CPU alone may want */
	return 0;
}
