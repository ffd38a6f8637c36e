/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of CPUs: what one keeps is at hand for itself, free for all others, and known to be zero where it is said to
 * be.
 */
#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"

#include "unit.h"

#define HEAP (8 * MiB)
#define CPUS 4

UNIT_FIXTURE(setup)
{
	host_reset(HEAP);
	host_set_cpus(CPUS);
	page_reclaim = NULL;
	return 0;
}

static bool is_zero(const u64 *page)
{
	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		if (page[i])
			return false;
	return true;
}

/* All pages there are, as a list, each filled with ones. */
static void *take_all(void)
{
	void *first = NULL, **p;
	while ((p = page_alloc())) {
		memset(p, 0xff, PAGE_SIZE);
		*p = first;
		first = p;
	}
	return first;
}

static u64 give_all(void **first)
{
	u64 count = 0;
	for (void **next; first; first = next, count++) {
		next = *first;
		page_free(first);
	}
	return count;
}

static unsigned largest_order(void)
{
	for (unsigned order = BUDDY_ORDERS; order--;) {
		void *p = page_alloc_block(order);
		if (p) {
			page_free_block(p, order);
			return order;
		}
	}
	return ~0u;
}

UNIT_TEST(the_last_one_freed_comes_first)
{
	void *a = page_alloc(), *b = page_alloc();
	page_free(a);
	page_free(b);
	assert_ptr_equal(page_alloc(), b);
	assert_ptr_equal(page_alloc(), a);
}

UNIT_TEST(counts_what_is_kept)
{
	u64 before = page_free_count();
	void *p = page_alloc();
	assert_int_equal(page_free_count(), before - 1);
	assert_true(buddy_free_pages() < before - 1); /* the rest of the batch */
	page_free(p);
	assert_int_equal(page_free_count(), before);
}

/* Whoever makes and deletes does not come to the common lists, nor does the other. */
UNIT_TEST(batches_are_rare)
{
	void *mine[16];

	mine[0] = page_alloc();
	u64 common = buddy_free_pages();
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned i = 1; i < array_size(mine); i++)
			mine[i] = page_alloc();
		for (unsigned i = 1; i < array_size(mine); i++)
			page_free(mine[i]);
		assert_int_equal(buddy_free_pages(), common);
	}
}

UNIT_TEST(keeps_few)
{
	u64 before = page_free_count();
	void *all = take_all();
	assert_int_equal(give_all(all), before);
	assert_int_equal(page_free_count(), before);
	assert_in_range(before - buddy_free_pages(), 1, 64);
}

UNIT_TEST(zeroed_pages_stay_zero)
{
	u64 *a = page_alloc_zeroed(), *b = page_alloc();
	assert_true(is_zero(a));
	memset(b, 0xa5, PAGE_SIZE);
	page_free(b);
	page_free_zeroed(a);
	assert_ptr_equal(page_alloc_zeroed(), a); /* though b was freed earlier and is at hand */
	assert_true(is_zero(a));
	assert_ptr_equal(page_alloc_zeroed(), b);
	assert_true(is_zero(b));
}

/* Nobody wants it zeroed: it is a page like any other. */
UNIT_TEST(zeroed_pages_serve_all)
{
	u64 before = page_free_count();
	void *all = take_all();
	assert_int_equal(page_free_count(), 0);
	u64 *p = all;
	all = *(void **)all;
	memset(p, 0, PAGE_SIZE);
	page_free_zeroed(p);
	assert_ptr_equal(page_alloc(), p);
	assert_null(page_alloc_zeroed());
	page_free(p);
	assert_int_equal(give_all(all) + 1, before);
}

/* ---- when memory runs out ---- */

/* CPU 1 keeps some; CPU 0 gets them all, to the last. */
UNIT_TEST(empty_means_empty)
{
	unsigned largest = largest_order();
	u64 before = page_free_count(), count = 0;
	host_set_cpu(1);
	page_free(page_alloc());
	host_set_cpu(2);
	page_free_zeroed(page_alloc_zeroed());
	host_set_cpu(0);
	void *all = take_all();
	assert_int_equal(page_free_count(), 0);
	host_set_cpu(1);
	assert_null(page_alloc());
	assert_null(page_alloc_zeroed());
	count = give_all(all);
	assert_int_equal(count, before);
	host_set_cpu(3);
	assert_int_equal(largest_order(), largest);
}

/* Single pages here and there keep blocks apart until a block is wanted. */
UNIT_TEST(blocks_of_kept_pages)
{
	void *all = take_all();
	host_set_cpu(3);
	u64 count = give_all(all);
	host_set_cpu(0);
	u64 blocks = 0;
	while (page_alloc_block(2))
		blocks++;
	assert_in_range(blocks, count / 4 - 2, count / 4);
	assert_null(page_alloc_block(BUDDY_ORDERS));
	assert_null(page_alloc_block(~0u));
}

static unsigned reclaims;
static void *hoard;

static bool give_hoard_back(void)
{
	bool some = hoard;

	reclaims++;
	if (some)
		page_free(hoard);
	hoard = NULL;
	return some;
}

/* A search takes what it needs. */
UNIT_TEST(one_cpu_gives_and_others_keep)
{
	void *all = take_all(), *kept = NULL;
	u64 before;

	for (unsigned n = 1; n < CPUS; n++) {
		host_set_cpu(n);
		for (unsigned i = 0; i < 8; i++) {
			void **p = all;
			all = *p;
			page_free(p);
		}
	}
	host_set_cpu(0);
	before = page_free_count() - buddy_free_pages(); /* with CPUs */
	assert_int_equal(before, 8 * (CPUS - 1));
	kept = page_alloc();
	assert_non_null(kept);
	assert_in_range(page_free_count() - buddy_free_pages(), before - 8, before - 1);
	page_free(kept);
	give_all(all);
}

UNIT_TEST(asks_for_what_is_cached_before_it_fails)
{
	reclaims = 0;
	page_reclaim = give_hoard_back;
	hoard = page_alloc();
	while (page_free_count())
		assert_non_null(page_alloc());
	assert_int_equal(reclaims, 0);
	assert_non_null(page_alloc());
	assert_int_equal(reclaims, 1);
	assert_null(page_alloc());
	assert_int_equal(reclaims, 2);
	assert_null(page_alloc_block(1));
	assert_int_equal(reclaims, 3);
	page_reclaim = NULL;
}

/* ---- misuse ---- */

static void free_twice(void *p)
{
	page_free(p);
	page_free(p);
}
static void free_twice_as_zeroed(void *p)
{
	page_free_zeroed(p);
	page_free(p);
}
static void free_part_of_a_block(void *p)
{
	page_free(p);
}
static void free_unaligned(void *p)
{
	page_free((char *)p + 8);
}
static void free_foreign(void *p)
{
	(void)p;
	page_free(heap_virt(paddr(HOST_HEAP_PHYS + HEAP)));
}

/* A panic in the middle leaves the lock held: everything starts anew. */
static void misuse_is_caught(void **state)
{
	static const struct {
		void (*fn)(void *);
		unsigned order;
	} cases[] = {
		{free_twice, 0},     {free_twice_as_zeroed, 0}, {free_part_of_a_block, 2},
		{free_unaligned, 0}, {free_foreign, 0},
	};
	for (unsigned i = 0; i < array_size(cases); i++) {
		setup(state);
		assert_true(host_panics(cases[i].fn, page_alloc_block(cases[i].order)));
		assert_non_null(strstr(host_panic_text, "bug:"));
	}
}

/* ---- random work ---- */

#define BLOCKS 1500

/* CPUs take turns. Each page says whose it is, zeroed ones are. */
UNIT_TEST(random_work)
{
	static struct {
		u64 *p;
		unsigned order;
	} blocks[BLOCKS];
	u64 total = page_free_count(), taken = 0;
	unsigned largest = largest_order();

	memset(blocks, 0, sizeof(blocks));
	for (unsigned round = 0; round < 200000; round++) {
		unsigned i = unit_random(BLOCKS), order = unit_random(16) ? 0 : unit_random(6);
		bool zeroed = unit_random(2);
		host_set_cpu(unit_random(CPUS));
		if (!blocks[i].p) {
			u64 *p = order ? page_alloc_block(order) : zeroed ? page_alloc_zeroed() : page_alloc();
			if (!p) {
				assert_true(order || taken == total);
				continue;
			}
			assert_true(order || !zeroed || is_zero(p));
			p[PAGE_SIZE / 8 - 1] = *p = (u64)p;
			blocks[i].p = p;
			blocks[i].order = order;
			taken += bit(order);
		} else {
			u64 *p = blocks[i].p;
			assert_true(*p == (u64)p && p[PAGE_SIZE / 8 - 1] == (u64)p);
			if (!blocks[i].order && zeroed) {
				memset(p, 0, PAGE_SIZE);
				page_free_zeroed(p);
			} else {
				page_free_block(p, blocks[i].order);
			}
			taken -= bit(blocks[i].order);
			blocks[i].p = NULL;
		}
		assert_int_equal(page_free_count(), total - taken);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		if (blocks[i].p)
			page_free_block(blocks[i].p, blocks[i].order);
	assert_int_equal(page_free_count(), total);
	assert_int_equal(largest_order(), largest);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_last_one_freed_comes_first, setup),
		cmocka_unit_test_setup(counts_what_is_kept, setup),
		cmocka_unit_test_setup(batches_are_rare, setup),
		cmocka_unit_test_setup(keeps_few, setup),
		cmocka_unit_test_setup(zeroed_pages_stay_zero, setup),
		cmocka_unit_test_setup(zeroed_pages_serve_all, setup),
		cmocka_unit_test_setup(empty_means_empty, setup),
		cmocka_unit_test_setup(blocks_of_kept_pages, setup),
		cmocka_unit_test_setup(asks_for_what_is_cached_before_it_fails, setup),
		cmocka_unit_test_setup(one_cpu_gives_and_others_keep, setup),
		cmocka_unit_test_setup(misuse_is_caught, setup),
		cmocka_unit_test_setup(random_work, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
