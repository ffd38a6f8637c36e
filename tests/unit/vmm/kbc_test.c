/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/kbc.h"

static struct kbc kbc;

UNIT_FIXTURE(setup)
{
	kbc_reset(&kbc);
	return 0;
}

static unsigned answer(void)
{
	assert_int_equal(kbc_read(&kbc, 0x64) & 1, 1);
	return kbc_read(&kbc, 0x60);
}

static unsigned ask(uint8_t command)
{
	kbc_write(&kbc, 0x64, command);
	return answer();
}

UNIT_TEST(test_nothing_connected)
{
	assert_int_equal(kbc_read(&kbc, 0x64), 0x14);
	assert_int_equal(ask(0xaa), 0x55);
	assert_int_equal(ask(0xab), 0x01);
	kbc_write(&kbc, 0x64, 0xa9); /* of a second line: no answer */
	assert_int_equal(kbc_read(&kbc, 0x64) & 1, 0);
	kbc_write(&kbc, 0x60, 0xff); /* reset the keyboard */
	assert_int_equal(answer(), 0xfe);
	assert_false(kbc.reset);
}

UNIT_TEST(test_mode)
{
	assert_int_equal(ask(0x20), 0x04);
	kbc_write(&kbc, 0x64, 0x60);
	kbc_write(&kbc, 0x60, 0x45);
	assert_int_equal(kbc_read(&kbc, 0x64) & 1, 0);
	kbc_write(&kbc, 0x64, 0x20);
	assert_true(kbc_interrupt(&kbc));
	assert_int_equal(answer(), 0x45);
	assert_false(kbc_interrupt(&kbc));
}

UNIT_TEST(test_keyboard_off)
{
	kbc_write(&kbc, 0x64, 0xad);
	assert_int_equal(ask(0x20), 0x14);
	kbc_write(&kbc, 0x64, 0xae);
	assert_int_equal(ask(0x20), 0x04);
}

/* The status says which port was written last. */
UNIT_TEST(test_last_write)
{
	kbc_write(&kbc, 0x64, 0x60);
	assert_int_equal(kbc_read(&kbc, 0x64), 0x1c);
	kbc_write(&kbc, 0x60, 0x04);
	assert_int_equal(kbc_read(&kbc, 0x64), 0x14);
}

UNIT_TEST(test_pulse)
{
	for (unsigned lines = 1; lines < 16; lines += 2) {
		kbc_write(&kbc, 0x64, (uint8_t)(0xf0 | lines));
		assert_false(kbc.reset);
	}
	kbc_write(&kbc, 0x64, 0xfe);
	assert_true(kbc.reset);
}

UNIT_TEST(test_output_port)
{
	assert_int_equal(ask(0xd0), 3);
	kbc_write(&kbc, 0x64, 0xd1);
	kbc_write(&kbc, 0x60, 0x01);
	assert_int_equal(ask(0xd0), 1);
	assert_false(kbc.reset);
	kbc_write(&kbc, 0x64, 0xd1);
	kbc_write(&kbc, 0x60, 0x02);
	assert_true(kbc.reset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_connected, setup),
		cmocka_unit_test_setup(test_mode, setup),
		cmocka_unit_test_setup(test_keyboard_off, setup),
		cmocka_unit_test_setup(test_last_write, setup),
		cmocka_unit_test_setup(test_pulse, setup),
		cmocka_unit_test_setup(test_output_port, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
