/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A console for a guest, many bytes at an exit. Manual: VIRTIO 1.1, 5.3. What is received waits in the guest's own
 * buffers; what comes when it has given none is lost.
 */
#pragma once

#include "vmm/virtio.h"

struct virtio_console {
	struct virtio virtio;
	void (*send)(void *arg, uint8_t byte);
	void *arg;
};

/* `send` and `arg` are set before. */
bool virtio_console_add(struct virtio_console *c, struct pci *bus, virtio_memory_fn *memory, const void *memory_arg);

/* Bytes for the guest. False: it has no room for them. */
bool virtio_console_receive(struct virtio_console *c, const void *bytes, uint32_t size);
