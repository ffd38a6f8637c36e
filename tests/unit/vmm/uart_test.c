/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/uart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static char sent[256];
static unsigned sent_count;

static void keep(void *arg, uint8_t byte)
{
	assert_ptr_equal(arg, sent);
	if (sent_count < sizeof(sent))
		sent[sent_count++] = (char)byte;
}

static struct uart uart;

UNIT_FIXTURE(setup)
{
	uart = (struct uart){.send = keep, .arg = sent};
	uart_reset(&uart);
	uart_write(&uart, MCR, 0x0b);
	sent_count = 0;
	return 0;
}

UNIT_TEST(test_send)
{
	for (const char *c = "hello"; *c; c++) {
		assert_int_equal(uart_read(&uart, LSR), 0x60);
		uart_write(&uart, DATA, (uint8_t)*c);
	}
	assert_int_equal(sent_count, 5);
	assert_memory_equal(sent, "hello", 5);
	assert_false(uart_interrupt(&uart));
}

UNIT_TEST(test_divisor)
{
	uart_write(&uart, LCR, 0x83);
	uart_write(&uart, DATA, 0x34);
	uart_write(&uart, IER, 0x12);
	assert_int_equal(uart_read(&uart, DATA), 0x34);
	assert_int_equal(uart_read(&uart, IER), 0x12);
	uart_write(&uart, LCR, 0x03);
	assert_int_equal(uart_read(&uart, IER), 0);
	assert_int_equal(sent_count, 0);
	assert_int_equal(uart_read(&uart, LCR), 3);
}

/* What drivers try to find out which chip it is. */
UNIT_TEST(test_identity)
{
	uart_write(&uart, SCR, 0xa5);
	assert_int_equal(uart_read(&uart, SCR), 0xa5);
	uart_write(&uart, IER, 0xff);
	assert_int_equal(uart_read(&uart, IER), 0x0f);
	uart_write(&uart, IER, 0);
	assert_int_equal(uart_read(&uart, IIR), 0x01);
	uart_write(&uart, FCR, 1);
	assert_int_equal(uart_read(&uart, IIR), 0xc1);
	uart_write(&uart, FCR, 0);
	uart_write(&uart, MCR, 0x1a); /* loopback, OUT2, RTS */
	assert_int_equal(uart_read(&uart, MSR) & 0xf0, 0x90);
	uart_write(&uart, DATA, 'x');
	assert_int_equal(sent_count, 0);
	assert_int_equal(uart_read(&uart, DATA), 'x');
}

UNIT_TEST(test_transmit_interrupt)
{
	uart_write(&uart, IER, 2);
	assert_true(uart_interrupt(&uart));
	assert_int_equal(uart_read(&uart, IIR), 2);
	assert_false(uart_interrupt(&uart)); /* reading it is the answer */
	uart_write(&uart, DATA, 'x');
	assert_true(uart_interrupt(&uart));
	uart_write(&uart, MCR, 3); /* without OUT2 nothing leaves the chip */
	assert_false(uart_interrupt(&uart));
}

UNIT_TEST(test_receive)
{
	uart_write(&uart, FCR, 0x41); /* trigger at 4 */
	uart_write(&uart, IER, 1);
	uart_receive(&uart, 'a');
	assert_true(uart_interrupt(&uart));
	assert_int_equal(uart_read(&uart, IIR), 0xcc); /* few: time-out */
	for (unsigned i = 1; i < 4; i++)
		uart_receive(&uart, (uint8_t)('a' + i));
	assert_int_equal(uart_read(&uart, IIR), 0xc4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(uart_read(&uart, LSR), 0x61);
		assert_int_equal(uart_read(&uart, DATA), 'a' + i);
	}
	assert_false(uart_interrupt(&uart));
	assert_int_equal(uart_read(&uart, DATA), 0);
}

UNIT_TEST(test_overrun)
{
	uart_write(&uart, IER, 4);
	uart_receive(&uart, 'a');
	assert_false(uart_has_room(&uart)); /* no FIFO yet */
	uart_receive(&uart, 'b');
	assert_int_equal(uart_read(&uart, IIR), 6);
	assert_int_equal(uart_read(&uart, LSR), 0x63);
	assert_int_equal(uart_read(&uart, LSR), 0x61);
	assert_int_equal(uart_read(&uart, DATA), 'a');
	uart_write(&uart, FCR, 1);
	for (unsigned i = 0; i < UART_FIFO; i++)
		uart_receive(&uart, (uint8_t)i);
	assert_false(uart_has_room(&uart));
	uart_write(&uart, FCR, 3);
	assert_true(uart_has_room(&uart));
	assert_int_equal(uart_read(&uart, LSR), 0x60);
}

UNIT_TEST(test_modem)
{
	uart_write(&uart, IER, 8);
	assert_int_equal(uart_read(&uart, MSR), 0xb0);
	uart_write(&uart, MCR, 0x10); /* all lines go */
	assert_int_equal(uart_read(&uart, IIR), 0);
	assert_int_equal(uart_read(&uart, MSR), 0x0b);
	assert_int_equal(uart_read(&uart, MSR), 0);
	uart_write(&uart, MCR, 0x14); /* ring begins: no event; it ends: one */
	assert_int_equal(uart_read(&uart, MSR), 0x40);
	uart_write(&uart, MCR, 0x10);
	assert_int_equal(uart_read(&uart, MSR), 0x04);
}

UNIT_TEST(test_random)
{
	for (unsigned i = 0; i < 200000; i++) {
		switch (unit_random(3)) {
		case 0:
			uart_write(&uart, unit_random(8), (uint8_t)unit_random(256));
			break;
		case 1:
			uart_read(&uart, unit_random(8));
			break;
		default:
			uart_receive(&uart, (uint8_t)i);
		}
		assert_true(uart.held <= UART_FIFO && uart.first < UART_FIFO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_send, setup),     cmocka_unit_test_setup(test_divisor, setup),
		cmocka_unit_test_setup(test_identity, setup), cmocka_unit_test_setup(test_transmit_interrupt, setup),
		cmocka_unit_test_setup(test_receive, setup),  cmocka_unit_test_setup(test_overrun, setup),
		cmocka_unit_test_setup(test_modem, setup),    cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
