/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hostile guest can do to virtio devices. Input: a byte that says which device, then records of eight bytes,
 * accesses to its registers or changes of memory; the memory, in which rings and requests are, begins as a copy of
 * all that. The device has been started, with rings at the beginning of the memory.
 */
#include "fuzz.h"

#include "vmm/virtio_block.h"
#include "vmm/virtio_console.h"
#include "vmm/virtio_net.h"
#include "vmm/virtio_random.h"

enum { RAM = 8192, RINGS_SIZE = 0x800, QUEUE_SIZE = 8, IMAGE = 20000, PAGES = 5, WRITABLE = 2 };

struct record {
	uint8_t kind, at;
	uint16_t place;
	uint32_t value;
};

static uint8_t *ram, image[IMAGE], pages[WRITABLE * DISK_PAGE];
static uint32_t moved[PAGES];
static struct pci bus;
static struct disk disk;
static struct net_switch net;
static struct net_ring rings[2];
static union {
	struct virtio virtio;
	struct virtio_block block;
	struct virtio_console console;
	struct virtio_net net;
	struct virtio_random random;
} d;

static void *memory(const void *arg, uint64_t gpa, uint64_t size)
{
	(void)arg;
	return gpa <= RAM && size <= RAM - gpa ? ram + gpa : NULL;
}

static bool source(uint64_t *value)
{
	*value = 1;
	return true;
}

static void drop(void *arg, uint8_t byte)
{
	(void)arg;
	(void)byte;
}

static void wake(void *arg)
{
	(void)arg;
}

static bool add(unsigned which)
{
	memset(&d, 0, sizeof(d));
	switch (which % 4) {
	case 0:
		memset(moved, 0, sizeof(moved));
		disk = (struct disk){image, IMAGE, moved, pages, WRITABLE, 0};
		return virtio_block_add(&d.block, &disk, &bus, memory, NULL);
	case 1:
		d.console.send = drop;
		return virtio_console_add(&d.console, &bus, memory, NULL);
	case 2:
		memset(&net, 0, sizeof(net));
		memset(rings, 0, sizeof(rings));
		net_switch_connect(&net, 0, rings, wake, NULL);
		net_switch_connect(&net, 1, rings, wake, NULL);
		return virtio_net_add(&d.net, &net, 0, &bus, memory, NULL);
	default:
		return virtio_random_add(&d.random, source, &bus, memory, NULL);
	}
}

static void write_register(unsigned at, unsigned size, uint64_t value)
{
	for (unsigned n = 0; n < size; n++)
		d.virtio.pci->write(d.virtio.pci->arg, at + n, (uint8_t)(value >> 8 * n));
}

static void start(void)
{
	enum { DRIVER_SELECT = 8, DRIVER = 12, STATUS = 20, QUEUE = 22, SIZE = 24, ENABLE = 28, RINGS = 32 };

	write_register(DRIVER_SELECT, 4, 1);
	write_register(DRIVER, 4, 1);
	write_register(STATUS, 1, 11);
	for (unsigned n = 0; n < d.virtio.kind->queues; n++) {
		write_register(QUEUE, 2, n);
		write_register(SIZE, 2, QUEUE_SIZE);
		write_register(RINGS, 8, n * RINGS_SIZE);
		write_register(RINGS + 8, 8, n * RINGS_SIZE + 0x80);
		write_register(RINGS + 16, 8, n * RINGS_SIZE + 0xa0);
		write_register(ENABLE, 2, 1);
	}
	write_register(STATUS, 1, 15);
}

static void from_outside(unsigned which, const struct record *r)
{
	uint8_t frame[NET_FRAME] = {0xff, (uint8_t)r->value};

	if (which % 4 == 2)
		net_switch_send(&net, 1, frame, r->place % (NET_FRAME + 2));
	if (which % 4 == 1)
		virtio_console_receive(&d.console, frame, r->place % sizeof(frame));
}

static void apply(unsigned which, const struct record *r)
{
	struct pci_device *p = d.virtio.pci;

	switch (r->kind % 6) {
	case 0:
		write_register(r->at & ~3u, 4, r->value);
		break;
	case 1:
		p->read(p->arg, r->at);
		break;
	case 2:
		memcpy(ram + r->place % (RAM - 3), &r->value, 4);
		break;
	case 3:
		from_outside(which, r);
		break;
	case 4:
		write_register(0x48 + 2 * (r->at % VIRTIO_QUEUES), 2, 0);
		break;
	default:
		pci_write(&bus, (uint16_t)(0xcf8 + r->at % 8), (uint8_t)r->value);
		pci_read(&bus, (uint16_t)(0xcf8 + r->place % 8));
		break;
	}
	pci_run(&bus);
	CHECK(!(bus.lines & ~PCI_LINES));
	CHECK(disk.used <= WRITABLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned which = size ? data[0] : 0;

	ram = calloc(1, RAM); /* of its own, so that no byte behind it is anybody's */
	memcpy(ram, data, size < RAM ? size : RAM);
	pci_reset(&bus);
	CHECK(add(which));
	start();
	for (size_t at = 1; at + sizeof(struct record) <= size; at += sizeof(struct record)) {
		struct record r;

		memcpy(&r, data + at, sizeof(r));
		apply(which, &r);
	}
	free(ram);
	return 0;
}
