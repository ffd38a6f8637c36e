/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts a guest's kernel and what belongs to it into the memory of a VM, and its processor at the entry. Guests are
 * what boot loaders start: Linux (Documentation/x86/boot.rst of Linux, the 64-bit or the 32-bit protocol) and kernels
 * with a Multiboot header (Multiboot specification 0.6.96).
 */
#pragma once

#include "vmm/vm.h"

struct load_file {
	const void *data;
	size_t size;
	const char *words; /* its command line */
};

#define LOAD_FILES_MAX 16

/* The kernel, then its modules; the first module of Linux is its initrd. `disk` is no file of the guest's. */
struct load_image {
	struct load_file file[LOAD_FILES_MAX], disk;
	unsigned files;
};

/* On failure a line says why. */
bool load(struct guest_vm *vm, const struct load_image *image) RT_MUST_CHECK;

/* For load() alone: one kind each. */
bool load_linux(struct guest_vm *vm, const struct load_image *image) RT_MUST_CHECK;
bool load_is_multiboot(const struct load_file *kernel);
bool load_multiboot(struct guest_vm *vm, const struct load_image *image) RT_MUST_CHECK;

/* And what they share. */
enum { LOAD_GDT_AT = 0x8000, LOAD_LOW_END = 0xa0000, LOAD_HIGH_START = 0x100000 };

bool load_refuse(const char *why); /* says so, and returns false */
/* Copies `size` bytes into guest memory that is to hold `room` of them; the rest is 0. */
bool load_place(struct guest_vm *vm, uint64_t at, const void *from, uint64_t size, uint64_t room) RT_MUST_CHECK;
void load_tables(struct guest_vm *vm); /* those of ACPI; memory below the first MiB is there */
/* Flat segments, interrupts off; with `paging` 64-bit code and the page tables at that address. */
void load_processor(struct guest_vm *vm, uint64_t rip, uint64_t paging);
