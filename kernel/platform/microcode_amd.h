/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD's format of microcode updates: containers, each with a table and patches. The table gives CPUs that take the
 * same patches one number; patches bear that number. Only memory is read; the CPU is asked in cpu/microcode_load.c.
 * Manual: AMD, "AMD Microcode Container File format" (2014).
 */
#pragma once

#include "lib/types.h"

/* Whether the four bytes at `blob` begin a container, not an update in Intel's format. */
bool microcode_amd_begins(const void *blob);

struct microcode_amd_patch {
	const u8 *data;
	u32 size, revision; /* size 0: there is none */
};

/*
 * Looks for the newest patch for CPUs with this signature (CPUID 1, EAX) in the containers at `blob`, one after the
 * other. False: these are not whole, or do not fill the `size` bytes.
 */
bool microcode_amd_find(const void *blob, u64 size, u32 signature, struct microcode_amd_patch *newest) must_check;
