/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers and queues, with a device that turns around what it is given. */
#include "virtio_driver.h"

enum { ECHO_FEATURE = 2 };

static void echo(struct virtio *v, unsigned queue)
{
	struct virtio_chain *c;

	while ((c = virtio_take(v, queue))) {
		uint8_t byte;

		assert_true(virtio_get(c, &byte, 1));
		byte ^= 0xff;
		assert_true(virtio_put(c, &byte, 1));
		virtio_give(v, queue);
	}
}

static uint8_t config(struct virtio *v, unsigned at)
{
	(void)v;
	return (uint8_t)(at + 1);
}

static const struct virtio_kind kind = {.number = 42,
					.class_code = 0xff0000,
					.queues = 2,
					.features = ECHO_FEATURE,
					.config = config,
					.notify = echo};
static struct virtio v;

UNIT_FIXTURE(setup)
{
	pci_reset(&bus);
	device = &v;
	return !virtio_add(&v, &kind, &bus, driver_memory, NULL);
}

UNIT_TEST(test_identity)
{
	assert_int_equal(v.pci->config[0] | v.pci->config[1] << 8, 0x1af4);
	assert_int_equal(v.pci->config[2] | v.pci->config[3] << 8, 0x1040 + 42);
	assert_int_equal(v.pci->config[8], 1);
	assert_int_equal(driver_read(REG_QUEUES, 2), 2);
	assert_int_equal(driver_read(REG_CONFIG, 4), 0x04030201);
	driver_write(REG_CONFIG, 4, 0);
	assert_int_equal(driver_read(REG_CONFIG, 4), 0x04030201);
}

/* Where the parts are is what the capabilities say: type, BAR, offset, length. */
UNIT_TEST(test_capabilities)
{
	static const uint32_t offsets[6] = {0, 0, REG_NOTIFY, REG_INTERRUPT, REG_CONFIG, 0};
	unsigned seen = 0;

	for (unsigned at = v.pci->config[0x34]; at; at = v.pci->config[at + 1]) {
		unsigned type = v.pci->config[at + 3];
		uint32_t offset;

		assert_in_range(type, 1, 5);
		memcpy(&offset, v.pci->config + at + 8, 4);
		assert_int_equal(v.pci->config[at], 9);
		assert_int_equal(v.pci->config[at + 4], 0);
		assert_int_equal(offset, offsets[type]);
		seen |= 1u << type;
	}
	assert_int_equal(seen, 0x3e);
}

UNIT_TEST(test_features)
{
	driver_write(REG_FEATURE_SELECT, 4, 0);
	assert_int_equal(driver_read(REG_FEATURE, 4), ECHO_FEATURE);
	driver_write(REG_FEATURE_SELECT, 4, 1);
	assert_int_equal(driver_read(REG_FEATURE, 4), 1);
	driver_write(REG_FEATURE_SELECT, 4, 2);
	assert_int_equal(driver_read(REG_FEATURE, 4), 0);
	driver_negotiate(1ul << 32);
	assert_int_equal(driver_read(REG_STATUS, 1), STATUS_FEATURES);
	driver_negotiate(ECHO_FEATURE); /* an older driver */
	assert_int_equal(driver_read(REG_STATUS, 1), STATUS_DRIVER);
	driver_negotiate(1ul << 32 | 4); /* one that takes what it is not offered */
	assert_int_equal(driver_read(REG_STATUS, 1), STATUS_DRIVER);
	driver_write(REG_STATUS, 1, STATUS_OK);
	assert_int_equal(driver_read(REG_STATUS, 1), STATUS_DRIVER);
	driver_negotiate(1ul << 32);
	driver_write(REG_DRIVER_SELECT, 4, 0);
	driver_write(REG_DRIVER, 4, 4); /* too late */
	assert_int_equal(driver_read(REG_DRIVER, 4), 0);
}

UNIT_TEST(test_queue_registers)
{
	driver_write(REG_QUEUE, 2, 2);
	assert_int_equal(driver_read(REG_SIZE, 2), 0); /* there is no such queue */
	driver_write(REG_ENABLE, 2, 1);
	driver_write(REG_QUEUE, 2, 1);
	assert_int_equal(driver_read(REG_SIZE, 2), VIRTIO_QUEUE_SIZE);
	driver_enable(1, 16);
	assert_int_equal(driver_read(REG_ENABLE, 2), 1);
	driver_write(REG_DESCRIPTORS, 8, 0);
	assert_int_equal(driver_read(REG_DESCRIPTORS, 8), driver_rings(1));
	driver_write(REG_STATUS, 1, 0);
	assert_int_equal(driver_read(REG_ENABLE, 2), 0);
}

UNIT_TEST(test_bad_queues)
{
	static const struct {
		unsigned reg;
		uint64_t value;
	} bad[] = {{REG_SIZE, 0},
		   {REG_SIZE, 3},
		   {REG_SIZE, 2 * VIRTIO_QUEUE_SIZE},
		   {REG_DESCRIPTORS, 8},
		   {REG_DESCRIPTORS, RAM - QUEUE_SIZE * 16 + 16},
		   {REG_DESCRIPTORS, -16ul},
		   {REG_AVAILABLE, 1},
		   {REG_AVAILABLE, RAM - 4 - QUEUE_SIZE * 2 + 2},
		   {REG_USED, 2},
		   {REG_USED, RAM - 4 - QUEUE_SIZE * 8 + 4},
		   {REG_USED, 1ul << 63}};

	for (unsigned n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
		driver_negotiate(1ul << 32);
		driver_write(REG_SIZE, 2, QUEUE_SIZE);
		driver_write(REG_DESCRIPTORS, 8, 0);
		driver_write(REG_AVAILABLE, 8, 0);
		driver_write(REG_USED, 8, 0);
		driver_write(bad[n].reg, bad[n].reg == REG_SIZE ? 2 : 8, bad[n].value);
		driver_write(REG_ENABLE, 2, 1);
		assert_true(driver_is_broken());
		assert_int_equal(driver_read(REG_ENABLE, 2), 0);
	}
}

static void offer_echo(uint8_t byte)
{
	driver_describe(0, 2, BUFFERS_AT, 1, NEXT);
	driver_describe(0, 3, BUFFERS_AT + 1, 1, WRITE);
	*driver_buffer(0) = byte;
	driver_offer(0, 2);
}

UNIT_TEST(test_echo)
{
	driver_start();
	for (unsigned n = 0; n < 3 * QUEUE_SIZE; n++) {
		offer_echo((uint8_t)n);
		driver_notify(0);
		assert_int_equal(*driver_buffer(1), (uint8_t)~n);
		assert_int_equal(driver_used(0)->index, n + 1);
		assert_int_equal(driver_used(0)->chain[n % QUEUE_SIZE].head, 2);
		assert_int_equal(driver_used(0)->chain[n % QUEUE_SIZE].written, 1);
	}
}

UNIT_TEST(test_interrupt)
{
	driver_start();
	offer_echo(1);
	driver_notify(0);
	assert_int_not_equal(bus.lines, 0);
	assert_int_equal(driver_read(REG_INTERRUPT, 1), 1);
	assert_int_equal(bus.lines, 0);
	assert_int_equal(driver_read(REG_INTERRUPT, 1), 0);
	driver_available(0)->flags = 1; /* the driver looks by itself */
	offer_echo(1);
	driver_notify(0);
	assert_int_equal(driver_used(0)->index, 2);
	assert_int_equal(bus.lines, 0);
}

/* Nothing happens to a device that is not started, whatever is written to it. */
UNIT_TEST(test_not_started)
{
	driver_start();
	offer_echo(1);
	driver_write(REG_STATUS, 1, STATUS_FEATURES);
	driver_notify(0);
	assert_int_equal(driver_used(0)->index, 0);
	driver_write(REG_STATUS, 1, 0);
	driver_notify(0);
	driver_negotiate(1ul << 32);
	driver_write(REG_STATUS, 1, STATUS_OK);
	driver_notify(0); /* without a queue */
	driver_notify(7);
	assert_int_equal(driver_used(0)->index, 0);
	assert_false(driver_is_broken());
}

static void offer_broken(void)
{
	driver_offer(0, 0);
	driver_notify(0);
	assert_true(driver_is_broken());
	assert_int_equal(driver_read(REG_INTERRUPT, 1), 2);
	assert_int_equal(driver_used(0)->index, 0);
	driver_notify(0);
	driver_write(REG_STATUS, 1, STATUS_OK);
	assert_true(driver_is_broken()); /* until it is reset */
	driver_start();
}

UNIT_TEST(test_bad_chains)
{
	driver_start();
	driver_describe(0, 0, RAM - 1, 2, 0); /* behind the memory */
	offer_broken();
	driver_describe(0, 0, -1ul, 2, 0);
	offer_broken();
	driver_describe(0, 0, BUFFERS_AT, 1, 4); /* indirect, which was not offered */
	offer_broken();
	driver_describe(0, 0, BUFFERS_AT, 1, NEXT_WRITE);
	driver_describe(0, 1, BUFFERS_AT, 1, 0); /* to be read behind what is to be written */
	offer_broken();
	driver_describe(0, 0, BUFFERS_AT, 1, NEXT);
	driver_descriptor(0, 0)->next = QUEUE_SIZE;
	offer_broken();
	driver_describe(0, 0, BUFFERS_AT, 1, NEXT);
	driver_descriptor(0, 0)->next = 0; /* its own tail */
	offer_broken();
}

UNIT_TEST(test_bad_available)
{
	driver_start();
	driver_offer(0, QUEUE_SIZE);
	driver_notify(0);
	assert_true(driver_is_broken());
	driver_start();
	driver_available(0)->index = QUEUE_SIZE + 1;
	driver_notify(0);
	assert_true(driver_is_broken());
	assert_int_equal(driver_used(0)->index, 0);
}

/* Pieces of any size, also of none, are one run of bytes. */
UNIT_TEST(test_pieces)
{
	static const uint32_t sizes[] = {3, 0, 2, 4, 0, 1};
	struct virtio_chain *c;
	char text[8];

	driver_start();
	for (unsigned n = 0; n < 6; n++)
		driver_describe(0, n, BUFFERS_AT + 16 * n, sizes[n],
				(uint16_t)((n < 5 ? NEXT : 0) | (n < 3 ? 0 : WRITE)));
	memcpy(driver_buffer(0), "abc", 3);
	memcpy(driver_buffer(32), "de", 2);
	driver_offer(0, 0);
	c = virtio_take(&v, 0);
	assert_int_equal(virtio_readable(c), 5);
	assert_int_equal(virtio_writable(c), 5);
	assert_true(virtio_get(c, text, 4));
	assert_memory_equal(text, "abcd", 4);
	assert_int_equal(virtio_readable(c), 1);
	assert_true(virtio_put(c, "1234", 4));
	assert_int_equal(virtio_writable(c), 1);
	assert_false(virtio_get(c, text, 1));
	assert_false(virtio_put(c, "56", 2));
	assert_memory_equal(driver_buffer(48), "1234", 4);
	assert_int_equal(*driver_buffer(80), '5');
	assert_int_equal(c->written, 5);
	assert_int_equal(virtio_writable(c), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_identity, setup),   cmocka_unit_test_setup(test_capabilities, setup),
		cmocka_unit_test_setup(test_features, setup),   cmocka_unit_test_setup(test_queue_registers, setup),
		cmocka_unit_test_setup(test_bad_queues, setup), cmocka_unit_test_setup(test_echo, setup),
		cmocka_unit_test_setup(test_interrupt, setup),  cmocka_unit_test_setup(test_not_started, setup),
		cmocka_unit_test_setup(test_bad_chains, setup), cmocka_unit_test_setup(test_bad_available, setup),
		cmocka_unit_test_setup(test_pieces, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
