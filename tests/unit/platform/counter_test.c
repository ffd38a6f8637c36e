/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters on fake hardware: what is written to them, what is read, and how they are when they are missing. */
#include "unit.h"

#include "host.h"
#include "lib/bits.h"
#include "physical.h"
#include "platform/counter.h"

#define GATE 0x61
#define HPET_AT 0xfed00000ull

/* ---- an 8254 with one channel, and port 61h ---- */

static u8 gate, command, latched[2];
static unsigned written, read_next;
static u32 pit_count; /* what a latch command finds */
static bool out;

static void pit_write(u16 port, u8 v)
{
	host_tsc += 10;
	if (port == GATE) {
		gate = v;
	} else if (port == 0x43 && v == 0x80) {
		latched[0] = (u8)pit_count;
		latched[1] = (u8)(pit_count >> 8);
		read_next = 0;
	} else if (port == 0x43) {
		command = v;
		out = false;
		written = 0;
	} else {
		assert_int_equal(port, 0x42);
		assert_true(gate & 1);
		assert_int_equal(v, 0xff);
		written++;
	}
}

static u8 pit_read(u16 port)
{
	host_tsc += 100;
	if (port == GATE)
		return (u8)((gate & 0x0f) | (out ? 0x20 : 0));
	assert_int_equal(port, 0x42);
	return latched[read_next++ & 1];
}

static u8 nobody(u16 port)
{
	(void)port;
	return 0xff;
}

UNIT_FIXTURE(setup)
{
	physical_reset();
	physical_add(HPET_AT, PAGE_SIZE);
	gate = 0x02;
	out = true;
	pit_count = 0xffff;
	host_on_in = pit_read;
	host_on_out = pit_write;
	return 0;
}

UNIT_TEST(test_pit_counts_up_from_the_latch)
{
	struct counter c = counter_pit();
	struct counter_look look;

	assert_true(c.start(&c));
	assert_int_equal(command, 0xb0);
	assert_int_equal(written, 2);
	assert_int_equal(gate & 3, 1); /* and the speaker is silent */
	pit_count = 0x1234;
	assert_true(c.look(&c, &look));
	assert_int_equal(look.count, 0xffff - 0x1234);
	assert_true(look.after - look.before < 100); /* around the latch, not around the reads */
	assert_true(look.after > look.before);
	c.stop(&c);
	assert_int_equal(gate, 0x02);
}

UNIT_TEST(test_pit_past_its_end)
{
	struct counter c = counter_pit();
	struct counter_look look;

	assert_true(c.start(&c));
	out = true;
	assert_false(c.look(&c, &look));
}

UNIT_TEST(test_pit_absent)
{
	struct counter c = counter_pit();

	host_on_in = nobody;
	host_on_out = NULL;
	assert_false(c.start(&c));
	assert_int_equal(host_out[host_out_count - 1].port, GATE);
	assert_int_equal(host_out[host_out_count - 1].value, 0x0f); /* as it was found, what can be written of it */
}

UNIT_TEST(test_pm_timer)
{
	struct counter c = counter_pm_timer(0x608, 24), none = counter_pm_timer(0, 0);
	struct counter_look look;

	assert_false(none.start(&none));
	assert_true(c.start(&c));
	assert_int_equal(c.bits, 24);
	host_in[0x60a] = 0x12;
	host_in[0x608] = 0x34;
	assert_true(c.look(&c, &look));
	assert_int_equal(look.count, 0x120034);
	assert_int_equal(look.after - look.before, 1);
	c.stop(&c);
}

static void put_hpet(u32 period, u32 config)
{
	physical_put32(HPET_AT + 4, period);
	physical_put32(HPET_AT + 0x10, config);
}

static u32 hpet_config(void)
{
	u32 v;

	memcpy(&v, physical_at(HPET_AT + 0x10, 4), 4);
	return v;
}

UNIT_TEST(test_hpet_is_left_as_it_was)
{
	static const u32 found[] = {0, 1, 2, 3};

	for (unsigned i = 0; i < array_size(found); i++) {
		struct counter c = counter_hpet(HPET_AT);
		struct counter_look look;

		put_hpet(69841279, found[i]);
		assert_true(c.start(&c));
		assert_int_equal(c.hz, 14318179);
		assert_int_equal(hpet_config(), found[i] | 1);
		physical_put32(HPET_AT + 0xf0, 0x89abcdef);
		assert_true(c.look(&c, &look));
		assert_int_equal(look.count, 0x89abcdef);
		c.stop(&c);
		assert_int_equal(hpet_config(), found[i]);
	}
}

UNIT_TEST(test_hpet_that_is_none)
{
	static const u64 nowhere[] = {0, HPET_AT + 8, 0xdead0000};
	static const u32 periods[] = {0, 999999, 100000001, ~0u};

	for (unsigned i = 0; i < array_size(nowhere); i++) {
		struct counter c = counter_hpet(nowhere[i]);
		assert_false(c.start(&c));
	}
	for (unsigned i = 0; i < array_size(periods); i++) {
		struct counter c = counter_hpet(HPET_AT);
		put_hpet(periods[i], 0);
		assert_false(c.start(&c));
		assert_int_equal(hpet_config(), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(pit_counts_up_from_the_latch), TEST(pit_past_its_end),  TEST(pit_absent), TEST(pm_timer),
		TEST(hpet_is_left_as_it_was),       TEST(hpet_that_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
