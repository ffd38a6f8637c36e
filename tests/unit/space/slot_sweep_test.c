/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of slots go back when nothing is in them, and not before. */
#include "space_obj_fixture.h"

#include "mm/page.h"
#include "space/slot_sweep.h"

static void in_use(u64 sel, struct cap_slot **slot)
{
	assert_int_equal(space_obj_reserve(&pds[1], sel, slot), SUCCESS);
}

static bool has_page(u64 sel)
{
	return space_obj_slot(&pds[1].objs, sel);
}

/* Whether there were empty ones. */
static bool sweep(unsigned slots)
{
	bool found = false;

	(void)slot_sweep(&pds[1], slots, &found);
	return found;
}

UNIT_TEST(empty_pages_go)
{
	struct cap_slot *slot[8];
	u64 pages = page_free_count();

	for (u64 i = 0; i < 8; i++)
		in_use(i << 16, &slot[i]);
	sweep(8 * CAP_SLOTS_PER_PAGE);
	for (u64 i = 0; i < 8; i++)
		assert_true(has_page(i << 16)); /* reserved is in use */
	for (u64 i = 0; i < 8; i += 2)
		space_obj_cancel(&pds[1], slot[i]);
	u32 flushes = host_tlb.host;
	sweep(16 * CAP_SLOTS_PER_PAGE);
	assert_int_equal(host_tlb.host, flushes + 1);
	for (u64 i = 0; i < 8; i++)
		assert_int_equal(has_page(i << 16), i % 2);
	for (u64 i = 1; i < 8; i += 2)
		space_obj_cancel(&pds[1], slot[i]);
	sweep(16 * CAP_SLOTS_PER_PAGE);
	assert_true(page_free_count() + 1 >= pages); /* all but the table of the second level */
}

/* In any slot, also the last one. */
UNIT_TEST(one_slot_keeps_a_page)
{
	for (u64 i = 0; i < CAP_SLOTS_PER_PAGE; i++) {
		struct cap_slot *slot;
		in_use(512 + i, &slot);
		assert_false(sweep(4 * CAP_SLOTS_PER_PAGE));
		assert_ptr_equal(space_obj_slot(&pds[1].objs, 512 + i), slot);
		space_obj_cancel(&pds[1], slot);
		assert_true(sweep(4 * CAP_SLOTS_PER_PAGE));
		assert_false(has_page(512));
	}
}

/* A look is as long as asked for, and the next one goes on. */
UNIT_TEST(a_bit_at_a_time)
{
	struct cap_slot *slot[8];
	unsigned left = 8;

	for (u64 i = 0; i < 8; i++)
		in_use(i << 7, &slot[i]);
	for (u64 i = 0; i < 8; i++)
		space_obj_cancel(&pds[1], slot[i]);
	for (unsigned i = 0; i < 4; i++) {
		unsigned there = 0;
		bool found = false;
		assert_int_equal(slot_sweep_num(&pds[1]), left);
		assert_int_equal(slot_sweep(&pds[1], 2 * CAP_SLOTS_PER_PAGE, &found), 2);
		assert_true(found);
		for (u64 n = 0; n < 8; n++)
			there += has_page(n << 7);
		assert_int_equal(there, left -= 2);
	}
}

/* Each new page pays for a look at two. */
UNIT_TEST(new_pages_sweep)
{
	struct cap_slot *slot;
	u64 least = page_free_count();

	for (u64 i = 0; i < 5000; i++) {
		in_use(i << 7, &slot);
		space_obj_cancel(&pds[1], slot);
	}
	assert_true(page_free_count() + 6 >= least);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_pages_go, setup),
		cmocka_unit_test_setup(one_slot_keeps_a_page, setup),
		cmocka_unit_test_setup(a_bit_at_a_time, setup),
		cmocka_unit_test_setup(new_pages_sweep, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
