/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Claims by one thread: what is locked, what is given back, and who waits. Several threads: tests/stress. */
#include "host.h"
#include "space/pd.h"
#include "space/pio_lock_set.h"

#include "unit.h"

#define PDS 5
static struct pd pds[PDS];

UNIT_FIXTURE(setup)
{
	memset(pds, 0, sizeof pds);
	return 0;
}

static unsigned held(void)
{
	unsigned bits = 0;
	for (unsigned i = 0; i < PDS; i++)
		bits |= (unsigned)pds[i].pio.lock.held << i;
	return bits;
}

UNIT_TEST(locks_once_and_gives_all_back)
{
	struct pio_lock_set c = {0};
	(void)state;
	assert_true(pio_lock_set_add(&c, &pds[1]));
	assert_true(pio_lock_set_add(&c, &pds[3]));
	assert_true(pio_lock_set_add(&c, &pds[1]));
	assert_int_equal(held(), 1 << 1 | 1 << 3);
	pio_lock_set_release(&c);
	assert_int_equal(held(), 0);
	for (unsigned i = 0; i < PDS; i++)
		assert_null(pds[i].pio.locked_by);
}

UNIT_TEST(nothing_locked)
{
	struct pio_lock_set c = {0};
	(void)state;
	pio_lock_set_release(&c);
	pio_lock_set_restart(&c);
	pio_lock_set_release(&c);
	assert_int_equal(held(), 0);
}

/* Somebody else has it: not for ever, if something is held. */
UNIT_TEST(gives_up)
{
	struct pio_lock_set c = {0}, other = {0};
	(void)state;
	assert_true(pio_lock_set_add(&other, &pds[2]));
	assert_true(pio_lock_set_add(&c, &pds[1]));
	assert_false(pio_lock_set_add(&c, &pds[2]));
	assert_int_equal(held(), 1 << 1 | 1 << 2);
	pio_lock_set_restart(&c);
	assert_int_equal(held(), 1 << 2);
	assert_true(c.exclusive);
	pio_lock_set_release(&other);
	assert_true(pio_lock_set_add(&c, &pds[2]));
	assert_true(pio_lock_set_add(&c, &pds[1]));
	pio_lock_set_restart(&c); /* still exclusive, and still the only one */
	assert_int_equal(held(), 0);
	assert_true(c.exclusive);
	pio_lock_set_release(&c);

	struct pio_lock_set next = {0};
	pio_lock_set_restart(&next); /* would wait for ever, were another set exclusive */
	pio_lock_set_release(&next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(locks_once_and_gives_all_back, setup),
		cmocka_unit_test_setup(nothing_locked, setup),
		cmocka_unit_test_setup(gives_up, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
