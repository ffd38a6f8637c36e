/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opinions on the rate of the TSC: which one counts, and what is said about the others. */
#include "unit.h"

#include "fake_log.h"
#include "host.h"
#include "platform/tsc_choice.h"

enum { CRYSTAL, HYPERVISOR, PIT, PM_TIMER, HPET, PSTATE, BASE, COUNT };

static struct tsc_opinion o[COUNT];

UNIT_FIXTURE(setup)
{
	static const struct tsc_opinion nobody[COUNT] = {{"crystal", 0, 0, false}, {"hypervisor", 0, 0, false},
							 {"PIT", 0, 200, true},    {"PM timer", 0, 100, true},
							 {"HPET", 0, 50, true},    {"P-state", 0, 20000, false},
							 {"base", 0, 20000, false}};

	memcpy(o, nobody, sizeof(o));
	host_reset(4 * MiB);
	fake_log_start();
	return 0;
}

static u32 choose(void)
{
	fake_log_start();
	return tsc_choice_make(o, COUNT);
}

static bool warned(void)
{
	return fake_log_has("warning");
}

UNIT_TEST(test_nobody)
{
	assert_int_equal(choose(), 0);
	assert_true(fake_log_empty());
	assert_int_equal(tsc_choice_make(o, 0), 0);
}

UNIT_TEST(test_one)
{
	for (unsigned i = 0; i < COUNT; i++) {
		setup(NULL);
		o[i].khz = 2400000;
		assert_int_equal(choose(), 2400000);
		assert_true(fake_log_has(o[i].name));
		assert_true(fake_log_has("which nothing confirms"));
		assert_false(warned());
	}
}

UNIT_TEST(test_confirmed)
{
	o[CRYSTAL].khz = 2419200;
	o[PIT].khz = 2419500;
	o[PM_TIMER].khz = 2419100;
	o[BASE].khz = 2400000;
	assert_int_equal(choose(), 2419200);
	assert_true(fake_log_has("TSC: 2419200 kHz by crystal, 124 ppm from PIT"));
	assert_false(warned());
}

UNIT_TEST(test_border_of_agreement)
{
	o[CRYSTAL].khz = 2000000;
	o[PIT].khz = 2000000 + 2400; /* 1000 and its own 200 ppm */
	assert_int_equal(choose(), 2000000);
	assert_false(warned());
	o[PIT].khz += 4;
	assert_int_equal(choose(), 2000000);
	assert_true(warned());
	assert_true(fake_log_has("TSC: 2002404 kHz by PIT do not fit the 2000000 kHz by crystal, which are used"));
	assert_true(fake_log_has("which nothing confirms"));
}

/* A table with the wrong crystal, as some CPUs have it. */
UNIT_TEST(test_two_clocks_against_tables)
{
	o[CRYSTAL].khz = 2419200;
	o[BASE].khz = 2400000; /* copied from the same tables: confirms nothing */
	o[PIT].khz = 100000;
	o[PM_TIMER].khz = 100010;
	assert_int_equal(choose(), 100000);
	assert_true(fake_log_has("2419200 kHz by crystal do not fit the 100000 kHz by PIT"));
	assert_true(fake_log_has("2400000 kHz by base do not fit"));
	assert_true(fake_log_has("TSC: 100000 kHz by PIT, 100 ppm from PM timer"));
}

UNIT_TEST(test_clock_and_box_against_crystal)
{
	o[CRYSTAL].khz = 2500000;
	o[PIT].khz = 2400300;
	o[BASE].khz = 2400000;
	assert_int_equal(choose(), 2400300);
	assert_true(fake_log_has("2500000 kHz by crystal do not fit"));
}

UNIT_TEST(test_one_clock_against_crystal)
{
	o[CRYSTAL].khz = 2500000;
	o[PIT].khz = 2400300;
	assert_int_equal(choose(), 2500000);
	assert_true(warned());
}

UNIT_TEST(test_one_of_three_clocks_is_wrong)
{
	for (unsigned wrong = PIT; wrong <= HPET; wrong++) {
		setup(NULL);
		o[PIT].khz = o[PM_TIMER].khz = o[HPET].khz = 3000000;
		o[wrong].khz = 3100000;
		assert_int_equal(choose(), 3000000);
		assert_true(warned() && fake_log_has("3100000 kHz by "));
	}
}

UNIT_TEST(test_nominal_ones_are_last)
{
	o[PSTATE].khz = 2400000;
	o[BASE].khz = 2410000;
	o[HPET].khz = 2399000;
	assert_int_equal(choose(), 2399000);
	assert_false(warned());
	o[BASE].khz = 2600000;
	assert_int_equal(choose(), 2399000);
	assert_true(fake_log_has("2600000 kHz by base do not fit"));
}

UNIT_TEST(test_nonsense_has_no_say)
{
	static const u32 nonsense[] = {1, 41, 999, 20000001, ~0u};

	for (unsigned i = 0; i < array_size(nonsense); i++) {
		setup(NULL);
		o[CRYSTAL].khz = o[PIT].khz = nonsense[i];
		assert_int_equal(choose(), 0);
		assert_true(fake_log_has("kHz by crystal make no sense") && fake_log_has("kHz by PIT make no sense"));
		o[BASE].khz = 2400000;
		assert_int_equal(choose(), 2400000);
		assert_true(fake_log_has("make no sense"));
	}
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nobody),
		TEST(one),
		TEST(confirmed),
		TEST(border_of_agreement),
		TEST(two_clocks_against_tables),
		TEST(clock_and_box_against_crystal),
		TEST(one_clock_against_crystal),
		TEST(one_of_three_clocks_is_wrong),
		TEST(nominal_ones_are_last),
		TEST(nonsense_has_no_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
