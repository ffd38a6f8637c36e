/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processors with errata, by signatures that machines have: the right models in all steppings, and no neighbours. */
#include "unit.h"

#include "cpu/errata.c"

UNIT_TEST(models_whose_monitor_misses_stores)
{
	static const u32 bad[] = {
		0x000506c9, 0x000506ca, /* Apollo Lake */
		0x000606a6,             /* Ice Lake SP */
		0x000606c1,             /* Ice Lake D */
		0x000b06d1, 0x000b06d0, /* Lunar Lake */
	};

	for (unsigned i = 0; i < array_size(bad); i++)
		assert_true(errata_monitor_misses_stores(bad[i]));
}

UNIT_TEST(their_neighbours_do_not)
{
	static const u32 good[] = {
		0x00000000, /* nothing known */
		0x000306c3, /* Haswell: the same low half of the model as Goldmont */
		0x000506e3, /* Skylake: the same high half */
		0x000506f1, /* Denverton */
		0x000706a8, /* Goldmont Plus */
		0x000706e5, /* Ice Lake clients */
		0x000806f8, /* Sapphire Rapids */
		0x000a06a4, /* Meteor Lake */
		0x000c0652, /* Arrow Lake */
		0x000b06f2, /* Raptor Lake, next to Lunar Lake */
		0x00060fc0, /* an old AMD with an extended model that looks like it */
		0x00a20f12, /* Zen 3 */
	};

	for (unsigned i = 0; i < array_size(good); i++)
		assert_false(errata_monitor_misses_stores(good[i]));
}

/* The stepping and the type of the processor do not count. */
UNIT_TEST(steppings_do_not_count)
{
	for (u32 n = 0; n < 16; n++) {
		assert_true(errata_monitor_misses_stores(0x000b06d0 | n));
		assert_false(errata_monitor_misses_stores(0x000b06e0 | n));
	}
	assert_true(errata_monitor_misses_stores(0x000b16d1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_whose_monitor_misses_stores),
		cmocka_unit_test(their_neighbours_do_not),
		cmocka_unit_test(steppings_do_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
