/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/ioapic.h"

enum { INDEX = 0, DATA = 0x10, END = 0x40, REMOTE = 1 << 14, LEVEL = 1 << 15, MASKED = 1 << 16 };

static struct ioapic p;
static struct apic_message sent;
static unsigned sends;

static void keep(void *arg, const struct apic_message *m)
{
	assert_ptr_equal(arg, &p);
	sent = *m;
	sends++;
}

UNIT_FIXTURE(setup)
{
	p = (struct ioapic){.send = keep, .arg = &p};
	ioapic_reset(&p);
	sends = 0;
	return 0;
}

static uint32_t get(uint8_t index)
{
	ioapic_write(&p, INDEX, index);
	return ioapic_read(&p, DATA);
}

static void set(uint8_t index, uint32_t value)
{
	ioapic_write(&p, INDEX, index);
	ioapic_write(&p, DATA, value);
}

UNIT_TEST(test_registers)
{
	assert_int_equal(get(1), 0x170020);
	set(1, 0);
	assert_int_equal(get(1), 0x170020);
	set(0, 0xff000000);
	assert_int_equal(get(0), 0x0f000000);
	assert_int_equal(get(0x10), MASKED);
	set(0x10, ~0u);
	assert_int_equal(get(0x10), 0x1afff); /* not the status, nor the remote IRR */
	set(0x11, ~0u);
	assert_int_equal(get(0x11), 0xff000000);
	assert_int_equal(get(0x40) | get(0xff) | get(2), get(0));
	assert_int_equal(ioapic_read(&p, 0x20), 0);
}

UNIT_TEST(test_edge)
{
	ioapic_set_line(&p, 4, true);
	assert_int_equal(sends, 0);
	set(0x19, 0x03000000);
	set(0x18, 0x855);
	assert_int_equal(sends, 0); /* the edge was before */
	ioapic_set_line(&p, 4, true);
	assert_int_equal(sends, 0);
	ioapic_set_line(&p, 4, false);
	ioapic_set_line(&p, 4, true);
	assert_int_equal(sends, 1);
	assert_true(sent.destination == 3 && sent.vector == 0x55 && sent.logical && !sent.level);
	ioapic_end(&p, 0x55);
	assert_int_equal(sends, 1);
	assert_int_equal(ioapic_vector(&p, 4), 0x55);
	assert_false(ioapic_is_masked(&p, 4));
}

/* Sent once until its end, and again if it is still there. */
UNIT_TEST(test_level)
{
	set(0x24, 0x61 | LEVEL | MASKED);
	ioapic_set_line(&p, 10, true);
	assert_int_equal(sends, 0);
	set(0x24, 0x61 | LEVEL);
	assert_int_equal(sends, 1);
	assert_true(sent.level);
	assert_int_equal(get(0x24), 0x61 | LEVEL | REMOTE);
	ioapic_set_line(&p, 10, false);
	ioapic_set_line(&p, 10, true);
	set(0x24, 0x61 | LEVEL);
	assert_int_equal(sends, 1);
	ioapic_end(&p, 0x60);
	assert_int_equal(sends, 1);
	ioapic_write(&p, END, 0x61);
	assert_int_equal(sends, 2);
	ioapic_set_line(&p, 10, false);
	ioapic_end(&p, 0x61);
	assert_int_equal(sends, 2);
	assert_int_equal(get(0x24), 0x61 | LEVEL);
}

/* What operating systems do to a level that is stuck. */
UNIT_TEST(test_becomes_edge)
{
	set(0x24, 0x61 | LEVEL);
	ioapic_set_line(&p, 10, true);
	set(0x24, 0x61 | MASKED);
	assert_int_equal(get(0x24), 0x61 | MASKED);
	set(0x24, 0x61 | LEVEL);
	assert_int_equal(sends, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_edge, setup),
		cmocka_unit_test_setup(test_level, setup),
		cmocka_unit_test_setup(test_becomes_edge, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
