/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel's format of microcode updates: whether one is complete, and which CPUs it is for. Only memory is read; the
 * CPU is asked in cpu/microcode_load.c. Manual: SDM vol. 3, 10.11.1 (header, extended signatures), 10.11.3 (processor
 * signature), 10.11.5 (checksum).
 */
#pragma once

#include "lib/types.h"

#define MICROCODE_HEADER_SIZE 48
#define MICROCODE_ALIGN 16

/* How long the update is that begins with this header, in a memory of `size` bytes; 0: there is none. */
u64 microcode_size(const void *header, u64 size);

/* Whether the `size` bytes at `blob` begin with a complete update, consistent in itself. The rest of the functions
 * ask for one. */
bool microcode_valid(const void *blob, u64 size);

/* Whether it is made for CPUs with this signature (CPUID 1, EAX) on this platform (0..7). */
bool microcode_matches(const void *blob, u32 signature, unsigned platform);

u32 microcode_revision(const void *blob);
