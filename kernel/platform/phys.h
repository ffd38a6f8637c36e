/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies out of physical memory at boot time, for structures whose addresses and lengths come from outside. At most
 * one page is mapped at a time.
 */
#pragma once

#include "lib/types.h"

/* False: not all of it can be read; *to is then undefined. */
bool phys_read(u64 pa, void *to, u64 size) must_check;

/* Sum of the bytes, modulo 256, added to *sum. */
bool phys_sum(u64 pa, u64 size, u8 *sum) must_check;

/* Length of the NUL-terminated string; max if it is longer or ends in memory that cannot be read. */
u64 phys_strnlen(u64 pa, u64 max);
