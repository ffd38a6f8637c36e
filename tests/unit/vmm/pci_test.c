/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/pci.h"

enum { COMMAND = 4, STATUS = 6, BAR = 0x10, CAPABILITIES = 0x34, LINE = 0x3c };

static struct pci bus;
static struct pci_device *device;
static uint8_t registers[PCI_PORTS];
static unsigned runs;

static uint8_t read_register(void *arg, unsigned at)
{
	assert_ptr_equal(arg, registers);
	return registers[at];
}

static void write_register(void *arg, unsigned at, uint8_t value)
{
	assert_ptr_equal(arg, registers);
	registers[at] = value;
}

static void count_run(void *arg)
{
	(void)arg;
	runs++;
}

UNIT_FIXTURE(setup)
{
	pci_reset(&bus);
	device = pci_add(&bus, 0x1234, 0x5678, 0x010203);
	device->read = read_register;
	device->write = write_register;
	device->arg = registers;
	return 0;
}

static void select(unsigned number, unsigned reg)
{
	for (unsigned n = 0; n < 4; n++)
		pci_write(&bus, (uint16_t)(0xcf8 + n), (uint8_t)((0x80000000 | number << 11 | reg) >> 8 * n));
}

static uint32_t get(unsigned number, unsigned reg)
{
	uint32_t value = 0;

	select(number, reg);
	for (unsigned n = 0; n < 4; n++)
		value |= (uint32_t)pci_read(&bus, (uint16_t)(0xcfc + n)) << 8 * n;
	return value;
}

static void set(unsigned number, unsigned reg, uint32_t value)
{
	select(number, reg);
	for (unsigned n = 0; n < 4; n++)
		pci_write(&bus, (uint16_t)(0xcfc + n), (uint8_t)(value >> 8 * n));
}

UNIT_TEST(test_who_is_there)
{
	assert_int_equal(get(0, 8) >> 8, 0x060000);
	assert_int_equal(get(1, 0), 0x56781234);
	assert_int_equal(get(1, 8) >> 8, 0x010203);
	assert_int_equal(get(2, 0), 0xffffffff);
	assert_int_equal(get(31, 0), 0xffffffff);
	select(1, 0);
	assert_int_equal(pci_read(&bus, 0xcfb), 0x80);
	pci_write(&bus, 0xcfb, 0); /* off */
	assert_int_equal(pci_read(&bus, 0xcfc), 0xff);
	pci_write(&bus, 0xcfb, 0x80);
	pci_write(&bus, 0xcfa, 1); /* another bus */
	assert_int_equal(pci_read(&bus, 0xcfc), 0xff);
}

UNIT_TEST(test_read_only)
{
	set(1, 0, 0);
	set(0, 0, 0);
	set(5, 0, 0);
	assert_int_equal(get(1, 0), 0x56781234);
	assert_int_equal(get(0, 0), 0x00081b36);
}

/* The size of a BAR is what stays 0 of ones. */
UNIT_TEST(test_bar)
{
	uint32_t bar = get(1, BAR);
	unsigned at;

	assert_int_equal(bar & 3, 1);
	assert_ptr_equal(pci_find(&bus, (uint16_t)(bar - 1 + 0x23), &at), device);
	assert_int_equal(at, 0x23);
	assert_null(pci_find(&bus, (uint16_t)(bar - 1 - 1), &at));
	assert_null(pci_find(&bus, (uint16_t)(bar - 1 + PCI_PORTS), &at));
	set(1, BAR, 0xffffffff);
	assert_int_equal(get(1, BAR), 0xffffff01);
	set(1, BAR, 0x1234);
	assert_ptr_equal(pci_find(&bus, 0x12ff, &at), device);
	set(1, BAR, 0x11200); /* there are no such ports */
	assert_null(pci_find(&bus, 0x1200, &at));
	set(1, BAR, 0x1200);
	set(1, COMMAND, 0);
	assert_null(pci_find(&bus, 0x1200, &at));
}

UNIT_TEST(test_lines)
{
	struct pci_device *others[4];
	uint16_t own = (uint16_t)(1u << (get(1, LINE) & 0xff));

	for (unsigned n = 0; n < 4; n++)
		others[n] = pci_add(&bus, 1, 1, 0);
	assert_int_equal(own & ~PCI_LINES, 0);
	pci_set_line(&bus, device, true);
	assert_int_equal(bus.lines, own);
	assert_int_equal(get(1, COMMAND) >> 16 & 8, 8);
	pci_set_line(&bus, others[2], true); /* shares it */
	pci_set_line(&bus, device, false);
	assert_int_equal(bus.lines, own);
	set(4, COMMAND, 0x400);
	assert_int_equal(bus.lines, 0);
	set(4, COMMAND, 0);
	assert_int_equal(bus.lines, own);
	set(1, LINE, 3); /* where it leads to is the board's business */
	assert_int_equal(bus.lines, own);
}

UNIT_TEST(test_capabilities)
{
	unsigned first = pci_add_capability(device, 9, "abc", 3), second = pci_add_capability(device, 5, "defg", 4);

	assert_int_equal(get(1, CAPABILITIES) & 0xff, first);
	assert_int_equal(get(1, COMMAND) >> 16 & 0x10, 0x10);
	assert_int_equal(get(1, first), 'b' << 24 | 'a' << 16 | (int)second << 8 | 9);
	assert_int_equal(get(1, second) & 0xffff, 5);
	assert_int_equal(second % 4, 0);
}

/* Four bytes of configuration stand for registers: from an offset on, as many as a length says. */
UNIT_TEST(test_window)
{
	for (unsigned n = 0; n < 16; n++)
		device->writable[0x40 + n] = 0xff;
	device->window = 0x50;
	for (unsigned n = 0; n < PCI_PORTS; n++)
		registers[n] = (uint8_t)n;
	set(1, 0x48, 0x21);
	set(1, 0x4c, 4);
	assert_int_equal(get(1, 0x50), 0x24232221);
	set(1, 0x4c, 2);
	set(1, 0x50, 0xaabbccdd);
	assert_int_equal(registers[0x21], 0xdd);
	assert_int_equal(registers[0x22], 0xcc);
	assert_int_equal(registers[0x23], 0x23);
	set(1, 0x4c, 4);
	set(1, 0x48, PCI_PORTS - 3);
	set(1, 0x50, 0);
	set(1, 0x48, 0xffffffff);
	set(1, 0x50, 0);
	assert_int_equal(registers[PCI_PORTS - 1], PCI_PORTS - 1);
	assert_int_equal(registers[0], 0);
}

UNIT_TEST(test_full)
{
	for (unsigned n = 2; n < PCI_DEVICES; n++)
		assert_non_null(pci_add(&bus, 1, 1, 0));
	assert_null(pci_add(&bus, 1, 1, 0));
}

UNIT_TEST(test_run)
{
	runs = 0;
	assert_false(pci_listens(&bus));
	pci_run(&bus);
	device->run = count_run;
	assert_true(pci_listens(&bus));
	pci_run(&bus);
	assert_int_equal(runs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_who_is_there, setup), cmocka_unit_test_setup(test_read_only, setup),
		cmocka_unit_test_setup(test_bar, setup),          cmocka_unit_test_setup(test_lines, setup),
		cmocka_unit_test_setup(test_capabilities, setup), cmocka_unit_test_setup(test_window, setup),
		cmocka_unit_test_setup(test_full, setup),         cmocka_unit_test_setup(test_run, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
