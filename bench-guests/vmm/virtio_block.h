/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk for a guest. Manual: VIRTIO 1.1, 5.2. */
#pragma once

#include "vmm/disk.h"
#include "vmm/virtio.h"

struct virtio_block {
	struct virtio virtio;
	struct disk *disk;
};

bool virtio_block_add(struct virtio_block *b, struct disk *disk, struct pci *bus, virtio_memory_fn *memory,
		      const void *memory_arg);
