/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the kernel heap goes: one piece of RAM, or several where firmware has left no large one. The rule:
 *
 * - Size: a 16th of the RAM, at least 4 MiB, at most 256 MiB, rounded down to 2 MiB; or what `heap=` asks for,
 * rounded up to 2 MiB.
 * - Place: the highest one, aligned to 2 MiB, below 4 GiB that is RAM throughout and overlaps nothing in use. The
 * tables that the kernel boots with show no other memory. In use are: entries of the firmware's map of other types
 * (where they overlap RAM they count), the kernel image, modules and their command lines, the loader's structures,
 * ACPI tables, the first MiB.
 * - The MTRRs let caches hold it (write-back).
 * - If there is no such place: 4 MiB there, or 2, for the start, and the rest as high as possible below 256 GiB
 * (MEMMAP_HEAP_END). Where it does not fit half of it is tried, down to 2 MiB, and the next piece is for what is
 * missing still, until there are MEMMAP_HEAP_PIECES. So what little memory may be below 4 GiB is left to users.
 * - If there is nothing at all, the same again without the caches. A heap smaller than `heap=` asks for is logged.
 */
#pragma once

#include "platform/acpi.h"
#include "platform/bootinfo.h"

#define MEMMAP_HEAP_MIN (4 * MiB)
#define MEMMAP_HEAP_MAX (256 * MiB)
#define MEMMAP_HEAP_ALIGN (2 * MiB)
#define MEMMAP_HEAP_PIECES 6
#define MEMMAP_HEAP_END (256 * GiB) /* of what has an address in the kernel (mm/layout.h) */

/* The first piece is below 4 GiB. */
struct memmap_heap {
	u32 count;
	struct range piece[MEMMAP_HEAP_PIECES];
};

/*
 * Where the log in RAM goes (platform/ramlog.h), at `wanted` if that is not 0. Else it has to be found again by
 * whatever is booted next, and firmware and boot loaders must not use it meanwhile: they like both ends of RAM, and
 * the first GiB. So it is the first of these addresses where all is RAM and not in use: MEMMAP_LOG_PLACE, half of it,
 * and so on, down to MEMMAP_LOG_LAST. Before the heap is chosen, which goes somewhere else then. False: no place.
 */
#define MEMMAP_LOG_PLACE 0x50000000ull
#define MEMMAP_LOG_LAST 0x05000000ull
bool memmap_pick_log(const struct boot_info *boot, const struct acpi_info *acpi, struct range image, u64 size,
		     u64 wanted, struct range *log) must_check;

/* Whether firmware calls any byte of the range RAM, whatever else it says of it. */
bool memmap_has_ram(const struct boot_info *boot, struct range r);

/* Sum of the RAM entries; overlapping ones count once, memory also marked as something else counts as RAM. */
u64 memmap_ram_total(const struct boot_info *boot);

/* wanted: bytes, or 0 for the size by rule. False: not even 2 MiB are free. */
bool memmap_pick_heap(const struct boot_info *boot, const struct acpi_info *acpi, struct range image, u64 wanted,
		      struct memmap_heap *heap) must_check;
u64 memmap_heap_size(const struct memmap_heap *heap);
