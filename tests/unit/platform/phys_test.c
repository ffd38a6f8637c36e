/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "physical.h"
#include "platform/phys.h"

#define BASE 0x10000

UNIT_FIXTURE(setup)
{
	physical_reset();
	physical_add(BASE, 3 * PAGE_SIZE);
	physical_add(UINT64_MAX - PAGE_MASK, PAGE_SIZE); /* the last page there is */
	physical_add(0, PAGE_SIZE);
	for (u64 i = 0; i < 3 * PAGE_SIZE; i++)
		*physical_at(BASE + i, 1) = (u8)(i * 13 + i / 256);
	return 0;
}

UNIT_FIXTURE(teardown)
{
	physical_reset();
	return 0;
}

UNIT_TEST(test_read)
{
	static const struct {
		u64 at, size;
		bool ok;
	} cases[] = {
		{BASE, 1, true},
		{BASE, 3 * PAGE_SIZE, true},
		{BASE + 1, 3 * PAGE_SIZE - 1, true},
		{BASE + 4090, 12, true},
		{BASE + 3 * PAGE_SIZE - 1, 1, true},
		{BASE, 0, true},
		{0x12345, 0, true}, /* nothing can be read anywhere */
		{BASE, 3 * PAGE_SIZE + 1, false},
		{BASE - 1, 2, false},
		{BASE + 3 * PAGE_SIZE, 1, false},
		{0, 1, true},
		{PAGE_SIZE, 1, false},
		{UINT64_MAX - 7, 8, true},
		{UINT64_MAX, 1, true},
		{UINT64_MAX, 2, false}, /* around the end */
		{UINT64_MAX - 7, 9, false},
		{BASE, UINT64_MAX, false},
	};

	for (unsigned i = 0; i < array_size(cases); i++) {
		u8 *to = malloc(4 * PAGE_SIZE), sum = 5, expected = 5;
		u64 size = cases[i].size;
		if (size > 4 * PAGE_SIZE) { /* cannot be offered a buffer: only the sum is asked for */
			assert_false(phys_sum(cases[i].at, size, &sum));
		} else {
			assert_int_equal(phys_read(cases[i].at, to, size), cases[i].ok);
			assert_int_equal(phys_sum(cases[i].at, size, &sum), cases[i].ok);
		}
		if (cases[i].ok && size) {
			assert_memory_equal(to, physical_at(cases[i].at, size), size);
			for (u64 n = 0; n < size; n++)
				expected = (u8)(expected + to[n]);
			assert_int_equal(sum, expected);
		}
		free(to);
	}
}

static void put_text(u64 pa, const char *text)
{
	physical_put(pa, text, strlen(text) + 1);
}

UNIT_TEST(test_strnlen)
{
	put_text(BASE + 0x10, "hello");
	assert_int_equal(phys_strnlen(BASE + 0x10, 100), 5);
	assert_int_equal(phys_strnlen(BASE + 0x10, 6), 5);
	assert_int_equal(phys_strnlen(BASE + 0x10, 5), 5);
	assert_int_equal(phys_strnlen(BASE + 0x10, 3), 3);
	assert_int_equal(phys_strnlen(BASE + 0x10, 0), 0);
	assert_int_equal(phys_strnlen(BASE + 0x15, 100), 0);

	put_text(BASE + PAGE_SIZE - 4, "over pages"); /* goes on in the next one */
	assert_int_equal(phys_strnlen(BASE + PAGE_SIZE - 4, 100), 10);
	put_text(BASE + PAGE_SIZE - 4, "end"); /* the NUL is the last byte */
	assert_int_equal(phys_strnlen(BASE + PAGE_SIZE - 4, 100), 3);

	/* no NUL before the memory ends, none in reach, nothing there, around the end */
	memset(physical_at(BASE + 2 * PAGE_SIZE, PAGE_SIZE), 'x', PAGE_SIZE);
	assert_int_equal(phys_strnlen(BASE + 3 * PAGE_SIZE - 4, 100), 100);
	assert_int_equal(phys_strnlen(BASE + 2 * PAGE_SIZE, 64), 64);
	assert_int_equal(phys_strnlen(PAGE_SIZE, 7), 7);
	assert_int_equal(phys_strnlen(UINT64_MAX - 3, 4), 0);
	memset(physical_at(UINT64_MAX - 3, 4), 'x', 4);
	assert_int_equal(phys_strnlen(UINT64_MAX - 3, 5), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strnlen, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
