/* SPDX-License-Identifier: GPL-2.0-or-later */
/* COM1 against a model of the chip: what it is told, what comes out, and that nothing can make it hang. */
#include "unit.h"

#include "host.h"
#include "platform/console.h"
#include "platform/uart.h"

#define COM1 0x3f8

/* The line status register's answer to a read; counts them. */
static unsigned polls, busy;
static bool present, frozen;

/* What was last written to the port. */
static u8 last_out(u16 port)
{
	for (unsigned i = host_out_count; i--;)
		if (host_out[i].port == port)
			return host_out[i].value;
	return 0;
}

/* The scratch register remembers; the transmitter is busy for some looks after each. */
static u8 chip(u16 port)
{
	if (!present)
		return 0xff;
	if (port == COM1 + 7)
		return last_out(port);
	if (port != COM1 + 5)
		return 0;
	polls++;
	if (frozen)
		return 0x00;
	if (busy) {
		busy--;
		return 0x00;
	}
	return 0x60;
}

UNIT_FIXTURE(setup)
{
	host_reset(4 * MiB);
	host_on_in = chip;
	present = true;
	frozen = false;
	busy = polls = 0;
	return 0;
}

UNIT_TEST(test_absent)
{
	present = false;
	assert_false(uart_init());
	assert_false(uart_restore());
	host_on_in = NULL; /* reads as 0 instead */
	assert_false(uart_init());
	unsigned before = host_out_count;
	log_info("nobody there");
	assert_int_equal(host_out_count, before);
}

/* Programming order: registers and values. */
static void assert_programmed(unsigned from)
{
	static const struct host_out wanted[] = {
		{COM1 + 1, 0}, {COM1 + 3, 0x80}, {COM1 + 0, 1}, {COM1 + 1, 0},
		{COM1 + 3, 3}, {COM1 + 2, 7},    {COM1 + 4, 3},
	};

	assert_int_equal(host_out_count - from, array_size(wanted));
	for (unsigned i = 0; i < array_size(wanted); i++) {
		assert_int_equal(host_out[from + i].port, wanted[i].port);
		assert_int_equal(host_out[from + i].value, wanted[i].value);
	}
}

/* What left the transmitter since entry n. */
static void assert_sent(unsigned n, const char *text)
{
	for (; *text; text++, n++) {
		assert_true(n < host_out_count);
		assert_int_equal(host_out[n].port, COM1);
		assert_int_equal(host_out[n].value, (u8)*text);
	}
	assert_int_equal(n, host_out_count);
}

UNIT_TEST(test_write)
{
	assert_true(uart_restore());
	assert_programmed(2); /* after the two scratch patterns */
	assert_true(uart_init());

	unsigned n = host_out_count;
	log_info("hello");
	assert_sent(n, "hello\r\n");

	/* longer than the FIFO: one look per load */
	n = host_out_count;
	polls = 0;
	log_info("0123456789abcdef0123456789abcdef");
	assert_sent(n, "0123456789abcdef0123456789abcdef\r\n");
	assert_in_range(polls, 3, 4);
}

/* Each load of at most 16 bytes waits until the chip says it is empty. */
static u8 strict_chip(u16 port)
{
	static unsigned sent;
	u8 v = chip(port);

	if (port == COM1 + 5 && v) {
		assert_true(host_out_count - sent <= 16 || !sent);
		sent = host_out_count;
	}
	return v;
}

UNIT_TEST(test_never_overruns_the_fifo)
{
	host_on_in = strict_chip;
	for (unsigned length = 0; length < 100; length++) {
		busy = 5;
		log_info("%.*s", (int)length,
			 "\n\n\n\nab\n\n\n0123456789abcde\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nxyzxyzxyzxyz");
	}
}

UNIT_TEST(test_slow_line)
{
	unsigned n = host_out_count;

	busy = 60000;
	log_info("slow");
	assert_sent(n, "slow\r\n");
	assert_true(polls > 60000);
}

/* Flow control says no for ever: the message is lost, the kernel is not; later ones cost next to nothing. */
UNIT_TEST(test_stuck_line)
{
	frozen = true;
	unsigned n = host_out_count;
	log_info("lost");
	assert_int_equal(host_out_count, n);
	assert_in_range(polls, 1000, 200000);

	polls = 0;
	for (unsigned i = 0; i < 100; i++)
		log_info("lost");
	assert_in_range(polls, 100, 200);

	frozen = false; /* somebody reads again */
	n = host_out_count;
	log_info("back");
	assert_sent(n, "back\r\n");
	polls = 0;
	busy = 1000; /* and patience is back, too */
	log_info("again");
	assert_true(polls > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(absent), TEST(write), TEST(never_overruns_the_fifo), TEST(slow_line), TEST(stuck_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
