/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/acpi.h"
#include "vmm/scale.h"

enum { TIMER_EVENT = 1, BIOS_EVENT = 0x20, CLOCK_EVENT = 0x400, ENABLES = 2, HALF = 1 << 23 };

static struct acpi a;

UNIT_FIXTURE(setup)
{
	acpi_reset(&a);
	return 0;
}

static uint32_t get(unsigned at, unsigned size, uint64_t now)
{
	uint32_t value = 0;

	for (unsigned n = 0; n < size; n++)
		value |= (uint32_t)acpi_read(&a, (uint16_t)(ACPI_PORT + at + n), now) << 8 * n;
	return value;
}

static void set(unsigned at, uint16_t value, uint64_t now)
{
	acpi_write(&a, (uint16_t)(ACPI_PORT + at), (uint8_t)value, now);
	acpi_write(&a, (uint16_t)(ACPI_PORT + at + 1), value >> 8, now);
}

UNIT_TEST(test_timer)
{
	assert_int_equal(get(ACPI_TIMER, 4, 0), 0);
	assert_int_equal(get(ACPI_TIMER, 4, NS_PER_S), ACPI_HZ);
	assert_int_equal(get(ACPI_TIMER, 4, 5 * NS_PER_S), 5 * ACPI_HZ - 2 * HALF);
	set(ACPI_TIMER, 0xffff, 0);
	assert_int_equal(get(ACPI_TIMER, 4, 0), 0);
}

/* The timer's event is the change of its top bit, in both directions. */
UNIT_TEST(test_timer_event)
{
	uint64_t next;

	assert_true(acpi_next(&a, 0) == NEVER);
	set(ENABLES, TIMER_EVENT, 0);
	for (unsigned n = 1; n < 4; n++) {
		next = acpi_next(&a, 0);
		assert_in_range(next, n * 2343000000ul, n * 2344000000ul);
		assert_false(acpi_interrupt(&a, next - 1));
		assert_true(acpi_interrupt(&a, next));
		assert_int_equal(get(ACPI_EVENTS, 2, next), TIMER_EVENT);
		assert_true(acpi_next(&a, next) == NEVER);
		set(ACPI_EVENTS, CLOCK_EVENT, next);
		assert_true(acpi_interrupt(&a, next));
		set(ACPI_EVENTS, TIMER_EVENT, next);
		assert_false(acpi_interrupt(&a, next));
	}
}

/* The event of the clock is the rise of its line. */
UNIT_TEST(test_clock_event)
{
	acpi_set_clock(&a, true);
	assert_false(acpi_interrupt(&a, 0));
	set(ENABLES, 0xffff, 0);
	assert_int_equal(get(ENABLES, 2, 0), TIMER_EVENT | BIOS_EVENT | CLOCK_EVENT);
	assert_true(acpi_interrupt(&a, 0));
	acpi_set_clock(&a, true);
	set(ACPI_EVENTS, CLOCK_EVENT, 0);
	acpi_set_clock(&a, true);
	assert_false(acpi_interrupt(&a, 0));
	acpi_set_clock(&a, false);
	acpi_set_clock(&a, true);
	assert_int_equal(get(ACPI_EVENTS, 2, 0), CLOCK_EVENT);
}

UNIT_TEST(test_off)
{
	assert_int_equal(get(ACPI_CONTROL, 2, 0), 1);
	set(ACPI_CONTROL, 0x3400 & ~0x2000, 0);
	assert_int_equal(get(ACPI_CONTROL, 2, 0), 0x1401);
	set(ACPI_CONTROL, 0x2400, 0); /* a sleep that there is not */
	assert_false(a.off);
	set(ACPI_CONTROL, 0x3401, 0);
	assert_true(a.off);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_timer, setup),
		cmocka_unit_test_setup(test_timer_event, setup),
		cmocka_unit_test_setup(test_clock_event, setup),
		cmocka_unit_test_setup(test_off, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
