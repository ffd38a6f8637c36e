/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot information in the Multiboot 1 and Multiboot 2 formats.
 * Manual: Multiboot Specification 0.6.96, 3.3; Multiboot2 Specification 2.0, 3.6.
 */
#pragma once

#include "platform/bootinfo.h"

/* EAX at the entry point. */
#define MULTIBOOT1_MAGIC 0x2badb002
#define MULTIBOOT2_MAGIC 0x36d76289

/*
 * Reads the structure at `info` through arch_phys_map(). Entries that make no sense are left out with a log line.
 * False: neither magic fits, or the structure itself cannot be read; *out is then valid but empty.
 */
bool multiboot_parse(u32 magic, paddr_t info, struct boot_info *out) must_check;
