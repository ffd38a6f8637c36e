/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of ranges against an array: what is at a number and beside it, and that empty nodes go back. */
#include "host.h"
#include "mm/page.h"
#include "space/pio_index.h"
#include "space/pio_range.h"

#include "hog.h"
#include "unit.h"

#define NUMBERS (1u << PIO_INDEX_BITS)

static struct pio_index ix;
static struct pio_range *model[NUMBERS];
static struct pio_range some[64];

UNIT_FIXTURE(setup)
{
	host_reset(16 * MiB);
	ix = (struct pio_index){0};
	memset(model, 0, sizeof model);
	pio_index_boot();
	return 0;
}

static void put(u32 number)
{
	struct pio_range **place = pio_index_make(&ix, number);

	assert_non_null(place);
	assert_ptr_equal(*place, model[number]);
	*place = model[number] = &some[unit_random(array_size(some))];
	assert_ptr_equal(pio_index_place(&ix, number), place);
}

static void drop(u32 number)
{
	pio_index_remove(&ix, number);
	model[number] = NULL;
}

static void check(u32 number)
{
	u32 down = number, up = number;

	assert_ptr_equal(pio_index_get(&ix, number), model[number]);
	while (down && !model[down])
		down--;
	while (up < NUMBERS - 1 && !model[up])
		up++;
	assert_ptr_equal(pio_index_floor(&ix, number), model[down]);
	assert_ptr_equal(pio_index_ceiling(&ix, number), model[up]);
}

/* Near each other, near the borders of nodes, and anywhere. */
static u32 random_number(void)
{
	u32 around = unit_random(3) * (1u << 12) + unit_random(2) * (1u << 6);
	return unit_random(4) ? (around + unit_random(8) - 4) & (NUMBERS - 1) : unit_random(NUMBERS);
}

UNIT_TEST(nothing)
{
	check(0);
	check(NUMBERS - 1);
	assert_null(pio_index_ceiling(&ix, NUMBERS));
	assert_null(pio_index_get(&ix, 1u << 20));
	pio_index_free(&ix);
}

UNIT_TEST(random_numbers)
{
	u32 count = 0;

	for (unsigned i = 0; i < 20000; i++) {
		u32 number = random_number();
		bool fill = unit_random(i / 2000 % 2 ? 8 : 3);
		if (fill && !model[number]) {
			put(number);
			count++;
		} else if (!fill && model[number]) {
			drop(number);
			count--;
		}
		assert_int_equal(ix.count, count);
		if (i % 8 == 0)
			check(random_number());
	}
	for (u32 n = 0; n < NUMBERS; n++)
		if (model[n])
			drop(n);
	check(5);
	pio_index_free(&ix);
	assert_null(ix.root);
}

/* One leaf, with the node above it, may be empty. */
UNIT_TEST(empty_nodes_go_back)
{
	u64 before = page_free_count(), full;

	for (u32 n = 0; n < NUMBERS; n += 7)
		put(n);
	full = page_free_count();
	assert_true(before - full > 100);
	for (u32 n = 0; n < NUMBERS; n += 7)
		drop(n);
	assert_true(before - page_free_count() < 12); /* the slab keeps some */
	pio_index_free(&ix);
}

/* A number for which there is no node changes nothing. */
UNIT_TEST(without_memory)
{
	struct hog hog = {0};
	u32 last;

	hog_take(&hog, 0);
	for (last = 0; last < NUMBERS && pio_index_make(&ix, last); last += 0x1040)
		put(last);
	hog_release(&hog);
	assert_true(last < NUMBERS);
	for (u32 n = 0; n < last; n += 0x1040)
		check(n);
	check(last);
	assert_int_equal(ix.count, last / 0x1040);
	put(last);
	check(last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing, setup),
		cmocka_unit_test_setup(random_numbers, setup),
		cmocka_unit_test_setup(empty_nodes_go_back, setup),
		cmocka_unit_test_setup(without_memory, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
