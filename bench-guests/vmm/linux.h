/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boots Linux in a VM, as Documentation/x86/boot.rst of Linux says: the 64-bit protocol, or the 32-bit one. */
#pragma once

#include "vmm/vm.h"

struct linux_image {
	const void *kernel, *initrd; /* a bzImage; null without an initrd */
	size_t kernel_size, initrd_size;
	const char *words; /* the command line */
};

/* Puts everything into the VM's memory and its processor at the entry. On failure a line says why. */
bool linux_load(struct guest_vm *vm, const struct linux_image *image) RT_MUST_CHECK;
