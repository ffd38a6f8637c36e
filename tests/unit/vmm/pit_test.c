/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/pit.h"
#include "vmm/scale.h"

static struct pit pit;

UNIT_FIXTURE(setup)
{
	pit_reset(&pit);
	return 0;
}

/* The time at which `n` counts have passed. */
static uint64_t counts(uint64_t n)
{
	return scale_up(n, NS_PER_S, PIT_HZ);
}

static void start(unsigned channel, unsigned mode, uint16_t count, uint64_t now)
{
	pit_write(&pit, 0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1), now);
	pit_write(&pit, (uint16_t)(0x40 + channel), (uint8_t)count, now);
	pit_write(&pit, (uint16_t)(0x40 + channel), (uint8_t)(count >> 8), now);
}

static unsigned latched(unsigned channel, uint64_t now)
{
	unsigned low;

	pit_write(&pit, 0x43, (uint8_t)(channel << 6), now);
	low = pit_read(&pit, (uint16_t)(0x40 + channel), now + 1000000);
	return low | (unsigned)pit_read(&pit, (uint16_t)(0x40 + channel), now + 2000000) << 8;
}

UNIT_TEST(test_silent)
{
	assert_true(pit_next(&pit) == NEVER);
	pit_write(&pit, 0x43, 0x34, 0);
	pit_write(&pit, 0x40, 10, 0);
	assert_true(pit_next(&pit) == NEVER); /* half a count */
	pit_write(&pit, 0x40, 0, 0);
	assert_true(pit_next(&pit) != NEVER);
}

UNIT_TEST(test_periodic)
{
	for (unsigned mode = 2; mode <= 3; mode++) {
		start(0, mode, 1000, counts(500));
		for (unsigned n = 1; n < 50; n++) {
			assert_int_equal(pit_next(&pit), counts(501 + n * 1000));
			pit_take(&pit, pit_next(&pit));
		}
	}
	/* Third bit: the same. A count of 0 is 65536. */
	start(0, 6, 0, 0);
	assert_int_equal(pit_next(&pit), counts(65537));
}

UNIT_TEST(test_backlog)
{
	uint64_t now = counts(10 * 1000 * 1000ul), edges = 0;

	start(0, 2, 1000, 0);
	for (; pit_next(&pit) <= now; edges++)
		pit_take(&pit, now);
	/* A second of edges, and the one that was due first. */
	assert_in_range(edges, PIT_HZ / 1000, PIT_HZ / 1000 + 2);
	assert_in_range(pit_next(&pit), now, now + counts(1000));
}

UNIT_TEST(test_once)
{
	start(0, 0, 300, 0);
	assert_int_equal(pit_next(&pit), counts(301));
	pit_take(&pit, counts(301));
	assert_true(pit_next(&pit) == NEVER);
	start(0, 4, 300, counts(1000));
	assert_int_equal(pit_next(&pit), counts(1302));
	pit_take(&pit, counts(1302));
	assert_true(pit_next(&pit) == NEVER);
}

UNIT_TEST(test_reads)
{
	start(0, 2, 1000, 0);
	assert_int_equal(latched(0, counts(101)), 900);
	assert_int_equal(latched(0, counts(1101)), 900);
	start(0, 0, 1000, 0);
	assert_int_equal(latched(0, counts(101)), 900);
	assert_int_equal(latched(0, counts(1002)), 0xffff); /* it counts on */
	start(0, 3, 1000, 0);
	assert_int_equal(latched(0, counts(101)), 800);
	/* Unlatched, byte by byte. */
	start(0, 0, 0x1234, 0);
	assert_int_equal(pit_read(&pit, 0x40, counts(1)), 0x34);
	assert_int_equal(pit_read(&pit, 0x40, counts(1)), 0x12);
}

UNIT_TEST(test_bytes_and_decimals)
{
	pit_write(&pit, 0x43, 0x14, 0); /* low byte only */
	pit_write(&pit, 0x40, 50, 0);
	assert_int_equal(pit_next(&pit), counts(51));
	assert_int_equal(pit_read(&pit, 0x40, counts(11)), 40);
	pit_write(&pit, 0x43, 0x24, 0); /* high byte only */
	pit_write(&pit, 0x40, 2, 0);
	assert_int_equal(pit_next(&pit), counts(513));
	pit_write(&pit, 0x43, 0x35, 0); /* decimal */
	pit_write(&pit, 0x40, 0x00, 0);
	pit_write(&pit, 0x40, 0x10, 0);
	assert_int_equal(pit_next(&pit), counts(1001));
	assert_int_equal(latched(0, counts(2)), 0x0999);
	pit_write(&pit, 0x43, 0x31, 0); /* once, decimal: 9999 is below 0 */
	pit_write(&pit, 0x40, 0x00, 0);
	pit_write(&pit, 0x40, 0x10, 0);
	assert_int_equal(latched(0, counts(1002)), 0x9999);
}

UNIT_TEST(test_read_back)
{
	start(0, 2, 1000, 0);
	pit_write(&pit, 0x43, 0xc2, counts(101)); /* status and count of channel 0 */
	assert_int_equal(pit_read(&pit, 0x40, counts(500)), 0xb4);
	assert_int_equal(pit_read(&pit, 0x40, counts(500)), 900 & 0xff);
	assert_int_equal(pit_read(&pit, 0x40, counts(500)), 900 >> 8);
	pit_write(&pit, 0x43, 0x34, 0);
	pit_write(&pit, 0x43, 0xe2, 0); /* status: no count yet */
	assert_int_equal(pit_read(&pit, 0x40, 0) & 0x40, 0x40);
}

/* As kernels measure their processor: the gate, mode 0, and the output in port 0x61. */
UNIT_TEST(test_speaker)
{
	pit_write(&pit, 0x61, 0, 0);
	start(2, 0, 11932, 0);
	assert_int_equal(pit_read(&pit, 0x61, counts(20000)) & 0x21, 0);
	pit_write(&pit, 0x61, 1, counts(20000));
	assert_int_equal(pit_read(&pit, 0x61, counts(31900)) & 0x21, 1);
	pit_write(&pit, 0x61, 0, counts(31900)); /* stopped 32 counts before the end */
	assert_int_equal(pit_read(&pit, 0x61, counts(90000)) & 0x21, 0);
	pit_write(&pit, 0x61, 3, counts(90000));
	assert_int_equal(pit_read(&pit, 0x61, counts(90030)) & 0x23, 3);
	assert_int_equal(pit_read(&pit, 0x61, counts(90040)) & 0x23, 0x23);
	assert_int_not_equal(pit_read(&pit, 0x61, 0) & 0x10, pit_read(&pit, 0x61, 15085) & 0x10);
}

UNIT_TEST(test_triggered)
{
	pit_write(&pit, 0x61, 0, 0);
	start(2, 1, 100, 0);
	assert_int_equal(pit_read(&pit, 0x61, counts(50)) & 0x20, 0x20);
	pit_write(&pit, 0x61, 1, counts(1000));
	assert_int_equal(pit_read(&pit, 0x61, counts(1050)) & 0x20, 0);
	assert_int_equal(pit_read(&pit, 0x61, counts(1102)) & 0x20, 0x20);
}

/* Whatever is written: the next edge is not before now for ever, and nothing divides by 0. */
UNIT_TEST(test_random)
{
	static const uint16_t ports[] = {0x40, 0x41, 0x42, 0x43, 0x61};
	uint64_t now = 0;

	for (unsigned i = 0; i < 200000; i++) {
		uint16_t port = ports[unit_random(5)];

		now += unit_random(1000000);
		if (unit_random(2))
			pit_write(&pit, port, (uint8_t)unit_random(256), now);
		else
			pit_read(&pit, port, now);
		if (pit_next(&pit) <= now) {
			pit_take(&pit, now);
			assert_true(pit_next(&pit) == NEVER || pit_next(&pit) + 2 * NS_PER_S > now);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_silent, setup),    cmocka_unit_test_setup(test_periodic, setup),
		cmocka_unit_test_setup(test_backlog, setup),   cmocka_unit_test_setup(test_once, setup),
		cmocka_unit_test_setup(test_reads, setup),     cmocka_unit_test_setup(test_bytes_and_decimals, setup),
		cmocka_unit_test_setup(test_read_back, setup), cmocka_unit_test_setup(test_speaker, setup),
		cmocka_unit_test_setup(test_triggered, setup), cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
