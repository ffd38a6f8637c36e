/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine says of its physical memory; device registers in it. */
#pragma once

#include "lib/types.h"

/*
 * [pa, pa + len) for reading, or NULL if it cannot be mapped; what lies within one page always can. Boot time, on the
 * boot CPU: the mapping ends with the next call, and when the kernel enters its own address space.
 */
const void *arch_phys_map(paddr_t pa, u64 len);

/*
 * The page of device registers at pa, not cached; what is returned points to pa in it. NULL: it cannot be mapped, or
 * not yet, as above 4 GiB before the kernel has page tables. Boot time, on the boot CPU. What was mapped before it
 * has page tables is to be mapped again when it has them.
 */
volatile void *arch_map_device(paddr_t pa);

/* Number of physical address bits that are address, not key of encrypted memory; whether page tables may have leaves
 * of 1 GiB. Both from the time on at which the boot CPU's features are known. */
unsigned arch_phys_bits(void);
bool arch_has_1g_pages(void);

/* As in MTRRs and EPT entries. */
enum mem_type { MEM_UC = 0, MEM_WC = 1, MEM_WT = 4, MEM_WP = 5, MEM_WB = 6 };

/*
 * The memory type of the byte at pa as the MTRRs have it (enum mem_type); it stays the same up to
 * *same_until, which is more than pa and at most pa + size. Boot time: reads MSRs for each answer, so
 * space_mem_claim() remembers them.
 */
u8 arch_mem_type(paddr_t pa, u64 size, u64 *same_until);
