/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers for a guest. Manual: VIRTIO 1.1, 5.4. */
#pragma once

#include "vmm/virtio.h"

typedef bool virtio_random_fn(uint64_t *value); /* false: the source has failed */

struct virtio_random {
	struct virtio virtio;
	virtio_random_fn *source;
};

bool virtio_random_add(struct virtio_random *r, virtio_random_fn *source, struct pci *bus, virtio_memory_fn *memory,
		       const void *memory_arg);
