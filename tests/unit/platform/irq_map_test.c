/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the MADT says of lines. */
#include "unit.h"

#include "lib/bits.h"
#include "platform/irq_map.h"

static struct irq_map map;

UNIT_TEST(lines_are_the_bus_s_own)
{
	irq_map_init(&map);
	assert_int_equal(map.chip_count, 0);
	for (u32 i = 0; i < IRQ_MAP_ISA; i++) {
		assert_int_equal(map.isa[i].number, i);
		assert_false(map.isa[i].level);
		assert_false(map.isa[i].low);
	}
}

/* Polarity in bits 1:0, trigger mode in 3:2: 0 as the bus has it, 1 high or edge, 3 low or level. */
UNIT_TEST(overrides)
{
	static const struct {
		u16 flags;
		bool level, low;
	} rows[] = {
		{0x0, false, false}, {0x5, false, false},    {0x1, false, false}, {0x4, false, false},
		{0xd, true, false},  {0xf, true, true},      {0x7, false, true},  {0x3, false, true},
		{0xc, true, false},  {0xfff0, false, false},
	};
	irq_map_init(&map);
	for (unsigned i = 0; i < array_size(rows); i++) {
		assert_true(irq_map_override(&map, 0, i, 100 + i, rows[i].flags));
		assert_int_equal(map.isa[i].number, 100 + i);
		assert_int_equal(map.isa[i].level, rows[i].level);
		assert_int_equal(map.isa[i].low, rows[i].low);
	}
	assert_int_equal(map.isa[15].number, 15);
}

UNIT_TEST(nonsense_changes_nothing)
{
	irq_map_init(&map);
	assert_false(irq_map_override(&map, 1, 0, 2, 0));
	assert_false(irq_map_override(&map, 0, 16, 2, 0));
	assert_false(irq_map_override(&map, 0, 255, 2, 0));
	assert_false(irq_map_override(&map, 0, 0, IRQ_MAP_LINES, 0));
	assert_false(irq_map_override(&map, 0, 0, ~0u, 0));
	assert_false(irq_map_override(&map, 0, 0, 2, 0x2));
	assert_false(irq_map_override(&map, 0, 0, 2, 0x8));
	for (u32 i = 0; i < IRQ_MAP_ISA; i++)
		assert_int_equal(map.isa[i].number, i);
}

UNIT_TEST(chips_have_room)
{
	irq_map_init(&map);
	assert_false(irq_map_add_chip(&map, 0, 0));
	assert_false(irq_map_add_chip(&map, 0xfec00000, IRQ_MAP_LINES));
	for (u32 i = 0; i < IRQ_MAP_CHIPS; i++)
		assert_true(irq_map_add_chip(&map, 0xfec00000 + 0x1000 * i, 24 * i));
	assert_false(irq_map_add_chip(&map, 0xfed00000, 1));
	assert_int_equal(map.chip_count, IRQ_MAP_CHIPS);
	assert_int_equal(map.chip[3].pa, 0xfec03000);
	assert_int_equal(map.chip[3].first, 72);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_bus_s_own),
		cmocka_unit_test(overrides),
		cmocka_unit_test(nonsense_changes_nothing),
		cmocka_unit_test(chips_have_room),
	};
	return cmocka_run_group_tests_name("platform/irq_map", tests, NULL, NULL);
}
