/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "virtio_driver.h"

#include "vmm/virtio_console.h"

enum { RECEIVE, SEND };

static char text[64];
static unsigned length;

static void keep(void *arg, uint8_t byte)
{
	(void)arg;
	text[length++ % sizeof(text)] = (char)byte;
}

static struct virtio_console console = {.send = keep};

UNIT_FIXTURE(setup)
{
	length = 0;
	memset(text, 0, sizeof(text));
	pci_reset(&bus);
	device = &console.virtio;
	if (!virtio_console_add(&console, &bus, driver_memory, NULL))
		return 1;
	driver_start();
	return 0;
}

UNIT_TEST(test_send)
{
	memcpy(driver_buffer(0), "hello ", 6);
	memcpy(driver_buffer(32), "world", 5);
	driver_describe(SEND, 0, BUFFERS_AT, 6, NEXT);
	driver_describe(SEND, 1, BUFFERS_AT + 32, 5, NEXT_WRITE - WRITE);
	driver_describe(SEND, 2, BUFFERS_AT, 6, WRITE); /* not the device's to read */
	driver_offer(SEND, 0);
	driver_notify(SEND);
	assert_string_equal(text, "hello world");
	assert_int_equal(driver_used(SEND)->index, 1);
	assert_int_equal(driver_used(SEND)->chain[0].written, 0);
}

UNIT_TEST(test_receive)
{
	assert_false(virtio_console_receive(&console, "lost", 4));
	driver_describe(RECEIVE, 0, BUFFERS_AT, 8, WRITE);
	driver_offer(RECEIVE, 0);
	driver_notify(RECEIVE); /* that there is room is no reason to do anything */
	assert_int_equal(driver_used(RECEIVE)->index, 0);
	assert_true(virtio_console_receive(&console, "input", 5));
	assert_int_equal(driver_used(RECEIVE)->chain[0].written, 5);
	assert_memory_equal(driver_buffer(0), "input", 6);
	assert_int_equal(driver_read(REG_INTERRUPT, 1), 1);
	driver_offer(RECEIVE, 0);
	assert_false(virtio_console_receive(&console, "too much", 9));
	assert_int_equal(driver_used(RECEIVE)->chain[1].written, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_send, setup),
		cmocka_unit_test_setup(test_receive, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
