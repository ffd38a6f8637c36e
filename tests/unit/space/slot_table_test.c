/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables behind slot windows: which slot a selector is, what is skipped, and that all is given back zeroed. */
#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/slot_table.h"

#include "hog.h"
#include "unit.h"

static u64 *top;
static u64 pages;
static struct pd pd;

static int begin(void)
{
	top = slot_table_alloc(&pd.account);
	pd.objs.pdpt = top;
	list_init(&pd.objs.pages);
	return top ? 0 : -1;
}

UNIT_FIXTURE(setup)
{
	host_reset(32 * MiB);
	pages = page_free_count();
	return begin();
}

/* One page, table or look at holes after the other. */
static void free_all(void)
{
	while (slot_table_free_below(top, 1) <= 0)
		;
	assert_false(slot_table_is_used(top));
	page_return_zeroed(top);
}

UNIT_FIXTURE(teardown)
{
	free_all();
	assert_int_equal(page_free_count(), pages);
	/* What is said to be zero is. */
	for (unsigned i = 0; i < 32; i++) {
		const u64 *page = page_alloc_zeroed();
		for (unsigned w = 0; w < PAGE_SIZE / 8; w++)
			assert_int_equal(page[w], 0);
	}
	return 0;
}

static struct cap_slot *make(u64 sel)
{
	struct cap_slot *s = slot_table_make(top, &pd, sel);
	assert_non_null(s);
	assert_ptr_equal(slot_table_find(top, sel), s);
	assert_ptr_equal(buddy_page(s)->owner, &pd);
	assert_int_equal(buddy_page(s)->index, sel & ~bits_low(SLOT_TABLE_SLOT_BITS));
	return s;
}

static const u64 edges[] = {0, 127, 128, 0xffff, 0x10000, 0x1ffffff, 0x2000000, HEDRON_SEL_NUM - 1};

UNIT_TEST(slots_of_a_page_are_neighbours)
{
	for (unsigned i = 0; i < array_size(edges); i++) {
		struct cap_slot *s = make(edges[i]);
		u64 in_page = edges[i] % CAP_SLOTS_PER_PAGE;
		assert_true(is_aligned((u64)(s - in_page), PAGE_SIZE));
		assert_int_equal(s->cap, 0);
		assert_null(s->node.parent);
		s->cap = ~0ull; /* slots are not clean when they are freed */
		assert_ptr_equal(make(edges[i] - in_page), s - in_page);
	}
	for (unsigned i = 0; i < array_size(edges); i++)
		assert_int_equal(make(edges[i])->cap, ~0ull);
}

UNIT_TEST(nothing_is_found_where_nothing_is)
{
	for (unsigned i = 0; i < array_size(edges); i++)
		assert_null(slot_table_find(top, edges[i]));
	make(128);
	assert_null(slot_table_find(top, 127));
	assert_null(slot_table_find(top, 256));
	assert_null(slot_table_find(top, 128 + (1 << 16)));
	assert_null(slot_table_find(top, 128 + (1 << 25)));
}

#define PAGES (HEDRON_SEL_NUM / CAP_SLOTS_PER_PAGE)
static bool there[PAGES];

static u64 expected_skip(u64 sel, u64 end)
{
	if (there[sel / CAP_SLOTS_PER_PAGE])
		return sel;
	for (u64 page = sel / CAP_SLOTS_PER_PAGE + 1; page * CAP_SLOTS_PER_PAGE < end; page++)
		if (there[page])
			return page * CAP_SLOTS_PER_PAGE;
	return end;
}

static unsigned pieces;

/* All pieces of it. None goes too far or stays where it is. */
static u64 skip_all(u64 sel, u64 end)
{
	for (pieces = 1;; pieces++) {
		u64 got = slot_table_skip(top, sel, end);
		if (got >= end || slot_table_find(top, got))
			return got;
		assert_true(got > sel);
		sel = got;
	}
}

/* To the last one of all, from behind the first: nearly three tables of holes. */
UNIT_TEST(long_holes_are_passed_in_pieces)
{
	make(0)->cap = make(HEDRON_SEL_NUM - 1)->cap = ~0ull;
	make((1 << 16) - 1)->cap = ~0ull;
	make((1 << 25) - 1)->cap = ~0ull;
	assert_int_equal(skip_all(128, 1 << 16), (1 << 16) - 128);
	assert_in_range(pieces, 2, 3);
	assert_int_equal(skip_all(1 << 16, HEDRON_SEL_NUM), (1 << 25) - 128);
	assert_in_range(pieces, 4, 6);
}

UNIT_TEST(skips_to_the_next_page)
{
	memset(there, 0, sizeof there);
	for (unsigned round = 0; round < 300; round++) {
		u64 sel = unit_random(4) ? unit_random(1 << 16) : unit_random(HEDRON_SEL_NUM);
		make(sel)->cap = ~0ull; /* else the page is swept away */
		there[sel / CAP_SLOTS_PER_PAGE] = true;
		for (unsigned i = 0; i < 20; i++) {
			u64 from = unit_random(2) ? unit_random(1 << 17) : unit_random(HEDRON_SEL_NUM);
			u64 end = from + 1 + unit_random((unsigned)(HEDRON_SEL_NUM - from));
			u64 want = expected_skip(from, end), got = skip_all(from, end);
			assert_true(want < end ? got == want : got >= end);
		}
	}
}

/* At each level in turn. What was made until then stays, and is used by the next try. */
UNIT_TEST(out_of_memory)
{
	static struct hog hog;

	for (u64 leave = 0; leave < 3; leave++) {
		hog_take(&hog, leave);
		assert_null(slot_table_make(top, &pd, 5 + (leave << 25)));
		assert_int_equal(page_free_count(), 0);
		hog_release(&hog);
		free_all();
		assert_int_equal(page_free_count(), pages);
		begin();
	}
	make(5);
	assert_int_equal(page_free_count(), pages - 4);
	make(6);
	assert_int_equal(page_free_count(), pages - 4);
}

/* A page and a table of each row, and the way there past 511 entries that are empty. */
UNIT_TEST(is_freed_in_pieces)
{
	enum { ROWS = 40, PIECE = 300, MOST = PIECE / 20 + 1 };
	u64 free;

	pieces = 0;
	for (u64 row = 0; row < ROWS; row++)
		make(((row + 1) << 16) - 1)->cap = ~0ull; /* else the page is swept away */
	do {
		free = page_free_count();
		pieces++;
		if (slot_table_free_below(top, PIECE) > 0)
			break;
		assert_in_range(page_free_count() - free, 0, MOST);
	} while (true);
	assert_in_range(pieces, 2 * ROWS / MOST, ROWS * 16);
	assert_int_equal(page_free_count(), pages - 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(slots_of_a_page_are_neighbours),
		T(nothing_is_found_where_nothing_is),
		T(skips_to_the_next_page),
		T(long_holes_are_passed_in_pieces),
		T(out_of_memory),
		T(is_freed_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
