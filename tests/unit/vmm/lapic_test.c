/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A local APIC whose clock has 1 GHz: with the divisor 1 a count is a nanosecond. */
#include "unit.h"

#include "vmm/lapic.h"
#include "vmm/scale.h"

enum { TASK = 0x80, PRIORITY = 0xa0, END = 0xb0, LOGICAL = 0xd0, FORMAT = 0xe0, SPURIOUS = 0xf0, SERVED = 0x100 };
enum { LEVEL = 0x180, REQUESTED = 0x200, ERRORS = 0x280, COMMAND = 0x300, COMMAND_HIGH = 0x310, TIMER = 0x320 };
enum { PIN_0 = 0x350, ERROR = 0x370, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0, BY_ONE = 0xb };
enum { PERIODIC = 1 << 17, DEADLINE = 2 << 17, X2_ON = 0xc00, ON = 0x800, HZ = 1000000000 };

static struct lapic l;
static struct apic_message sent;
static unsigned sends, ends;
static uint8_t ended;

static void keep(void *arg, const struct apic_message *m)
{
	assert_ptr_equal(arg, &l);
	sent = *m;
	sends++;
}

static void end(void *arg, uint8_t vector)
{
	assert_ptr_equal(arg, &l);
	ended = vector;
	ends++;
}

UNIT_FIXTURE(setup)
{
	l = (struct lapic){.send = keep, .end = end, .arg = &l};
	lapic_reset(&l, 0, HZ);
	lapic_write(&l, DIVIDE, BY_ONE, 0);
	sends = ends = 0;
	return 0;
}

static void accept(uint8_t vector, bool level)
{
	struct apic_message m = {.vector = vector, .level = level, .whom = APIC_ALL};

	lapic_accept(&l, &m);
}

static void answer(uint8_t vector)
{
	assert_true(lapic_wants(&l));
	assert_int_equal(lapic_acknowledge(&l), vector);
}

UNIT_TEST(test_reset)
{
	assert_true(lapic_is_on(&l) && !lapic_is_x2(&l) && lapic_passes_pic(&l) && !lapic_wants(&l));
	assert_int_equal(lapic_read(&l, 0x20, 0), 0);
	assert_int_equal(lapic_read(&l, 0x30, 0), 0x30014);
	assert_int_equal(lapic_read(&l, SPURIOUS, 0), 0x1ff);
	assert_int_equal(lapic_read(&l, TIMER, 0), APIC_MASKED);
	assert_int_equal(lapic_read(&l, FORMAT, 0), 0xffffffff);
	assert_true(lapic_next(&l) == NEVER);
}

/* Higher classes of vectors interrupt lower ones, and equals wait. */
UNIT_TEST(test_priorities)
{
	accept(0x41, false);
	accept(0x52, false);
	answer(0x52);
	assert_false(lapic_wants(&l));
	accept(0x5f, false);
	assert_false(lapic_wants(&l));
	accept(0x60, false);
	answer(0x60);
	assert_int_equal(lapic_read(&l, PRIORITY, 0), 0x60);
	assert_int_equal(lapic_read(&l, SERVED + 0x20, 0), 1 << 18);
	assert_int_equal(lapic_read(&l, SERVED + 0x30, 0), 1);
	lapic_write(&l, END, 0, 0);
	lapic_write(&l, END, 0, 0);
	answer(0x5f);
	lapic_write(&l, END, 0, 0);
	answer(0x41);
	lapic_write(&l, END, 0, 0);
	lapic_write(&l, END, 0, 0);
	assert_int_equal(ends, 0);
}

UNIT_TEST(test_task_priority)
{
	lapic_write(&l, TASK, 0x4f, 0);
	accept(0x4f, false);
	assert_false(lapic_wants(&l));
	assert_int_equal(lapic_cr8(&l), 4);
	lapic_set_cr8(&l, 3);
	assert_int_equal(lapic_read(&l, TASK, 0), 0x30);
	answer(0x4f);
}

/* The sender is told of the end of levels, and of nothing else. */
UNIT_TEST(test_levels)
{
	accept(0x33, true);
	assert_int_equal(lapic_read(&l, LEVEL + 0x10, 0), 1 << 19);
	answer(0x33);
	lapic_write(&l, END, 0, 0);
	assert_int_equal(ends, 1);
	assert_int_equal(ended, 0x33);
	accept(0x33, false);
	answer(0x33);
	lapic_write(&l, END, 0, 0);
	assert_int_equal(ends, 1);
}

/* Is a message to that destination for processor 5, which is in the logical set 0x12? */
static bool takes(uint32_t destination, bool logical)
{
	struct apic_message m = {.vector = 0x40, .destination = destination, .logical = logical};
	bool taken = lapic_accept(&l, &m);

	assert_true(taken == lapic_is_requested(&l, 0x40));
	if (taken) {
		lapic_acknowledge(&l);
		lapic_write(&l, END, 0, 0);
	}
	return taken;
}

UNIT_TEST(test_destinations)
{
	lapic_reset(&l, 5, HZ);
	lapic_write(&l, SPURIOUS, 0x1ff, 0);
	lapic_write(&l, LOGICAL, 0x12345678, 0);
	assert_int_equal(lapic_read(&l, LOGICAL, 0), 0x12000000);
	assert_true(takes(5, false) && takes(0xff, false) && !takes(4, false));
	assert_true(takes(0x02, true) && takes(0x10, true) && takes(0xff, true) && !takes(0xed, true));
	lapic_write(&l, FORMAT, 0, 0); /* clusters: number 1, member 2 */
	assert_true(takes(0x12, true) && takes(0x1f, true) && takes(0xf2, true) && !takes(0x11, true));
	assert_false(takes(0x22, true));
	assert_int_equal(lapic_read(&l, 0x20, 0), 5 << 24);
}

UNIT_TEST(test_commands)
{
	lapic_write(&l, COMMAND_HIGH, 0x03ffffff, 0);
	lapic_write(&l, COMMAND, 0x04855, 0);
	assert_int_equal(sends, 1);
	assert_int_equal(sent.destination, 3);
	assert_int_equal(sent.vector, 0x55);
	assert_true(sent.logical && sent.mode == APIC_FIXED && sent.whom == APIC_ADDRESSED && !sent.level);
	assert_int_equal(lapic_read(&l, COMMAND, 0), 0x04855);
	assert_int_equal(lapic_read(&l, COMMAND_HIGH, 0), 0x03000000);
	lapic_write(&l, COMMAND, 0xc4500, 0);
	assert_true(sent.whom == APIC_OTHERS && sent.mode == APIC_INIT);
	lapic_write(&l, COMMAND, 0x440f6, 0); /* to itself */
	assert_int_equal(sends, 2);
	answer(0xf6);
}

/* What nobody takes: the end of a level of long ago, and what a processor cannot do to itself. */
UNIT_TEST(test_starting_commands)
{
	static const uint32_t nothing[] = {0x8500, 0xc8500, 0x44500, 0x44699, 0x84500, 0x84699};

	for (unsigned n = 0; n < sizeof(nothing) / sizeof(*nothing); n++)
		lapic_write(&l, COMMAND, nothing[n], 0);
	assert_int_equal(sends, 0);
	lapic_write(&l, COMMAND, 0x4605, 0);
	assert_true(sends == 1 && sent.mode == APIC_START && sent.vector == 5); /* pages begin with 0 */
	assert_int_equal(lapic_read(&l, ERRORS, 0), 0);
	assert_false(l.waits);
}

UNIT_TEST(test_initialized)
{
	const struct apic_message init = {.mode = APIC_INIT, .destination = 5},
				  start = {.mode = APIC_START, .vector = 7, .destination = 5},
				  fixed = {.vector = 0x40, .destination = 5};

	lapic_reset(&l, 5, HZ);
	assert_true(l.waits && !l.starts && !lapic_passes_pic(&l));
	assert_true(lapic_set_base(&l, LAPIC_AT | X2_ON));
	assert_true(lapic_accept(&l, &start));
	assert_true(!l.waits && l.starts && l.page == 7);
	assert_false(lapic_accept(&l, &fixed)); /* its APIC is still disabled by software */
	assert_true(lapic_write_msr(&l, 0x80f, 0x1ff, 0) && lapic_write_msr(&l, 0x808, 0x20, 0));
	assert_true(lapic_accept(&l, &fixed));
	assert_true(lapic_accept(&l, &init));
	assert_true(l.waits && !l.starts && !lapic_wants(&l) && lapic_is_x2(&l));
	assert_int_equal(l.task, 0);
	assert_int_equal(l.spurious, 0xff);
	assert_int_equal(l.logical, 0x20);
}

UNIT_TEST(test_errors)
{
	lapic_write(&l, ERROR, 0xfe, 0);
	lapic_write(&l, COMMAND, 0x4400f, 0);
	assert_int_equal(sends, 0);
	answer(0xfe);
	accept(15, false);
	lapic_write(&l, 0x3f0, 0x40, 0); /* is an MSR only */
	assert_int_equal(lapic_read(&l, ERRORS, 0), 0);
	lapic_write(&l, ERRORS, 0, 0);
	assert_int_equal(lapic_read(&l, ERRORS, 0), 0xe0);
	lapic_write(&l, ERRORS, 0, 0);
	assert_int_equal(lapic_read(&l, ERRORS, 0), 0);
	lapic_write(&l, ERROR, 3, 0); /* a vector that is an error itself */
	accept(15, false);
}

/* Switched off by its own bit, it masks its interrupts and takes none; by the MSR it is not there. */
UNIT_TEST(test_off)
{
	lapic_write(&l, SPURIOUS, 0xff, 0);
	assert_false(lapic_passes_pic(&l));
	lapic_write(&l, PIN_0, 0x700, 0);
	assert_int_equal(lapic_read(&l, PIN_0, 0), 0x700 | APIC_MASKED);
	accept(0x44, false);
	assert_false(lapic_wants(&l));
	lapic_write(&l, SPURIOUS, 0x1ff, 0);
	lapic_write(&l, PIN_0, 0x700, 0);
	assert_true(lapic_passes_pic(&l));
	accept(0x44, false);
	assert_true(lapic_set_base(&l, LAPIC_AT));
	assert_true(!lapic_is_on(&l) && !lapic_wants(&l) && lapic_passes_pic(&l));
	assert_true(lapic_set_base(&l, LAPIC_AT | ON));
	assert_false(lapic_wants(&l) || lapic_passes_pic(&l));
}

/* ---- Timer ---- */

UNIT_TEST(test_once)
{
	lapic_write(&l, TIMER, 0x80, 100);
	lapic_write(&l, INITIAL, 1000, 100);
	assert_int_equal(lapic_next(&l), 1100);
	assert_int_equal(lapic_read(&l, CURRENT, 350), 750);
	lapic_run(&l, 1099);
	assert_false(lapic_wants(&l));
	lapic_run(&l, 1100);
	answer(0x80);
	assert_true(lapic_next(&l) == NEVER);
	assert_int_equal(lapic_read(&l, CURRENT, 5000), 0);
	lapic_run(&l, 9000);
	assert_false(lapic_is_requested(&l, 0x80));
}

/* Each end counts, also of a guest that was not run for a while; but not before the last one is answered. */
UNIT_TEST(test_periodic)
{
	lapic_write(&l, TIMER, 0x80 | PERIODIC, 0);
	lapic_write(&l, INITIAL, 1000, 0);
	assert_int_equal(lapic_read(&l, CURRENT, 3250), 750);
	for (unsigned n = 0; n < 3; n++) {
		lapic_run(&l, 3500);
		assert_true(lapic_next(&l) == NEVER);
		answer(0x80);
		lapic_write(&l, END, 0, 3500);
	}
	lapic_run(&l, 3500);
	assert_false(lapic_wants(&l));
	assert_int_equal(lapic_next(&l), 4000);
	lapic_write(&l, TIMER, 0x80 | PERIODIC | APIC_MASKED, 3500);
	assert_true(lapic_next(&l) == NEVER);
	lapic_write(&l, TIMER, 0x80 | PERIODIC, 9500);
	lapic_run(&l, 9500);
	assert_false(lapic_wants(&l)); /* what ended while it was masked is gone */
	assert_int_equal(lapic_next(&l), 10000);
}

/* No more than a second's ends are kept. */
UNIT_TEST(test_backlog)
{
	lapic_write(&l, TIMER, 0x80 | PERIODIC, 0);
	lapic_write(&l, INITIAL, 1000000, 0);
	lapic_run(&l, 100 * NS_PER_S);
	answer(0x80);
	assert_in_range(lapic_next(&l), 98 * NS_PER_S, 100 * NS_PER_S);
}

UNIT_TEST(test_divide)
{
	static const uint8_t values[] = {0xb, 0, 1, 2, 3, 8, 9, 0xa};

	for (unsigned n = 0; n < 8; n++) {
		lapic_write(&l, DIVIDE, values[n], 0);
		lapic_write(&l, TIMER, 0x80, 0);
		lapic_write(&l, INITIAL, 1000, 0);
		assert_int_equal(lapic_next(&l), 1000u << n);
	}
	/* The count goes on from where it is. */
	lapic_write(&l, DIVIDE, BY_ONE, 64000);
	assert_int_equal(lapic_read(&l, CURRENT, 64000), 500);
	assert_int_equal(lapic_next(&l), 64500);
}

UNIT_TEST(test_deadline)
{
	assert_false(lapic_has_deadline(&l));
	lapic_write(&l, INITIAL, 1000, 0);
	lapic_write(&l, TIMER, 0x90 | DEADLINE, 0);
	assert_true(lapic_has_deadline(&l) && lapic_next(&l) == NEVER);
	lapic_write(&l, INITIAL, 1000, 0);
	assert_int_equal(lapic_read(&l, INITIAL, 0), 0);
	lapic_set_deadline(&l, 12345, 500);
	assert_int_equal(lapic_next(&l), 500);
	lapic_run(&l, 499);
	assert_false(lapic_wants(&l));
	lapic_run(&l, 500);
	answer(0x90);
	assert_int_equal(l.deadline, 0);
	assert_true(lapic_next(&l) == NEVER);
	lapic_set_deadline(&l, 1, 600);
	lapic_set_deadline(&l, 0, 0);
	lapic_run(&l, 700);
	assert_false(lapic_is_requested(&l, 0x90));
}

/* ---- x2APIC ---- */

static uint64_t msr(uint32_t at)
{
	uint64_t value = 0;

	assert_true(lapic_read_msr(&l, LAPIC_MSRS + at / 16, 0, &value));
	return value;
}

static bool set_msr(uint32_t at, uint64_t value)
{
	return lapic_write_msr(&l, LAPIC_MSRS + at / 16, value, 0);
}

UNIT_TEST(test_modes)
{
	uint64_t value;

	assert_false(lapic_read_msr(&l, LAPIC_MSRS + 2, 0, &value));
	assert_false(lapic_set_base(&l, LAPIC_AT + 0x1000 + ON)); /* elsewhere */
	assert_false(lapic_set_base(&l, LAPIC_AT | 0x400));
	assert_true(lapic_set_base(&l, LAPIC_AT | X2_ON));
	assert_false(lapic_set_base(&l, LAPIC_AT | ON));
	assert_true(lapic_set_base(&l, LAPIC_AT));
	assert_false(lapic_set_base(&l, LAPIC_AT | X2_ON));
	assert_true(lapic_set_base(&l, LAPIC_AT | ON));
	assert_int_equal(l.base, LAPIC_AT | ON | 0x100);
}

UNIT_TEST(test_msrs)
{
	uint64_t value;

	lapic_reset(&l, 0x25, HZ);
	lapic_write(&l, SPURIOUS, 0x1ff, 0);
	assert_true(lapic_set_base(&l, LAPIC_AT | X2_ON));
	assert_int_equal(msr(0x20), 0x25);
	assert_int_equal(msr(LOGICAL), 0x20020);
	assert_true(takes(0x25, false) && takes(~0u, false) && !takes(0xff, false));
	assert_true(takes(0x20021, true) && takes(~0u, true) && !takes(0x20010, true) && !takes(0x10020, true));
	assert_true(set_msr(COMMAND, 0x12345678000000e1));
	assert_int_equal(sent.destination, 0x12345678);
	assert_int_equal(msr(COMMAND), 0x12345678000000e1);
	assert_true(set_msr(0x3f0, 0x77)); /* to itself */
	answer(0x77);
	assert_false(set_msr(END, 1));
	assert_true(set_msr(END, 0));
	assert_false(lapic_wants(&l));
	assert_false(set_msr(TASK, 1ul << 32));
	/* Not there, read only, write only. */
	assert_false(set_msr(FORMAT, 0) || set_msr(COMMAND_HIGH, 0) || set_msr(LOGICAL, 0) || set_msr(0x20, 0));
	assert_false(set_msr(CURRENT, 0) || set_msr(SERVED, 0) || set_msr(0xff0, 0));
	assert_false(lapic_read_msr(&l, LAPIC_MSRS + END / 16, 0, &value));
	assert_false(lapic_read_msr(&l, LAPIC_MSRS + 0x3f, 0, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_priorities, setup),
		cmocka_unit_test_setup(test_task_priority, setup),
		cmocka_unit_test_setup(test_levels, setup),
		cmocka_unit_test_setup(test_destinations, setup),
		cmocka_unit_test_setup(test_commands, setup),
		cmocka_unit_test_setup(test_starting_commands, setup),
		cmocka_unit_test_setup(test_initialized, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_off, setup),
		cmocka_unit_test_setup(test_once, setup),
		cmocka_unit_test_setup(test_periodic, setup),
		cmocka_unit_test_setup(test_backlog, setup),
		cmocka_unit_test_setup(test_divide, setup),
		cmocka_unit_test_setup(test_deadline, setup),
		cmocka_unit_test_setup(test_modes, setup),
		cmocka_unit_test_setup(test_msrs, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
