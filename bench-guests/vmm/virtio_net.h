/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network card for a guest, at a port of the switch. Manual: VIRTIO 1.1, 5.1. */
#pragma once

#include "vmm/net_switch.h"
#include "vmm/virtio.h"

struct virtio_net {
	struct virtio virtio;
	struct net_switch *net;
	unsigned port;
	uint8_t frame[NET_FRAME]; /* between guest and switch */
};

bool virtio_net_add(struct virtio_net *n, struct net_switch *net, unsigned port, struct pci *bus,
		    virtio_memory_fn *memory, const void *memory_arg);
