/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the kernel heap goes. The rule:
 *
 * - Size: a 16th of the RAM, at least 4 MiB, at most 256 MiB, rounded down to 2 MiB; or what `heap=` asks for,
 * rounded up to 2 MiB.
 * - Place: the highest one, aligned to 2 MiB, below 4 GiB that is RAM throughout and overlaps nothing in use. In use
 * are: entries of the firmware's map of other types (where they overlap RAM they count), the kernel image, modules
 * and their command lines, the loader's structures, ACPI tables, the first MiB.
 * - The MTRRs let caches hold it (write-back).
 * - If there is no such place, half the size is tried, down to 2 MiB, and then the same again without the caches.
 */
#pragma once

#include "platform/acpi.h"
#include "platform/bootinfo.h"

#define MEMMAP_HEAP_MIN (4 * MiB)
#define MEMMAP_HEAP_MAX (256 * MiB)
#define MEMMAP_HEAP_ALIGN (2 * MiB)

/* Sum of the RAM entries; overlapping ones count once, memory also marked as something else counts as RAM. */
u64 memmap_ram_total(const struct boot_info *boot);

/* wanted: bytes, or 0 for the size by rule. False: not even 2 MiB are free. */
bool memmap_pick_heap(const struct boot_info *boot, const struct acpi_info *acpi, struct range image, u64 wanted,
		      struct range *heap) must_check;
