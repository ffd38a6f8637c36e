/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log in RAM, for machines without a serial line: a region that survives a warm reset, in the form of Linux's
 * console in persistent RAM, so that a Linux that is booted next shows it in /sys/fs/pstore (docs/design/ramlog.md).
 * Manual: Linux, Documentation/admin-guide/ramoops.rst; struct persistent_ram_buffer is what one zone looks like.
 */
#pragma once

#include "platform/bootinfo.h"

#define RAMLOG_SIZE_MIN (4 * KiB)
#define RAMLOG_SIZE_MAX (64 * MiB)
#define RAMLOG_SIZE_USUAL (1 * MiB)

#define RAMLOG_SIGNATURE 0x43474244 /* "DBGC" */

/* Little endian. Text is data[0 .. size) until it is full, then data[start .. size) and data[0 .. start). */
struct ramlog {
	u32 signature, start, size;
	char data[];
};

/*
 * Begins a new log in `memory`, which is at the physical address and of the size that `at` says, and adds it to the
 * consoles; they tell where it is. `boot_id` tells one boot from another. The memory stays mapped there.
 */
void ramlog_init(void *memory, struct range at, u64 boot_id);
