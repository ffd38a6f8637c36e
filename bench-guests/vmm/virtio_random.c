/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/virtio_random.h"

enum { NUMBER = 4, CLASS = 0x108000, WORDS_MAX = 64 };

/* A request may ask for any number of bytes, and be content with fewer. */
static bool fill(struct virtio_random *r, struct virtio_chain *c)
{
	for (unsigned n = 0; n < WORDS_MAX; n++) {
		uint64_t value;

		if (!r->source(&value))
			return false;
		if (!virtio_put(c, &value, sizeof(value)))
			break;
	}
	return c->written;
}

/* Without random numbers, or without room for one, there is nothing the device could say. */
static void notify(struct virtio *v, unsigned queue)
{
	struct virtio_random *r = (struct virtio_random *)v;
	struct virtio_chain *c;

	while ((c = virtio_take(v, queue))) {
		if (!fill(r, c)) {
			virtio_break(v);
			return;
		}
		virtio_give(v, queue);
	}
}

static const struct virtio_kind kind = {.number = NUMBER, .class_code = CLASS, .queues = 1, .notify = notify};

bool virtio_random_add(struct virtio_random *r, virtio_random_fn *source, struct pci *bus, virtio_memory_fn *memory,
		       const void *memory_arg)
{
	r->source = source;
	return virtio_add(&r->virtio, &kind, bus, memory, memory_arg);
}

_Static_assert(offsetof(struct virtio_random, virtio) == 0, "a virtio device begins with what all have in common");
