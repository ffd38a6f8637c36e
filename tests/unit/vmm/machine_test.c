/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/machine.h"
#include "vmm/scale.h"

static char text[64];
static unsigned length;

static void keep(void *arg, uint8_t byte)
{
	(void)arg;
	text[length++ % sizeof(text)] = (char)byte;
}

static struct machine m;

UNIT_FIXTURE(setup)
{
	m = (struct machine){.uart.send = keep};
	machine_reset(&m, 2, 0, 1000000000);
	for (unsigned chip = 0; chip < 2; chip++) {
		uint16_t port = chip ? 0xa0 : 0x20;

		machine_out(&m, port, 1, 0x11, 0);
		machine_out(&m, port + 1, 1, chip ? 0x38 : 0x30, 0);
		machine_out(&m, port + 1, 1, chip ? 2 : 4, 0);
		machine_out(&m, port + 1, 1, 1, 0);
	}
	length = 0;
	return 0;
}

static void start_timer(uint16_t count, uint64_t now)
{
	machine_out(&m, 0x43, 1, 0x34, now);
	machine_out(&m, 0x40, 1, count & 0xff, now);
	machine_out(&m, 0x40, 1, count >> 8, now);
}

UNIT_TEST(test_absent)
{
	static const uint16_t ports[] = {0x80, 0x2f8, 0x3f7, 0x400, 0x3c0, 0xffff};

	for (unsigned i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		machine_out(&m, ports[i], 4, 0, 0);
		assert_int_equal(machine_in(&m, ports[i], 1, 0), 0xff);
		assert_int_equal(machine_in(&m, ports[i], 2, 0), ports[i] == 0x3f7 ? 0x00ff : 0xffff);
	}
	assert_int_equal(machine_in(&m, 0x2f8, 4, 0), 0xffffffff);
}

UNIT_TEST(test_several_ports)
{
	machine_out(&m, 0x3f8 + 3, 1, 0x80, 0);
	machine_out(&m, 0x3f8, 2, 0x1234, 0); /* both bytes of the divisor */
	assert_int_equal(machine_in(&m, 0x3f8, 2, 0), 0x1234);
	machine_out(&m, 0x3f8 + 3, 1, 3, 0);
	machine_out(&m, 0x3f8, 1, 'A', 0);
	assert_int_equal(length, 1);
	assert_int_equal(text[0], 'A');
}

UNIT_TEST(test_timer)
{
	uint64_t next;

	assert_true(machine_next(&m, 0) == NEVER);
	start_timer(1193, 0);
	next = machine_next(&m, 0);
	assert_in_range(next, 1000000, 1001000);
	machine_run(&m, next - 1);
	assert_false(pic_wants(&m.pic));
	machine_run(&m, next);
	assert_true(pic_wants(&m.pic));
	assert_int_equal(pic_acknowledge(&m.pic), 0x30);
}

/* Nothing is due while the guest has not answered, else it would be run for no time at all, for ever. */
UNIT_TEST(test_timer_waits)
{
	start_timer(1193, 0);
	machine_run(&m, 5500000);
	assert_true(machine_next(&m, 5500000) == NEVER);
	for (unsigned i = 0; i < 5; i++) {
		machine_run(&m, 5500000);
		assert_int_equal(pic_acknowledge(&m.pic), 0x30);
		machine_out(&m, 0x20, 1, 0x20, 5500000);
	}
	machine_run(&m, 5500000);
	assert_false(pic_wants(&m.pic));
	assert_in_range(machine_next(&m, 5500000), 5999000, 6010000);
}

UNIT_TEST(test_lines)
{
	machine_out(&m, 0x3f8 + 4, 1, 8, 0);
	machine_out(&m, 0x3f8 + 1, 1, 2, 0);
	machine_run(&m, 0);
	assert_int_equal(pic_acknowledge(&m.pic), 0x34);
	machine_out(&m, 0x20, 1, 0x20, 0);
	machine_out(&m, 0x70, 1, 0xb, 0);
	machine_out(&m, 0x71, 1, 0x12, 0);
	assert_int_equal(machine_next(&m, 5), NS_PER_S);
	machine_run(&m, NS_PER_S);
	assert_int_equal(pic_acknowledge(&m.pic), 0x38);
	machine_out(&m, 0xa0, 1, 0x20, 0);
	machine_out(&m, 0x20, 1, 0x20, 0);
	machine_out(&m, 0x64, 1, 0x60, 0);
	machine_out(&m, 0x60, 1, 1, 0);
	machine_out(&m, 0x64, 1, 0xaa, 0);
	machine_run(&m, NS_PER_S);
	assert_int_equal(pic_acknowledge(&m.pic), 0x31);
}

/* The clock's line falls when register C is read, also if the next interrupt comes before the board is run again. */
UNIT_TEST(test_line_falls)
{
	uint64_t period = NS_PER_S / 8192;

	machine_out(&m, 0x70, 1, 0xa, 0);
	machine_out(&m, 0x71, 1, 0x23, 0);
	machine_out(&m, 0x70, 1, 0xb, 0);
	machine_out(&m, 0x71, 1, 0x42, 0);
	machine_run(&m, period);
	assert_int_equal(pic_acknowledge(&m.pic), 0x38);
	machine_out(&m, 0x70, 1, 0xc, period);
	assert_int_equal(machine_in(&m, 0x71, 1, period), 0xc0);
	machine_out(&m, 0xa0, 1, 0x20, period);
	machine_out(&m, 0x20, 1, 0x20, period);
	machine_run(&m, 2 * period);
	assert_true(pic_wants(&m.pic));
}

static uint8_t answer(void *arg, unsigned at)
{
	return *(uint8_t *)arg + (uint8_t)at;
}

static void change(void *arg, unsigned at, uint8_t value)
{
	*(uint8_t *)arg = (uint8_t)(value + at);
}

/* A device on the bus: its ports, and a level-triggered line, which stays until the device takes it back. */
UNIT_TEST(test_pci)
{
	struct pci_device *d = pci_add(&m.pci, 1, 1, 0);
	uint8_t first = 5;
	uint16_t bar;

	d->read = answer;
	d->write = change;
	d->arg = &first;
	machine_out(&m, 0xcf8, 4, 0x80000810, 0);
	bar = machine_in(&m, 0xcfc, 4, 0) & 0xfff0;
	assert_int_equal(machine_in(&m, bar + 1, 2, 0), 0x0706);
	machine_out(&m, bar + 3, 1, 4, 0);
	assert_int_equal(first, 7);
	pci_set_line(&m.pci, d, true);
	for (unsigned n = 0; n < 2; n++) {
		machine_run(&m, 0);
		assert_int_equal(pic_acknowledge(&m.pic), 0x38 + d->config[0x3c] - 8);
		machine_out(&m, 0xa0, 1, 0x20, 0);
		machine_out(&m, 0x20, 1, 0x20, 0);
	}
	pci_set_line(&m.pci, d, false);
	machine_run(&m, 0);
	assert_false(pic_wants(&m.pic));
}

/* ---- APICs ---- */

enum { APIC_END = 0xb0, TASK = 0x80 };

static void set_pin(unsigned pin, uint32_t value)
{
	machine_store(&m, 0, IOAPIC_AT, 4, 0x10 + 2 * pin, 0);
	machine_store(&m, 0, IOAPIC_AT + 0x10, 4, value, 0);
}

UNIT_TEST(test_memory)
{
	assert_true(machine_load(&m, 0, 0xf0000000, 8, 0) == ~0ul);
	assert_int_equal(machine_load(&m, 0, LAPIC_AT + 0x30, 4, 0), 0x30014);
	assert_int_equal(machine_load(&m, 0, LAPIC_AT + 0x31, 2, 0), 0x300);
	machine_store(&m, 0, LAPIC_AT + TASK, 1, 0x20, 0);
	machine_store(&m, 0, LAPIC_AT + TASK, 8, 0x20, 0);
	assert_int_equal(machine_load(&m, 0, LAPIC_AT + TASK, 4, 0), 0);
	machine_store(&m, 0, LAPIC_AT + TASK, 4, 0x20, 0);
	assert_int_equal(machine_load(&m, 0, LAPIC_AT + TASK, 4, 0), 0x20);
	assert_true(lapic_set_base(&m.lapic[0], LAPIC_AT));
	assert_int_equal(machine_load(&m, 0, LAPIC_AT + TASK, 4, 0), 0xffffffff);
}

/* Lines lead to both controllers; the timer's to another pin. */
UNIT_TEST(test_pins)
{
	lapic_write(&m.lapic[0], 0x350, APIC_MASKED, 0); /* the 8259A's interrupts do not pass */
	set_pin(2, 0x71);
	set_pin(4, 0x64);
	start_timer(1193, 0);
	machine_run(&m, 3500000);
	assert_int_equal(machine_acknowledge(&m, 0), 0x71);
	for (unsigned n = 0; n < 2; n++) { /* those that it was not run for */
		machine_store(&m, 0, LAPIC_AT + APIC_END, 4, 0, 3500000);
		machine_run(&m, 3500000);
		assert_true(machine_wants(&m, 0));
		assert_int_equal(machine_acknowledge(&m, 0), 0x71);
	}
	machine_store(&m, 0, LAPIC_AT + APIC_END, 4, 0, 3500000);
	machine_run(&m, 3500000);
	assert_false(machine_wants(&m, 0));
	machine_out(&m, 0x3f8 + 4, 1, 8, 3500000);
	machine_out(&m, 0x3f8 + 1, 1, 2, 3500000);
	assert_int_equal(machine_acknowledge(&m, 0), 0x64);
}

/* A level stays until the device takes it back: the end of its interrupt brings it again. */
UNIT_TEST(test_pci_pin)
{
	struct pci_device *d = pci_add(&m.pci, 1, 1, 0);
	unsigned line = d->config[0x3c];

	lapic_write(&m.lapic[0], 0x350, APIC_MASKED, 0);
	set_pin(line, 0x80 | APIC_LEVEL);
	pci_set_line(&m.pci, d, true);
	machine_run(&m, 0);
	assert_int_equal(machine_acknowledge(&m, 0), 0x80);
	machine_run(&m, 0);
	assert_false(machine_wants(&m, 0));
	machine_store(&m, 0, LAPIC_AT + APIC_END, 4, 0, 0);
	assert_int_equal(machine_acknowledge(&m, 0), 0x80);
	pci_set_line(&m.pci, d, false);
	machine_run(&m, 0);
	machine_store(&m, 0, LAPIC_AT + APIC_END, 4, 0, 0);
	assert_false(machine_wants(&m, 0));
}

/* What is due next, whoever's it is. */
UNIT_TEST(test_next)
{
	machine_out(&m, ACPI_PORT + 2, 2, 1, 0);
	assert_in_range(machine_next(&m, 0), 2343000000, 2344000000);
	machine_store(&m, 0, LAPIC_AT + 0x3e0, 4, 0xb, 0);
	machine_store(&m, 0, LAPIC_AT + 0x320, 4, 0x90, 0);
	machine_store(&m, 0, LAPIC_AT + 0x380, 4, 500, 0);
	assert_int_equal(machine_next(&m, 0), 500);
	machine_run(&m, 500);
	assert_int_equal(machine_acknowledge(&m, 0), 0x90);
}

static void command(unsigned from, uint32_t whom, uint32_t value)
{
	machine_store(&m, from, LAPIC_AT + 0x310, 4, whom << 24, 0);
	machine_store(&m, from, LAPIC_AT + 0x300, 4, value, 0);
}

/* The other processor is started, and switches its APIC on. */
static void start_other(void)
{
	command(0, 1, 0x4500);
	command(0, 1, 0x4699);
	machine_store(&m, 1, LAPIC_AT + 0xf0, 4, 0x1ff, 0);
}

UNIT_TEST(test_other_is_started)
{
	assert_true(m.lapic[1].waits && !m.lapic[0].waits);
	command(0, 1, 0x4500);
	assert_true(m.lapic[1].waits && !m.lapic[1].starts);
	command(0, 1, 0x8500); /* the end of the first one's level, long ago */
	command(0, 1, 0x4699);
	assert_true(!m.lapic[1].waits && m.lapic[1].starts && m.lapic[1].page == 0x99);
	m.lapic[1].starts = false;
	command(0, 1, 0x4677); /* it runs */
	assert_true(!m.lapic[1].starts && m.lapic[1].page == 0x99);
	command(0, 0, 0xc4500); /* to all others, whatever the number says */
	assert_true(m.lapic[1].waits && !m.lapic[0].waits && !machine_is_reset(&m));
	assert_int_equal(machine_load(&m, 1, LAPIC_AT + 0x20, 4, 0), 1 << 24);
}

/* There is no firmware to go to. */
UNIT_TEST(test_first_is_initialized)
{
	start_other();
	command(1, 0, 0x4500);
	assert_true(machine_is_reset(&m));
}

UNIT_TEST(test_messages)
{
	command(0, 0, 0xc40aa);
	assert_false(machine_wants(&m, 0) || machine_wants(&m, 1)); /* the other one is not there yet */
	command(0, 0, 0x840aa);
	assert_int_equal(machine_acknowledge(&m, 0), 0xaa);
	start_other();
	command(0, 0, 0xc40bb);
	assert_false(machine_wants(&m, 0));
	assert_int_equal(machine_acknowledge(&m, 1), 0xbb);
	command(1, 0, 0xc40cc);
	assert_int_equal(machine_acknowledge(&m, 0), 0xcc);
	assert_false(machine_wants(&m, 1));
}

/* With the lowest priority one of them gets it. */
UNIT_TEST(test_lowest)
{
	start_other();
	for (unsigned n = 0; n < 2; n++)
		machine_store(&m, n, LAPIC_AT + 0xd0, 4, 1u << (24 + n), 0);
	command(0, 3, 0x4840); /* fixed, to both */
	assert_true(machine_acknowledge(&m, 0) == 0x40 && machine_acknowledge(&m, 1) == 0x40);
	command(0, 3, 0x4950);
	assert_true(machine_wants(&m, 0) != machine_wants(&m, 1));
}

/* Each sees to its own timer, and the first one to the rest. */
UNIT_TEST(test_next_of)
{
	start_other();
	machine_store(&m, 1, LAPIC_AT + 0x3e0, 4, 0xb, 0);
	machine_store(&m, 1, LAPIC_AT + 0x320, 4, 0x90, 0);
	machine_store(&m, 1, LAPIC_AT + 0x380, 4, 500, 0);
	machine_out(&m, ACPI_PORT + 2, 2, 1, 0);
	assert_in_range(machine_next_of(&m, 0, 0), 2343000000, 2344000000);
	assert_int_equal(machine_next_of(&m, 1, 0), 500);
	assert_int_equal(machine_next(&m, 0), 500);
	machine_run(&m, 500);
	assert_false(machine_wants(&m, 0));
	assert_int_equal(machine_acknowledge(&m, 1), 0x90);
}

UNIT_TEST(test_off)
{
	assert_false(machine_is_off(&m));
	machine_out(&m, ACPI_PORT + ACPI_CONTROL, 2, 0x3400, 0);
	assert_true(machine_is_off(&m));
}

UNIT_TEST(test_reset)
{
	assert_false(machine_is_reset(&m));
	machine_out(&m, 0x64, 1, 0xfe, 0);
	assert_true(machine_is_reset(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_absent, setup),
		cmocka_unit_test_setup(test_several_ports, setup),
		cmocka_unit_test_setup(test_timer, setup),
		cmocka_unit_test_setup(test_timer_waits, setup),
		cmocka_unit_test_setup(test_lines, setup),
		cmocka_unit_test_setup(test_line_falls, setup),
		cmocka_unit_test_setup(test_pci, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_pins, setup),
		cmocka_unit_test_setup(test_next, setup),
		cmocka_unit_test_setup(test_pci_pin, setup),
		cmocka_unit_test_setup(test_off, setup),
		cmocka_unit_test_setup(test_messages, setup),
		cmocka_unit_test_setup(test_other_is_started, setup),
		cmocka_unit_test_setup(test_first_is_initialized, setup),
		cmocka_unit_test_setup(test_lowest, setup),
		cmocka_unit_test_setup(test_next_of, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
