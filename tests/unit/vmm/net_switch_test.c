/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/net_switch.h"

enum { PORTS = 3, SIZE = 60 };

static struct net_switch net;
static struct net_ring rings[NET_PORTS * NET_PORTS];
static unsigned woken[NET_PORTS];
static uint8_t frame[NET_FRAME], got[NET_FRAME];

static void wake(void *arg)
{
	++*(unsigned *)arg;
}

UNIT_FIXTURE(setup)
{
	unsigned used = 0;

	net = (struct net_switch){0};
	memset(woken, 0, sizeof(woken));
	memset(rings, 0, sizeof(rings));
	for (unsigned n = 0; n < PORTS; n++) {
		unsigned count = net_switch_rings(&net);

		net_switch_connect(&net, n, rings + used, wake, &woken[n]);
		used += count;
	}
	assert_int_equal(used, PORTS * (PORTS - 1));
	return 0;
}

static void send_from(unsigned port, unsigned to, uint8_t content)
{
	if (to < NET_PORTS)
		net_switch_address(to, frame);
	else
		memset(frame, 0xff, NET_ADDRESS);
	memset(frame + NET_ADDRESS, content, SIZE - NET_ADDRESS);
	net_switch_send(&net, port, frame, SIZE);
}

static bool receives(unsigned port, uint8_t content)
{
	return net_switch_has(&net, port) && net_switch_receive(&net, port, got) == SIZE && got[SIZE - 1] == content;
}

static bool receives_nothing(unsigned port)
{
	return !net_switch_receive(&net, port, got) && !net_switch_has(&net, port);
}

UNIT_TEST(test_one)
{
	send_from(0, 2, 'a');
	assert_int_equal(woken[2], 1);
	assert_true(receives(2, 'a'));
	for (unsigned n = 0; n < PORTS; n++)
		assert_true(receives_nothing(n));
}

/* To all but the sender; so is what nobody is known for. */
UNIT_TEST(test_all)
{
	send_from(1, NET_PORTS, 'b');
	assert_true(receives(0, 'b') && receives_nothing(0));
	assert_true(receives(2, 'b') && receives_nothing(2));
	assert_true(receives_nothing(1));
	send_from(0, 0, 'c'); /* to itself, and to where nobody is */
	send_from(0, 7, 'c');
	for (unsigned n = 0; n < PORTS; n++)
		assert_true(receives_nothing(n));
}

/* A port is woken again when it has seen that there is nothing from that sender, and not before. */
UNIT_TEST(test_wake)
{
	send_from(0, 1, 1);
	send_from(0, 1, 2);
	assert_int_equal(woken[1], 1);
	assert_true(receives(1, 1));
	assert_true(receives(1, 2));
	send_from(2, 1, 3);
	assert_int_equal(woken[1], 2);
	send_from(0, 1, 4);
	assert_int_equal(woken[1], 2);
	assert_true(receives(1, 3));
	assert_true(receives(1, 4));
	assert_true(receives_nothing(1));
	send_from(0, 1, 5);
	assert_int_equal(woken[1], 3);
}

UNIT_TEST(test_full)
{
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned n = 0; n < NET_FRAMES + 5; n++)
			send_from(0, 1, (uint8_t)n);
		send_from(2, 1, 0xaa); /* has room of its own, and a turn */
		for (unsigned n = 0; n < 3; n++)
			assert_int_equal(net_switch_receive(&net, 1, got), SIZE);
		for (unsigned n = 3; n < NET_FRAMES + 1; n++)
			assert_int_equal(net_switch_receive(&net, 1, got), SIZE);
		assert_true(receives_nothing(1));
	}
}

UNIT_TEST(test_sizes)
{
	net_switch_address(1, frame);
	net_switch_send(&net, 0, frame, 0);
	net_switch_send(&net, 0, frame, 11);
	net_switch_send(&net, 0, frame, NET_FRAME + 1);
	assert_true(receives_nothing(1));
	net_switch_send(&net, 0, frame, NET_FRAME);
	assert_int_equal(net_switch_receive(&net, 1, got), NET_FRAME);
}

/* What another monitor has written is not believed. */
UNIT_TEST(test_hostile_ring)
{
	send_from(0, 1, 1);
	for (unsigned n = 0; n < NET_FRAMES; n++)
		net.port[1].from[0]->frame[n].size = 0xffff;
	net.port[1].from[0]->written = 0x80000000;
	assert_int_equal(net_switch_receive(&net, 1, got), NET_FRAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one, setup),   cmocka_unit_test_setup(test_all, setup),
		cmocka_unit_test_setup(test_wake, setup),  cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_sizes, setup), cmocka_unit_test_setup(test_hostile_ring, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
