/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial cards on a small PCI: which are found, where their registers are, and what they keep over sleep. */
#include "fake_pci.h"

#include "platform/serial_pci.h"

enum { COMMAND = 1, HEADER = 3, BAR = 4 };

UNIT_FIXTURE(setup)
{
	host_reset(4 * MiB);
	fake_pci_start();
	return 0;
}

UNIT_TEST(test_search)
{
	u32 last = fake_pci_function(255, 31, 7);

	assert_int_equal(serial_pci_next(0), SERIAL_PCI_END);
	fake_pci_add(fake_pci_function(0, 0, 0), 0x0600)[HEADER] = 0;
	fake_pci_add(fake_pci_function(0, 0, 3), 0x0700); /* an echo: the device has one function */
	fake_pci_add(fake_pci_function(0, 22, 0), 0x0780)[HEADER] = 0x800000;
	fake_pci_add(fake_pci_function(0, 22, 3), 0x0700);
	fake_pci_add(fake_pci_function(0, 25, 2), 0x0700); /* nothing is at its function 0 */
	fake_pci_add(fake_pci_function(2, 0, 0), 0x0700);
	fake_pci_add(fake_pci_function(255, 31, 0), 0x0701)[HEADER] = 0x800000;
	fake_pci_add(last, 0x0700);
	assert_int_equal(serial_pci_next(0), fake_pci_function(0, 22, 3));
	assert_int_equal(serial_pci_next(fake_pci_function(0, 22, 3)), fake_pci_function(0, 22, 3));
	assert_int_equal(serial_pci_next(fake_pci_function(0, 22, 3) + 1), fake_pci_function(2, 0, 0));
	assert_int_equal(serial_pci_next(fake_pci_function(2, 0, 0) + 1), last);
	assert_int_equal(serial_pci_next(last + 1), SERIAL_PCI_END);
}

static const struct {
	u32 bar[6];
	u64 base; /* 0: none */
	bool memory;
} cards[] = {
	{{0xe0a1, 0xfe034000}, 0xe0a0, false}, /* as Intel's AMT */
	{{0, 0xfe034000}, 0xfe034000, true},
	{{0x00000001, 0xfe034008}, 0xfe034000, true}, /* nobody has given it ports; prefetchable */
	{{0x30000004, 0x91}, 0x9130000000, true},
	{{0x00000004, 0x91}, 0x9100000000, true},
	{{0x00000004, 0, 0xe001}, 0xe000, false},
	{{0xc005}, 0, false}, /* not at a multiple of 8 */
	{{0}, 0, false},
	{{0, 0, 0, 0, 0, 0xfe034004}, 0xfe034000, true}, /* the upper half would be another register */
	{{0, 0, 0, 0, 0, 0xe001}, 0xe000, false},
};

UNIT_TEST(test_base_addresses)
{
	u32 f = fake_pci_function(0, 22, 3), *reg = fake_pci_add(f, 0x0700);
	struct uart_line line;

	for (unsigned i = 0; i < array_size(cards); i++) {
		memcpy(reg + BAR, cards[i].bar, sizeof(cards[i].bar));
		assert_int_equal(serial_pci_line(f, &line), cards[i].base != 0);
		if (!cards[i].base)
			continue;
		assert_int_equal(line.base, cards[i].base);
		assert_int_equal(line.memory, cards[i].memory);
		assert_int_equal(line.stride, 1);
		assert_int_equal(line.baud, 115200);
	}
}

UNIT_TEST(test_no_card)
{
	u32 f = fake_pci_function(0, 28, 0), *reg = fake_pci_add(f, 0x0604);
	struct uart_line line;

	reg[BAR] = 0xe001;
	reg[HEADER] = 0x10000; /* a bridge, whose registers mean something else */
	assert_false(serial_pci_line(f, &line));
	assert_false(serial_pci_line(f + 8, &line));
}

UNIT_TEST(test_enable)
{
	u32 f = fake_pci_function(0, 22, 3), *reg = fake_pci_add(f, 0x0700);

	serial_pci_disable(); /* none was enabled */
	serial_pci_restore();
	assert_int_equal(reg[COMMAND], 0);

	reg[COMMAND] = 0xffff0400; /* status bits are cleared where ones are written */
	serial_pci_enable(f, false);
	assert_int_equal(reg[COMMAND], 0x0401);
	serial_pci_disable();
	assert_int_equal(reg[COMMAND], 0x0400);
	serial_pci_enable(f, true);
	assert_int_equal(reg[COMMAND], 0x0402);
}

UNIT_TEST(test_sleep)
{
	u32 f = fake_pci_function(0, 22, 3), *reg = fake_pci_add(f, 0x0700);

	reg[BAR] = 0xe0a1;
	reg[BAR + 1] = 0xfe034000;
	serial_pci_enable(f, false);
	memset(reg + COMMAND, 0, sizeof(fake_pci[0].reg) - 4);
	serial_pci_restore();
	assert_int_equal(reg[COMMAND], 1);
	assert_int_equal(reg[BAR], 0xe0a1);
	assert_int_equal(reg[BAR + 1], 0xfe034000);

	serial_pci_disable(); /* it was none after all */
	memset(reg + COMMAND, 0, sizeof(fake_pci[0].reg) - 4);
	serial_pci_restore();
	assert_int_equal(reg[BAR], 0);

	serial_pci_enable(f, false);
	fake_pci_count = 0; /* taken out meanwhile */
	serial_pci_restore();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(search), TEST(base_addresses), TEST(no_card), TEST(enable), TEST(sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
