/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors come out as they went in, in order; what finds no room is counted. */
#include "unit.h"

#include "platform/mca_log.h"

static struct mca_log log_;

static void put(u64 n)
{
	struct mca_error e = {.status = MCA_VALID | n, .addr = ~n, .misc = n * 3, .bank = (u8)n};
	mca_log_put(&log_, &e);
}

static void assert_next(u64 n)
{
	struct mca_error e;
	assert_true(mca_log_take(&log_, &e));
	assert_int_equal(e.status, MCA_VALID | n);
	assert_int_equal(e.addr, ~n);
	assert_int_equal(e.misc, n * 3);
	assert_int_equal(e.bank, (u8)n);
}

static void assert_empty(void)
{
	struct mca_error e;
	assert_false(mca_log_take(&log_, &e));
}

UNIT_FIXTURE(setup)
{
	log_ = (struct mca_log){0};
	return 0;
}

UNIT_TEST(in_order)
{
	assert_empty();
	for (unsigned n = 0; n < 3 * MCA_LOG_SIZE; n += 2) {
		put(n);
		put(n + 1);
		assert_next(n);
		assert_next(n + 1);
		assert_empty();
	}
	assert_int_equal(log_.lost, 0);
}

UNIT_TEST(the_first_stay)
{
	for (unsigned n = 0; n < MCA_LOG_SIZE + 5; n++)
		put(n);
	assert_int_equal(log_.lost, 5);
	for (unsigned n = 0; n < MCA_LOG_SIZE; n++)
		assert_next(n);
	assert_empty();
}

UNIT_TEST(indices_wrap)
{
	log_.written = log_.read = UINT32_MAX - 3;
	for (unsigned n = 0; n < MCA_LOG_SIZE + 1; n++)
		put(n);
	assert_int_equal(log_.lost, 1);
	for (unsigned n = 0; n < MCA_LOG_SIZE; n++)
		assert_next(n);
	assert_empty();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_order, setup),
		cmocka_unit_test_setup(the_first_stay, setup),
		cmocka_unit_test_setup(indices_wrap, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
