/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Redirection entries, as the data sheet has them. */
#include "unit.h"

#include "irq/ioapic_entry.h"

UNIT_TEST(fields)
{
	struct irq_line edge = {.number = 4}, level = {.number = 16, .level = true, .low = true};

	assert_int_equal(ioapic_entry(edge, 0, 0x20, false), 0x20);
	assert_int_equal(ioapic_entry(edge, 0, 0xfd, true), 0x100fd);
	assert_int_equal(ioapic_entry(edge, 0x12, 0x34, false), 0x1200000000000034);
	assert_int_equal(ioapic_entry(level, 0xfe, 0x80, false), 0xfe0000000000a080);
	assert_int_equal(ioapic_entry(level, 0, 0x80, true), 0x1a080);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fields)};
	return cmocka_run_group_tests_name("irq/ioapic_entry", tests, NULL, NULL);
}
