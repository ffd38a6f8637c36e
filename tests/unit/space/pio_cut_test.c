/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cutting port by port: what is taken in one step, what is left as which parts. Whole trees: space_pio_test.c. */
#include "host.h"
#include "lib/bits.h"
#include "space/pd.h"
#include "space/pio_cut.h"

#include "hog.h"
#include "unit.h"

#define PDS 4
static struct pd pds[PDS]; /* number 0 has all ports */
static struct hog hog;

UNIT_FIXTURE(setup)
{
	host_reset(16 * MiB);
	memset(pds, 0, sizeof pds);
	return space_pio_boot(&pds[0]) == SUCCESS ? 0 : -1;
}

static void give(unsigned from, unsigned to, u32 base, unsigned order)
{
	assert_int_equal(space_pio_delegate(&pds[from], &pds[to], base, order, PIO_HOST), SUCCESS);
}

static struct block at(unsigned pd, u32 port)
{
	crd_t c = space_pio_lookup(&pds[pd], port);
	return c ? block_of_crd(c) : (struct block){~0ull, 0};
}

#define assert_block(b, from, o)                  \
	do {                                      \
		assert_int_equal((b).base, from); \
		assert_int_equal((b).order, o);   \
	} while (0)

UNIT_TEST(one_range_at_a_time)
{
	struct block within = {0x100, 6};
	u64 next = 0x100;
	give(0, 1, 0x108, 3);
	give(0, 1, 0x120, 2);
	assert_int_equal(pio_cut(&pds[1], within, &next, true), SUCCESS);
	assert_int_equal(next, 0x110);
	assert_int_equal(space_pio_lookup(&pds[1], 0x108), 0);
	assert_block(at(1, 0x120), 0x120, 2);
	assert_int_equal(pio_cut(&pds[1], within, &next, true), SUCCESS);
	assert_int_equal(next, 0x124);
	assert_int_equal(pio_cut(&pds[1], within, &next, true), SUCCESS);
	assert_true(next >= 0x140); /* there are no more */
	assert_null(pds[1].pio.ranges.root);
}

UNIT_TEST(parts_of_one)
{
	u64 next = 0x105;
	give(0, 1, 0x100, 4);
	assert_int_equal(pio_cut(&pds[1], (struct block){0x105, 0}, &next, true), SUCCESS);
	assert_int_equal(next, 0x106);
	assert_int_equal(space_pio_lookup(&pds[1], 0x105), 0);
	assert_block(at(1, 0x104), 0x104, 0);
	assert_block(at(1, 0x107), 0x106, 1);
	assert_block(at(1, 0x100), 0x100, 2);
	assert_block(at(1, 0x10f), 0x108, 3);
}

/* Below a range that falls into parts the others know nothing of it: still the same, and still derived from it. */
UNIT_TEST(neighbours_stay)
{
	u64 next = 0x100;
	give(0, 1, 0x100, 4);
	give(1, 2, 0x108, 2);
	give(2, 3, 0x109, 0);
	assert_int_equal(pio_cut(&pds[1], (struct block){0x100, 1}, &next, true), SUCCESS);
	assert_block(at(2, 0x10a), 0x108, 2);
	assert_int_equal(space_pio_translate(&pds[3], 0x109, &pds[1], block_make(0, 16)),
			 crd_make(CRD_PIO, 0x108, 3, PERM_PIO_A));
	assert_int_equal(space_pio_revoke(&pds[1], 0x108, 3, true), SUCCESS);
	assert_null(pds[2].pio.ranges.root);
	assert_null(pds[3].pio.ranges.root);
}

/* Below the hole, ranges of all sizes: those inside go, those around fall into parts, also far down. */
UNIT_TEST(all_below)
{
	u64 next = 0x104;
	give(0, 1, 0x100, 4);
	give(1, 2, 0x100, 3);
	give(2, 3, 0x100, 3);
	assert_int_equal(pio_cut(&pds[1], (struct block){0x104, 1}, &next, false), SUCCESS);
	assert_block(at(1, 0x104), 0x100, 4);
	for (unsigned pd = 2; pd < PDS; pd++) {
		assert_int_equal(space_pio_lookup(&pds[pd], 0x105), 0);
		assert_block(at(pd, 0x100), 0x100, 2);
		assert_block(at(pd, 0x106), 0x106, 1);
	}
}

UNIT_TEST(without_memory_nothing_changes)
{
	u64 next = 0x105, failures = 0;
	enum status status;
	for (unsigned pd = 1; pd < PDS; pd++)
		give(pd - 1, pd, 0, 16);
	do {
		hog_take(&hog, 0);
		next = 0x105 + failures;
		status = pio_cut(&pds[1], (struct block){next, 0}, &next, true);
		hog_release(&hog);
		if (status == SUCCESS)
			assert_int_equal(space_pio_revoke(&pds[1], 0, 16, true), SUCCESS);
		else
			for (unsigned pd = 1; pd < PDS; pd++)
				assert_block(at(pd, 0x105), 0, 16);
	} while (status == OOM && ++failures < 3);
	assert_int_equal(failures, 3); /* 48 nodes are not at hand */
	for (unsigned pd = 1; pd < PDS; pd++)
		assert_false(pds[pd].pio.lock.held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_range_at_a_time, setup),
		cmocka_unit_test_setup(parts_of_one, setup),
		cmocka_unit_test_setup(neighbours_stay, setup),
		cmocka_unit_test_setup(all_below, setup),
		cmocka_unit_test_setup(without_memory_nothing_changes, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
