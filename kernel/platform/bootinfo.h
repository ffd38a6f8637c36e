/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot loader's information, copied out of its memory and independent of the protocol.
 * Lifetime: filled once by multiboot_parse(), read-only afterwards.
 */
#pragma once

#include "lib/types.h"

#include <hedron/hip.h>

#define BOOT_MAP_MAX 256
#define BOOT_MODULES_MAX 32
#define BOOT_LOADER_MAX 4
#define BOOT_CMDLINE_MAX 4096 /* with the NUL */
#define BOOT_RSDP_MAX 64

/* Physical memory [addr, addr + size). Whoever fills one in makes sure that the end does not exceed 2^64. */
struct range {
	u64 addr, size;
};

enum boot_protocol { BOOT_NONE, BOOT_MB1, BOOT_MB2 };

/* One entry of the firmware's map, exactly as found, unless there are too many: unsorted, overlapping, possibly
 * nonsense. */
struct boot_map {
	u64 addr, size;
	u32 type; /* enum hip_mem_type */
};

struct boot_module {
	struct range image;
	u64 cmdline;      /* physical address of the NUL-terminated command line, or 0 */
	u64 cmdline_size; /* with the NUL */
};

/* What the loader says of the screen. */
enum boot_screen { BOOT_SCREEN_UNKNOWN, BOOT_SCREEN_INDEXED, BOOT_SCREEN_RGB, BOOT_SCREEN_TEXT };

struct boot_info {
	u8 protocol; /* enum boot_protocol */
	u8 screen;   /* enum boot_screen */
	bool efi;
	bool text;                    /* the kernel writes on a screen of VGA's text mode */
	bool map_joined, modules_cut; /* there were more entries, or modules, than fit */
	u64 map_lost;                 /* bytes of RAM that this has cost */
	u32 map_count, module_count, loader_count;
	u32 rsdp_size; /* 0: the loader passed none */
	struct boot_map map[BOOT_MAP_MAX];
	struct boot_module module[BOOT_MODULES_MAX];
	struct range loader[BOOT_LOADER_MAX]; /* where the loader keeps its own structures */
	struct hip_framebuffer
		framebuffer; /* as found, like the map; RGB means something until framebuffer_check() */
	u8 rsdp[BOOT_RSDP_MAX];
	char cmdline[BOOT_CMDLINE_MAX];
};

/* Whether they share a byte; a range may end at 2^64. */
static inline bool range_overlaps(struct range a, struct range b)
{
	return a.size && b.size && (a.addr - b.addr < b.size || b.addr - a.addr < a.size);
}
