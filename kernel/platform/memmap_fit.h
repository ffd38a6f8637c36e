/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory map with fewer entries. Firmware's entries may be unsorted, overlap, be empty or wrap around; as long as
 * they fit, they are left as they are.
 */
#pragma once

#include "platform/bootinfo.h"

#define MEMMAP_FIT_MIN 3

/*
 * If the `count` entries of the map, at most BOOT_MAP_MAX, are more than `room`, which is at least MEMMAP_FIT_MIN:
 * makes them fit, sorted and without overlaps, and returns how many there are then.
 *
 * - Where entries overlap, RAM gives way to anything else.
 * - Neighbours of the same type become one.
 * - If that is not enough, the smallest RAM goes, and what is of one type on both its sides becomes one. The largest
 *   RAM stays, and nothing but RAM is lost: at last, what is closest together becomes one that is reserved.
 *
 * *lost is the RAM that went. Boot time: one CPU.
 */
u32 memmap_fit(struct boot_map *map, u32 count, u32 room, u64 *lost);

/* An entry as a range that does not wrap; one up to 2^64 loses its last byte. */
struct range memmap_fit_range(const struct boot_map *e);
