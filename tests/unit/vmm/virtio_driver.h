/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest with 64 KiB of memory and a driver for one virtio device, which uses its registers as drivers do. */
#pragma once

#include "unit.h"

#include "vmm/virtio.h"

enum { RAM = 1 << 16, RINGS_AT = 0x1000, RINGS_SIZE = 0x1000, BUFFERS_AT = 0x8000, QUEUE_SIZE = 8 };
enum { NEXT = 1, WRITE = 2, NEXT_WRITE = 3 };
enum {
	REG_FEATURE_SELECT = 0,
	REG_FEATURE = 4,
	REG_DRIVER_SELECT = 8,
	REG_DRIVER = 12,
	REG_QUEUES = 18,
	REG_STATUS = 20,
	REG_QUEUE = 22,
	REG_SIZE = 24,
	REG_ENABLE = 28,
	REG_DESCRIPTORS = 32,
	REG_AVAILABLE = 40,
	REG_USED = 48,
	REG_INTERRUPT = 0x40,
	REG_NOTIFY = 0x48,
	REG_CONFIG = 0x80,
};
enum { STATUS_DRIVER = 3, STATUS_FEATURES = 11, STATUS_OK = 15, STATUS_BROKEN = 0x40 };

static uint8_t ram[RAM] __attribute__((aligned(4096)));
static struct pci bus;
static struct virtio *device;

static inline void *driver_memory(const void *arg, uint64_t gpa, uint64_t size)
{
	(void)arg;
	return gpa <= RAM && size <= RAM - gpa ? ram + gpa : NULL;
}

static inline uint64_t driver_read(unsigned at, unsigned size)
{
	uint64_t value = 0;

	for (unsigned n = 0; n < size; n++)
		value |= (uint64_t)device->pci->read(device->pci->arg, at + n) << 8 * n;
	return value;
}

static inline void driver_write(unsigned at, unsigned size, uint64_t value)
{
	for (unsigned n = 0; n < size; n++)
		device->pci->write(device->pci->arg, at + n, (uint8_t)(value >> 8 * n));
}

/* ---- Rings: those of queue n begin at RINGS_AT + n * RINGS_SIZE. ---- */

static inline uint64_t driver_rings(unsigned queue)
{
	return RINGS_AT + (uint64_t)queue * RINGS_SIZE;
}

static inline struct virtio_descriptor *driver_descriptor(unsigned queue, unsigned n)
{
	return (struct virtio_descriptor *)(ram + driver_rings(queue)) + n;
}

static inline struct virtio_available *driver_available(unsigned queue)
{
	return (struct virtio_available *)(ram + driver_rings(queue) + 0x400);
}

static inline struct virtio_used *driver_used(unsigned queue)
{
	return (struct virtio_used *)(ram + driver_rings(queue) + 0x800);
}

static inline void driver_enable(unsigned queue, uint16_t size)
{
	driver_write(REG_QUEUE, 2, queue);
	driver_write(REG_SIZE, 2, size);
	driver_write(REG_DESCRIPTORS, 8, driver_rings(queue));
	driver_write(REG_AVAILABLE, 8, driver_rings(queue) + 0x400);
	driver_write(REG_USED, 8, driver_rings(queue) + 0x800);
	driver_write(REG_ENABLE, 2, 1);
}

static inline void driver_negotiate(uint64_t features)
{
	driver_write(REG_STATUS, 1, 0);
	driver_write(REG_STATUS, 1, STATUS_DRIVER);
	for (unsigned n = 0; n < 2; n++) {
		driver_write(REG_DRIVER_SELECT, 4, n);
		driver_write(REG_DRIVER, 4, features >> 32 * n & 0xffffffff);
	}
	driver_write(REG_STATUS, 1, STATUS_FEATURES);
}

/* With the features that the device offers. */
static inline void driver_start(void)
{
	memset(ram, 0, sizeof(ram));
	driver_negotiate(device->kind->features | 1ul << 32);
	assert_int_equal(driver_read(REG_STATUS, 1), STATUS_FEATURES);
	for (unsigned n = 0; n < device->kind->queues; n++)
		driver_enable(n, QUEUE_SIZE);
	driver_write(REG_STATUS, 1, STATUS_OK);
	assert_int_equal(driver_read(REG_STATUS, 1), STATUS_OK);
}

static inline void driver_describe(unsigned queue, unsigned n, uint64_t at, uint32_t size, uint16_t flags)
{
	*driver_descriptor(queue, n) = (struct virtio_descriptor){at, size, flags, (uint16_t)(n + 1)};
}

static inline void driver_offer(unsigned queue, uint16_t head)
{
	struct virtio_available *a = driver_available(queue);

	a->head[a->index % QUEUE_SIZE] = head;
	a->index++;
}

static inline void driver_notify(unsigned queue)
{
	driver_write(REG_NOTIFY + 2 * queue, 2, queue);
}

static inline bool driver_is_broken(void)
{
	return driver_read(REG_STATUS, 1) & STATUS_BROKEN;
}

static inline uint8_t *driver_buffer(unsigned at)
{
	return ram + BUFFERS_AT + at;
}
