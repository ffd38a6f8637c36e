/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver against models of the chip: what is one, what it is told, what comes out, and that nothing makes it
 * hang. */
#include "fake_uart.h"

#include "platform/console.h"

#define COM2 0x2f8

static const struct uart_line line = {
	.base = COM2, .stride = 1, .baud = 115200, .clock = UART_CLOCK, .lcr = UART_8N1};

UNIT_FIXTURE(setup)
{
	host_reset(4 * MiB);
	fake_uart_start();
	return 0;
}

/* ---- what is a UART ---- */

UNIT_TEST(test_absent)
{
	assert_false(uart_open(&line, NULL));
	fake_bus = 0;
	assert_false(uart_open(&line, NULL));
	fake_bus_floats = true; /* what was written last is read */
	assert_false(uart_open(&line, NULL));
	unsigned before = host_out_count;
	log_info("nobody there");
	assert_int_equal(host_out_count, before);
}

/* It keeps whatever it is told. */
static u8 memory[8];

static u8 memory_in(u16 port)
{
	return memory[port & 7];
}

static void memory_out(u16 port, u8 v)
{
	memory[port & 7] = v;
}

UNIT_TEST(test_memory_is_none)
{
	host_on_in = memory_in;
	host_on_out = memory_out;
	assert_false(uart_open(&line, NULL));
}

UNIT_TEST(test_places)
{
	static const struct {
		struct uart_line line;
		bool can;
	} places[] = {
		{{.base = 0x3f8, .stride = 1}, true},
		{{.base = 0, .stride = 1}, false},
		{{.base = 0x3f9, .stride = 1}, false},
		{{.base = 0xfff8, .stride = 1}, true},
		{{.base = 0x10000, .stride = 1}, false},
		{{.base = 0x10000, .stride = 1, .memory = true}, true},
		{{.base = 0xfe034018, .stride = 1, .memory = true}, true},
		{{.base = 0xfe034018, .stride = 2, .memory = true}, false},
		{{.base = 0xfe034010, .stride = 4, .memory = true}, false},
		{{.base = 0xfffffffffffffffe, .stride = 1, .memory = true}, false},
		{{.base = 0x90000002000, .stride = 4, .memory = true}, true},
	};

	for (unsigned i = 0; i < array_size(places); i++)
		assert_int_equal(uart_can_be_at(&places[i].line), places[i].can);
}

UNIT_TEST(test_divisors)
{
	static const struct {
		u32 clock, baud, divisor;
	} rates[] = {
		{UART_CLOCK, 115200, 1}, {UART_CLOCK, 9600, 12}, {UART_CLOCK, 2, 57600},
		{UART_CLOCK, 1, 0},                                                    /* too slow */
		{UART_CLOCK, 230400, 0},                                               /* too fast */
		{UART_CLOCK, 100000, 0},                                               /* 15 % off */
		{UART_CLOCK, 0, 0},      {48000000, 115200, 26},                       /* 0.2 % off */
		{24000000, 115200, 13},  {58982400, 115200, 32}, {4000000, 115200, 0}, /* 8.5 % off */
		{~0u, ~0u, 0},           {~0u, 115200, 2330},    {0, 115200, 0},
	};

	for (unsigned i = 0; i < array_size(rates); i++)
		assert_int_equal(uart_divisor(rates[i].clock, rates[i].baud), rates[i].divisor);
}

/* ---- what it is told ---- */

static void assert_programmed(const struct fake_uart *u, unsigned divisor, u8 lcr)
{
	assert_int_equal(u->dll | u->dlm << 8, divisor);
	assert_int_equal(u->lcr, lcr);
	assert_int_equal(u->ier, 0);
	assert_int_equal(u->mcr, 3);
	assert_int_equal(u->fifo_on, u->fifo);
}

UNIT_TEST(test_programming)
{
	struct fake_uart *u = fake_uart_add(COM2, false, 1);
	struct uart_line other = line;

	assert_true(uart_open(&line, NULL));
	assert_programmed(u, 1, 0x03);
	other.baud = 300;
	other.lcr = UART_PARITY_EVEN | 2;
	assert_true(uart_open(&other, NULL));
	assert_programmed(u, 384, 0x1a);
	other.baud = 0; /* as it is */
	assert_true(uart_open(&other, NULL));
	assert_programmed(u, 384, 0x1a);
	u->dll = u->dlm = 0; /* nobody has set it */
	assert_true(uart_open(&other, NULL));
	assert_programmed(u, 1, 0x1a);
}

UNIT_TEST(test_restore)
{
	struct fake_uart *u = fake_uart_add(COM2, false, 1), fresh = *u;
	struct uart_line as_found = line;

	as_found.baud = 0;
	assert_true(uart_open(&as_found, NULL));
	fresh.dll = 7; /* it has slept */
	*u = fresh;
	assert_true(uart_restore());
	assert_programmed(u, 26, 0x03);

	fake_uart_count = 0;
	assert_false(uart_restore());
}

/* ---- what comes out ---- */

static void assert_sent(struct fake_uart *u, const char *text)
{
	assert_string_equal(u->sent, text);
	u->sent_count = 0;
}

UNIT_TEST(test_write)
{
	struct fake_uart *u = fake_uart_add(COM2, false, 1);

	assert_true(uart_open(&line, NULL));
	u->sent_count = 0; /* what was logged before */
	log_info("hello");
	assert_sent(u, "hello\r\n");
	u->polls = 0; /* longer than the FIFO: one look per load */
	log_info("0123456789abcdef0123456789abcdef");
	assert_sent(u, "0123456789abcdef0123456789abcdef\r\n");
	assert_int_equal(u->polls, 3);
}

/* An 8250: no scratch register, and no FIFO. */
UNIT_TEST(test_write_without_fifo)
{
	struct fake_uart *u = fake_uart_add(COM2, false, 1);

	u->fifo = false;
	assert_true(uart_open(&line, NULL));
	assert_programmed(u, 1, 0x03);
	u->sent_count = u->polls = 0;
	log_info("one by one");
	assert_sent(u, "one by one\r\n");
	assert_int_equal(u->polls, 12);
}

UNIT_TEST(test_never_overruns_the_fifo)
{
	struct fake_uart *u = fake_uart_add(COM2, false, 1);

	for (unsigned length = 0; length < 100; length++) {
		u->fifo = length % 2;
		assert_true(uart_open(&line, NULL));
		u->busy = 5;
		u->sent_count = 0;
		log_info("%.*s", (int)length, /* the fake looks */
			 "\n\n\n\nab\n\n\n0123456789abcde\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nxyzxyzxyzxyz");
	}
}

UNIT_TEST(test_registers_in_memory)
{
	for (unsigned stride = 1; stride <= 4; stride *= 2) {
		struct uart_line l = line;
		fake_uart_start();
		struct fake_uart *u = fake_uart_add(0xfe034000, true, stride);
		l.base = u->base;
		l.memory = true;
		l.stride = (u8)stride;
		assert_true(uart_open(&l, (volatile void *)fake_map(l.base)));
		assert_programmed(u, 1, 0x03);
		u->sent_count = 0;
		log_info("far away");
		assert_sent(u, "far away\r\n");

		u->base += 0x10000; /* the same registers, seen elsewhere */
		uart_move((volatile void *)fake_map(u->base));
		log_info("and farther");
		assert_sent(u, "and farther\r\n");
	}
}

UNIT_TEST(test_slow_line)
{
	struct fake_uart *u = fake_uart_add(COM2, false, 1);
	struct uart_line l = line;

	assert_true(uart_open(&line, NULL));
	u->sent_count = u->polls = 0;
	u->busy = 60000;
	log_info("slow");
	assert_sent(u, "slow\r\n");
	assert_true(u->polls > 60000);

	l.baud = 1200; /* a full FIFO takes 133 ms, which are half a million looks on a fast bus */
	assert_true(uart_open(&l, NULL));
	u->sent_count = 0;
	u->busy = 600000;
	log_info("slower");
	assert_sent(u, "slower\r\n");
}

/* Flow control says no for ever: the message is lost, the kernel is not; later ones cost next to nothing. */
UNIT_TEST(test_stuck_line)
{
	struct fake_uart *u = fake_uart_add(COM2, false, 1);

	assert_true(uart_open(&line, NULL));
	u->sent_count = u->polls = 0;
	u->frozen = true;
	log_info("lost");
	assert_int_equal(u->sent_count, 0);
	assert_in_range(u->polls, 1000, 200000);

	u->polls = 0;
	for (unsigned i = 0; i < 100; i++)
		log_info("lost");
	assert_in_range(u->polls, 100, 200);

	u->frozen = false; /* somebody reads again */
	log_info("back");
	assert_sent(u, "back\r\n");
	u->polls = 0;
	u->busy = 1000; /* and patience is back, too */
	log_info("again");
	assert_true(u->polls > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(absent),
		TEST(memory_is_none),
		TEST(places),
		TEST(divisors),
		TEST(programming),
		TEST(restore),
		TEST(write),
		TEST(write_without_fifo),
		TEST(never_overruns_the_fifo),
		TEST(registers_in_memory),
		TEST(slow_line),
		TEST(stuck_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
