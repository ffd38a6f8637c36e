/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtio devices of a VM. Which ones there are the monitor's command line says (main.c); a disk is there if the
 * VM has an image.
 */
#pragma once

#include "vmm/virtio_block.h"
#include "vmm/virtio_console.h"
#include "vmm/virtio_net.h"
#include "vmm/virtio_random.h"

#include "rt/attr.h"

#include <stddef.h>

struct guest_vm;

struct devices {
	struct disk disk;
	struct virtio_block block;
	struct virtio_random random;
	struct virtio_console console;
	struct virtio_net net;
};

/* What the devices of a VM are made with. */
struct devices_wanted {
	const void *image; /* of its disk; null: none */
	size_t size;
	uint64_t writable;      /* how many bytes of the image can be other ones later */
	struct net_switch *net; /* between all VMs */
	unsigned port;          /* of this one */
};

/* Plugs in what the VM is to have. On failure a line says why. */
bool devices_add(struct guest_vm *vm, const struct devices_wanted *wanted) RT_MUST_CHECK;
