/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page allocator: geometry, exhaustion, merging, misuse, and random work against a map of who owns which page. */
#include "host.h"
#include "lib/bits.h"
#include "mm/buddy.h"
#include "mm/layout.h"

#include "unit.h"

#define HEAP (16 * MiB)

UNIT_FIXTURE(setup)
{
	host_reset(HEAP);
	return 0;
}

static u64 frame(const void *p)
{
	return heap_phys(p).v >> PAGE_BITS;
}

UNIT_TEST(blocks_are_naturally_aligned)
{
	for (unsigned order = 0; order <= 10; order++) {
		void *p = buddy_alloc(order);
		assert_non_null(p);
		assert_true(is_aligned(heap_phys(p).v, PAGE_SIZE << order));
		assert_int_equal(buddy_page(p)->order, order);
		assert_ptr_equal(buddy_page_virt(buddy_page(p)), p);
	}
}

UNIT_TEST(counts_free_pages)
{
	u64 before = buddy_free_pages();
	void *p = buddy_alloc(3);
	assert_int_equal(buddy_free_pages(), before - 8);
	buddy_free(p, 3);
	assert_int_equal(buddy_free_pages(), before);
}

UNIT_TEST(zeroed_pages_are_zero)
{
	void *p = buddy_alloc(0);
	memset(p, 0xa5, PAGE_SIZE);
	buddy_free(p, 0);
	u64 *z = buddy_alloc_zeroed();
	assert_ptr_equal(z, p);
	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		assert_int_equal(z[i], 0);
}

UNIT_TEST(refuses_orders_beyond_the_largest)
{
	assert_null(buddy_alloc(BUDDY_ORDERS));
	assert_null(buddy_alloc(BUDDY_ORDERS - 1));
	assert_null(buddy_alloc(~0u));
}

/* The largest block there is; frees it again. */
static unsigned largest_order(void)
{
	for (unsigned order = BUDDY_ORDERS; order--;) {
		void *p = buddy_alloc(order);
		if (p) {
			buddy_free(p, order);
			return order;
		}
	}
	return ~0u;
}

UNIT_TEST(merges_back_after_exhaustion)
{
	u64 total = buddy_free_pages();
	unsigned largest = largest_order();
	void *first = NULL, *p;
	u64 count = 0;

	for (; (p = buddy_alloc(0)); count++) {
		*(void **)p = first;
		first = p;
	}
	assert_int_equal(count, total);
	assert_int_equal(buddy_free_pages(), 0);
	assert_null(buddy_alloc_zeroed());

	for (void *next; first; first = next) {
		next = *(void **)first;
		buddy_free(first, 0);
	}
	assert_int_equal(buddy_free_pages(), total);
	assert_int_equal(largest_order(), largest);
}

UNIT_TEST(works_on_an_odd_range)
{
	/* Neither base nor size is a power of two. */
	buddy_init(paddr(HOST_HEAP_PHYS + 3 * PAGE_SIZE), 1001 * PAGE_SIZE);
	u64 total = buddy_free_pages();
	assert_in_range(total, 980, 1000);
	for (u64 i = 0; i < total; i++) {
		void *p = buddy_alloc(0);
		assert_non_null(p);
		assert_in_range(frame(p), HOST_HEAP_PHYS / PAGE_SIZE + 3, HOST_HEAP_PHYS / PAGE_SIZE + 3 + 1000);
	}
	assert_null(buddy_alloc(0));
}

/* ---- misuse ---- */

static void free_twice(void *p)
{
	buddy_free(p, 0);
	buddy_free(p, 0);
}

static void free_wrong_order(void *p)
{
	buddy_free(p, 1);
}
static void free_inside(void *p)
{
	buddy_free((char *)p + PAGE_SIZE, 0);
}
static void free_unaligned(void *p)
{
	buddy_free((char *)p + 8, 0);
}
static void free_foreign(void *p)
{
	(void)p;
	buddy_free(heap_virt(paddr(HOST_HEAP_PHYS + HEAP)), 0);
}

/* A panic in the middle leaves the lock held: everything starts anew. */
static void misuse_is_caught(void **state)
{
	static const struct {
		void (*fn)(void *);
		unsigned order;
	} cases[] = {
		{free_twice, 0},  {free_wrong_order, 0}, {free_wrong_order, 2},
		{free_inside, 2}, {free_unaligned, 0},   {free_foreign, 0},
	};
	for (unsigned i = 0; i < array_size(cases); i++) {
		setup(state);
		assert_true(host_panics(cases[i].fn, buddy_alloc(cases[i].order)));
		assert_non_null(strstr(host_panic_text, "bug:"));
	}
}

/* ---- random work ---- */

#define BLOCKS 400

UNIT_TEST(random_work_matches_the_model)
{
	struct {
		void *p;
		unsigned order;
	} blocks[BLOCKS] = {0};
	static u8 owned[HEAP / PAGE_SIZE];
	u64 total = buddy_free_pages(), taken = 0;
	u64 first = HOST_HEAP_PHYS / PAGE_SIZE;
	unsigned largest = largest_order();

	memset(owned, 0, sizeof(owned));
	for (unsigned round = 0; round < 200000; round++) {
		unsigned i = unit_random(BLOCKS);
		bool take = !blocks[i].p;
		if (take) {
			blocks[i].order = unit_random(8) ? unit_random(4) : unit_random(9);
			blocks[i].p = buddy_alloc(blocks[i].order);
			if (!blocks[i].p) {
				assert_true(total - taken < 4096);
				continue;
			}
			assert_true(is_aligned(frame(blocks[i].p), bit(blocks[i].order)));
		}
		for (u64 n = 0; n < bit(blocks[i].order); n++) {
			u8 *o = &owned[frame(blocks[i].p) - first + n];
			assert_int_equal(*o, !take);
			*o = take;
		}
		taken += take ? bit(blocks[i].order) : -bit(blocks[i].order);
		if (!take) {
			buddy_free(blocks[i].p, blocks[i].order);
			blocks[i].p = NULL;
		}
		assert_int_equal(buddy_free_pages(), total - taken);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		if (blocks[i].p)
			buddy_free(blocks[i].p, blocks[i].order);
	assert_int_equal(buddy_free_pages(), total);
	assert_int_equal(largest_order(), largest);
}

/* ---- single pages by the stack ---- */

UNIT_TEST(pages_by_the_stack)
{
	u64 before = buddy_free_pages();
	unsigned largest = largest_order();
	struct page *stack = NULL;

	assert_int_equal(buddy_take(&stack, 0), 0);
	assert_null(stack);
	assert_int_equal(buddy_take(&stack, 5), 5);
	assert_int_equal(buddy_free_pages(), before - 5);
	for (struct page *p = stack; p; p = p->owner)
		assert_true(p->state == PAGE_KEPT && p->order == 0);
	assert_int_equal(buddy_give(&stack, 2), 2);
	assert_int_equal(buddy_give(&stack, 9), 3);
	assert_null(stack);
	assert_int_equal(buddy_free_pages(), before);
	assert_int_equal(largest_order(), largest);
}

UNIT_TEST(takes_what_is_left)
{
	u64 before = buddy_free_pages();
	struct page *stack = NULL;

	assert_int_equal(buddy_take(&stack, ~0u), before);
	assert_int_equal(buddy_free_pages(), 0);
	assert_null(buddy_alloc(0));
	assert_int_equal(buddy_take(&stack, 1), 0);
	assert_int_equal(buddy_give(&stack, ~0u), before);
}

UNIT_TEST(knows_its_pages)
{
	char *p = buddy_alloc(0);
	assert_true(buddy_is_page(p));
	assert_false(buddy_is_page(p + 8));
	assert_false(buddy_is_page(heap_virt(paddr(HOST_HEAP_PHYS + HEAP))));
	assert_false(buddy_is_page(heap_virt(paddr(HOST_HEAP_PHYS - PAGE_SIZE))));
	assert_true(buddy_is_page(heap_virt(paddr(HOST_HEAP_PHYS + HEAP - PAGE_SIZE))));
}

/* Two pieces far apart and one between them that touches the second. Nothing is ever taken from the holes, and blocks
 * merge within what is connected. */
UNIT_TEST(a_heap_in_pieces)
{
	static struct page frames[HEAP / PAGE_SIZE];
	static u8 had[HEAP / PAGE_SIZE];
	u64 base = HOST_HEAP_PHYS >> PAGE_BITS, total = (2 + 1 + 4) * MiB / PAGE_SIZE;

	buddy_init_empty(frames - base, base, HEAP / PAGE_SIZE);
	buddy_add(paddr(HOST_HEAP_PHYS + 10 * MiB), 2 * MiB);
	buddy_add(paddr(HOST_HEAP_PHYS), 1 * MiB);
	buddy_add(paddr(HOST_HEAP_PHYS + 12 * MiB), 4 * MiB);
	assert_int_equal(buddy_free_pages(), total);
	for (unsigned round = 0; round < 2; round++) {
		void *stack = NULL, *p;
		u64 count = 0;
		memset(had, 0, sizeof had);
		for (; (p = buddy_alloc(0)); count++) {
			u64 at = frame(p) - base;
			assert_true(at < 256 || (at >= 2560 && at < 4096));
			assert_false(had[at]++);
			*(void **)p = stack;
			stack = p;
		}
		assert_int_equal(count, total);
		while ((p = stack)) {
			stack = *(void **)p;
			buddy_free(p, 0);
		}
		assert_int_equal(buddy_free_pages(), total);
		assert_int_equal(largest_order(), 10);
	}
	for (u64 at = 256; at < 2560; at++)
		assert_int_equal(frames[at].state, PAGE_INSIDE);
	buddy_free(buddy_alloc(10), 10);
	assert_null(buddy_alloc(11));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(blocks_are_naturally_aligned, setup),
		cmocka_unit_test_setup(counts_free_pages, setup),
		cmocka_unit_test_setup(zeroed_pages_are_zero, setup),
		cmocka_unit_test_setup(refuses_orders_beyond_the_largest, setup),
		cmocka_unit_test_setup(merges_back_after_exhaustion, setup),
		cmocka_unit_test_setup(works_on_an_odd_range, setup),
		cmocka_unit_test_setup(misuse_is_caught, setup),
		cmocka_unit_test_setup(random_work_matches_the_model, setup),
		cmocka_unit_test_setup(pages_by_the_stack, setup),
		cmocka_unit_test_setup(takes_what_is_left, setup),
		cmocka_unit_test_setup(knows_its_pages, setup),
		cmocka_unit_test_setup(a_heap_in_pieces, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
