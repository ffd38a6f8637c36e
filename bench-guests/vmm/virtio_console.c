/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/virtio_console.h"

enum { NUMBER = 3, CLASS = 0x078000, RECEIVE = 0, SEND = 1, QUEUES = 2 };

static void notify(struct virtio *v, unsigned queue)
{
	struct virtio_console *console = (struct virtio_console *)v;
	struct virtio_chain *c;

	if (queue != SEND)
		return; /* room for what is received is looked for when there is something */
	while ((c = virtio_take(v, queue))) {
		const uint8_t *data;

		for (uint32_t n; (data = virtio_next_readable(c, ~0u, &n));)
			while (n--)
				console->send(console->arg, *data++);
		virtio_give(v, queue);
	}
}

bool virtio_console_receive(struct virtio_console *console, const void *bytes, uint32_t size)
{
	struct virtio *v = &console->virtio;
	struct virtio_chain *c = virtio_take(v, RECEIVE);
	bool all;

	if (!c)
		return false;
	all = virtio_put(c, bytes, size);
	virtio_give(v, RECEIVE);
	return all;
}

static const struct virtio_kind kind = {.number = NUMBER, .class_code = CLASS, .queues = QUEUES, .notify = notify};

bool virtio_console_add(struct virtio_console *c, struct pci *bus, virtio_memory_fn *memory, const void *memory_arg)
{
	return virtio_add(&c->virtio, &kind, bus, memory, memory_arg);
}

_Static_assert(offsetof(struct virtio_console, virtio) == 0, "a virtio device begins with what all have in common");
