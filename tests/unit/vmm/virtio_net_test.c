/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A card at port 0 of a switch; the test itself is at port 1. */
#include "virtio_driver.h"

#include "vmm/virtio_net.h"

enum { RECEIVE, SEND, HEADER = 12, SIZE = 60 };

static struct net_switch net;
static struct net_ring rings[2];
static struct virtio_net card;
static uint8_t frame[NET_FRAME];

static void wake(void *arg)
{
	(void)arg;
}

UNIT_FIXTURE(setup)
{
	net = (struct net_switch){0};
	memset(rings, 0, sizeof(rings));
	net_switch_connect(&net, 0, rings, wake, NULL);
	net_switch_connect(&net, 1, rings, wake, NULL);
	pci_reset(&bus);
	device = &card.virtio;
	if (!virtio_net_add(&card, &net, 0, &bus, driver_memory, NULL))
		return 1;
	driver_start();
	return 0;
}

static void send_from_guest(uint32_t size)
{
	driver_describe(SEND, 0, BUFFERS_AT, HEADER, NEXT);
	driver_describe(SEND, 1, BUFFERS_AT + HEADER, size, 0);
	driver_offer(SEND, 0);
	driver_notify(SEND);
}

static void give_room(uint32_t size)
{
	driver_describe(RECEIVE, 3, BUFFERS_AT, size, WRITE);
	driver_offer(RECEIVE, 3);
}

static void send_to_guest(uint8_t content)
{
	net_switch_address(0, frame);
	memset(frame + NET_ADDRESS, content, SIZE - NET_ADDRESS);
	net_switch_send(&net, 1, frame, SIZE);
}

UNIT_TEST(test_address)
{
	uint8_t address[NET_ADDRESS];

	net_switch_address(0, address);
	for (unsigned n = 0; n < NET_ADDRESS; n++)
		assert_int_equal(driver_read(REG_CONFIG + n, 1), address[n]);
}

UNIT_TEST(test_send)
{
	net_switch_address(1, driver_buffer(HEADER));
	*driver_buffer(HEADER + SIZE - 1) = 'x';
	send_from_guest(SIZE);
	assert_int_equal(net_switch_receive(&net, 1, frame), SIZE);
	assert_int_equal(frame[SIZE - 1], 'x');
	assert_int_equal(driver_used(SEND)->index, 1);
	assert_int_equal(driver_used(SEND)->chain[0].written, 0);
	send_from_guest(NET_FRAME + 1);
	assert_int_equal(driver_used(SEND)->index, 2);
	assert_int_equal(net_switch_receive(&net, 1, frame), 0);
	assert_false(driver_is_broken());
}

UNIT_TEST(test_send_without_header)
{
	driver_describe(SEND, 0, BUFFERS_AT, HEADER - 1, 0);
	driver_offer(SEND, 0);
	driver_notify(SEND);
	assert_true(driver_is_broken());
}

UNIT_TEST(test_receive)
{
	give_room(2048);
	send_to_guest('y');
	pci_run(&bus);
	assert_int_equal(driver_used(RECEIVE)->index, 1);
	assert_int_equal(driver_used(RECEIVE)->chain[0].head, 3);
	assert_int_equal(driver_used(RECEIVE)->chain[0].written, HEADER + SIZE);
	assert_int_equal(*driver_buffer(10), 1); /* the number of chains */
	assert_int_equal(*driver_buffer(HEADER + SIZE - 1), 'y');
	assert_int_not_equal(bus.lines, 0);
}

/* What finds no room waits until there is some. */
UNIT_TEST(test_receive_later)
{
	send_to_guest(1);
	send_to_guest(2);
	pci_run(&bus);
	give_room(2048);
	driver_notify(RECEIVE);
	assert_int_equal(driver_used(RECEIVE)->index, 1);
	assert_int_equal(*driver_buffer(HEADER + SIZE - 1), 1);
	give_room(2048);
	driver_notify(RECEIVE);
	assert_int_equal(driver_used(RECEIVE)->index, 2);
	assert_int_equal(*driver_buffer(HEADER + SIZE - 1), 2);
}

UNIT_TEST(test_receive_without_room)
{
	give_room(HEADER + SIZE - 1);
	send_to_guest(1);
	pci_run(&bus);
	assert_true(driver_is_broken());
	assert_int_equal(driver_used(RECEIVE)->index, 0);
	assert_false(pci_listens(&bus));
}

/* A card whose driver has not started takes nothing. */
UNIT_TEST(test_reset)
{
	give_room(2048);
	assert_true(pci_listens(&bus));
	driver_write(REG_STATUS, 1, 0);
	send_to_guest(1);
	assert_false(pci_listens(&bus));
	pci_run(&bus);
	assert_int_equal(driver_used(RECEIVE)->index, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_address, setup),
		cmocka_unit_test_setup(test_send, setup),
		cmocka_unit_test_setup(test_send_without_header, setup),
		cmocka_unit_test_setup(test_receive, setup),
		cmocka_unit_test_setup(test_receive_later, setup),
		cmocka_unit_test_setup(test_receive_without_room, setup),
		cmocka_unit_test_setup(test_reset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
