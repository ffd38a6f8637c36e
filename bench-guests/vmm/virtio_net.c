/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/virtio_net.h"

enum { NUMBER = 1, CLASS = 0x020000, RECEIVE = 0, SEND = 1, QUEUES = 2, FEATURE_ADDRESS = 1 << 5 };

/* Before each frame. Nothing of it is used but the last field, the number of chains the frame is in. */
struct header {
	uint8_t flags, segmentation;
	uint16_t header_size, segment_size, checksum_start, checksum_at, chains;
};

static uint8_t config(struct virtio *v, unsigned at)
{
	const struct virtio_net *n = (const struct virtio_net *)v;
	uint8_t address[NET_ADDRESS];

	net_switch_address(n->port, address);
	return at < NET_ADDRESS ? address[at] : 0;
}

/* A frame that is longer than frames are is lost. */
static void send(struct virtio_net *n)
{
	struct virtio_chain *c;

	while ((c = virtio_take(&n->virtio, SEND))) {
		struct header h;
		uint64_t size;

		if (!virtio_get(c, &h, sizeof(h))) {
			virtio_break(&n->virtio);
			return;
		}
		size = virtio_readable(c);
		if (size <= NET_FRAME && virtio_get(c, n->frame, (uint32_t)size))
			net_switch_send(n->net, n->port, n->frame, (uint16_t)size);
		virtio_give(&n->virtio, SEND);
	}
}

/* Chains have room for the longest frame, says 5.1.6.3.1. */
static void receive(struct virtio *v)
{
	struct virtio_net *n = (struct virtio_net *)v;
	static const struct header h = {.chains = 1};
	uint16_t size;

	while (net_switch_has(n->net, n->port) && virtio_has(v, RECEIVE) &&
	       (size = net_switch_receive(n->net, n->port, n->frame))) {
		struct virtio_chain *c = virtio_take(v, RECEIVE);

		if (!c)
			return;
		if (!virtio_put(c, &h, sizeof(h)) || !virtio_put(c, n->frame, size)) {
			virtio_break(v);
			return;
		}
		virtio_give(v, RECEIVE);
	}
}

static void notify(struct virtio *v, unsigned queue)
{
	if (queue == SEND)
		send((struct virtio_net *)v);
	else
		receive(v); /* there is room for frames that had to wait */
}

static const struct virtio_kind kind = {
	.number = NUMBER,
	.class_code = CLASS,
	.queues = QUEUES,
	.features = FEATURE_ADDRESS,
	.config = config,
	.notify = notify,
	.run = receive,
};

bool virtio_net_add(struct virtio_net *n, struct net_switch *net, unsigned port, struct pci *bus,
		    virtio_memory_fn *memory, const void *memory_arg)
{
	n->net = net;
	n->port = port;
	return virtio_add(&n->virtio, &kind, bus, memory, memory_arg);
}

_Static_assert(sizeof(struct header) == 12, "VIRTIO 1.1, 5.1.6");
_Static_assert(offsetof(struct virtio_net, virtio) == 0, "a virtio device begins with what all have in common");
