/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all virtio devices have in common: registers on the PCI bus, and queues in guest memory. A device is a
 * `struct virtio_kind` and functions that take chains of buffers from queues and give them back.
 * What the guest writes is checked where it is read: rings when a queue is enabled, descriptors when a chain is
 * taken. A guest that breaks the rules has a device that does nothing more until it is reset. Manual: Virtual I/O
 * Device (VIRTIO) 1.1, chapters 2 and 4.1.
 */
#pragma once

#include "vmm/pci.h"

#include <stddef.h>

enum { VIRTIO_QUEUES = 2, VIRTIO_QUEUE_SIZE = 64 };

/* Guest memory: `size` bytes at `gpa`, null if not all of them are memory. */
typedef void *virtio_memory_fn(const void *arg, uint64_t gpa, uint64_t size);

struct virtio_descriptor {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};

struct virtio_available {
	uint16_t flags, index, head[];
};

struct virtio_used {
	uint16_t flags, index;
	struct {
		uint32_t head, written;
	} chain[];
};

/* The rings are where the guest says; the pointers are set while the queue is enabled. */
struct virtio_queue {
	uint64_t descriptors_at, available_at, used_at;
	struct virtio_descriptor *descriptors;
	struct virtio_available *available;
	struct virtio_used *used;
	uint16_t size, next_available, next_used;
};

/* Buffers, one behind the other: first those the device reads, then those it writes. */
struct virtio_chain {
	struct virtio_piece {
		uint8_t *data;
		uint32_t size;
	} piece[VIRTIO_QUEUE_SIZE];
	unsigned readable, pieces; /* how many the device reads; all */
	unsigned at;               /* the piece that comes next */
	uint32_t offset;           /* in it */
	uint32_t written;
	uint16_t head;
};

struct virtio;

struct virtio_kind {
	uint16_t number;
	uint32_t class_code; /* of the PCI device */
	uint16_t queues;
	uint64_t features;                                /* of its own */
	uint8_t (*config)(struct virtio *v, unsigned at); /* its own registers, which are read only; null: none */
	void (*notify)(struct virtio *v, unsigned queue); /* the guest has put something into the queue */
	void (*run)(struct virtio *v);                    /* looks at what comes from outside; null: nothing does */
};

struct virtio {
	const struct virtio_kind *kind;
	struct pci *bus;
	struct pci_device *pci;
	virtio_memory_fn *memory;
	const void *memory_arg;
	uint64_t features; /* that the driver has accepted */
	uint32_t feature_select, driver_feature_select;
	uint16_t queue_select;
	uint8_t status, interrupt;
	struct virtio_queue queue[VIRTIO_QUEUES];
	struct virtio_chain chain; /* the one that the device works at */
};

/* Plugs in a device. False: the bus is full. */
bool virtio_add(struct virtio *v, const struct virtio_kind *kind, struct pci *bus, virtio_memory_fn *memory,
		const void *memory_arg);

/* Takes the next chain of the queue, which becomes `v->chain`. Null: there is none. */
struct virtio_chain *virtio_take(struct virtio *v, unsigned queue);
void virtio_give(struct virtio *v, unsigned queue);      /* gives `v->chain` back */
bool virtio_has(const struct virtio *v, unsigned queue); /* is there a chain to take? */
void virtio_break(struct virtio *v);                     /* the guest has broken the rules */

/* The next bytes to read or to write, at most `max`; null behind the last one. */
const uint8_t *virtio_next_readable(struct virtio_chain *c, uint32_t max, uint32_t *size);
uint8_t *virtio_next_writable(struct virtio_chain *c, uint32_t max, uint32_t *size);

/* The same for exactly `size` bytes, copied. False: there are fewer. */
bool virtio_get(struct virtio_chain *c, void *to, uint32_t size);
bool virtio_put(struct virtio_chain *c, const void *from, uint32_t size);

uint64_t virtio_readable(const struct virtio_chain *c); /* how many bytes are left */
uint64_t virtio_writable(const struct virtio_chain *c);

/* For virtio.c alone. */
bool virtio_queue_enable(struct virtio *v, struct virtio_queue *q);
void virtio_interrupt(struct virtio *v, unsigned reason);
bool virtio_is_running(const struct virtio *v);

enum { VIRTIO_FOR_QUEUE = 1, VIRTIO_FOR_CONFIG = 2 }; /* reasons of interrupts */
