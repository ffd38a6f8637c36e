/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the masks do to numbers in bounds (nothing) and out of them, at every edge. */
#include "unit.h"

#include "lib/nospec.h"

static const u64 edges[] = {0,
			    1,
			    2,
			    63,
			    64,
			    127,
			    128,
			    255,
			    256,
			    0x7fffffff,
			    0x80000000,
			    0xffffffff,
			    0x100000000,
			    0x7fffffffffffffff,
			    0x8000000000000000,
			    0xfffffffffffffffe,
			    0xffffffffffffffff};

UNIT_TEST(index_is_itself_or_zero)
{
	for (unsigned i = 0; i < array_size(edges); i++)
		for (unsigned n = 0; n < array_size(edges); n++)
			assert_int_equal(nospec_index(edges[i], edges[n]), edges[i] < edges[n] ? edges[i] : 0);
	for (u64 i = 0; i < 300; i++)
		assert_int_equal(nospec_index(i, 128), i < 128 ? i : 0);
}

UNIT_TEST(wraps)
{
	for (unsigned i = 0; i < array_size(edges); i++) {
		for (unsigned shift = 0; shift < 64; shift++)
			assert_int_equal(nospec_wrap(edges[i], 1ull << shift), edges[i] % (1ull << shift));
		assert_int_equal(nospec_u32(edges[i]), edges[i] % (1ull << 32));
		assert_int_equal(nospec_byte(edges[i]), edges[i] % 256);
	}
}

/* The check before it is no reason to leave it out: what comes out is still bounded if the check was wrong. */
static noinline u64 after_check(u64 i, u64 lie)
{
	if (i >= 16)
		return ~0ull;
	return nospec_wrap(i + lie, 16);
}

UNIT_TEST(stays_behind_a_check)
{
	assert_int_equal(after_check(3, 0), 3);
	assert_int_equal(after_check(3, 0x1000), 3);
	assert_int_equal(after_check(16, 0), ~0ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_is_itself_or_zero),
		cmocka_unit_test(wraps),
		cmocka_unit_test(stays_behind_a_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
