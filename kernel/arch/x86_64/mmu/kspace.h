/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own address space: image, heap, CPU areas, the VGA page (mm/layout.h). */
#pragma once

#include "lib/types.h"
#include "mm/ptab.h"
#include "platform/bootinfo.h"
#include "platform/memmap.h"

/* Supervisor entries. Manual: SDM vol. 3, 4.5.4. */
#define KPTE_PWT (1ull << 3)
#define KPTE_PCD (1ull << 4)
#define KPTE_G (1ull << 8)
#define KPTE_PAT_4K (1ull << 7) /* with PCD and PWT clear: combined writes (cpu_set_pat()) */
#define KPTE_PAT_2M (1ull << 12)
#define KPTE_TABLE (PTE_P | PTE_W | PTE_A)
#define KPTE_RX (PTE_P | PTE_A | KPTE_G)
#define KPTE_RO (KPTE_RX | PTE_NX)
#define KPTE_RW (KPTE_RO | PTE_W | PTE_D)

/* The boot tables map what lies below one to one (boot/start.S). */
#define KSPACE_BOOT_END (4 * GiB)

#define PML4_INDEX(va) ((va) >> 39 & 511)
#define PDPT_INDEX(va) ((va) >> 30 & 511)

/* Where the image was loaded; constant after kspace_init(). */
extern paddr_t kspace_image;

/*
 * Builds the kernel's half in pd_kernel's tables, and hangs the CPU areas into the boot tables, which stay in use.
 * The heap works already (the boot tables map it).
 */
enum status kspace_init(const struct memmap_heap *heap, paddr_t image, unsigned cpus) must_check;

/* The log in RAM, where the boot tables have it, too: at HEAP_MAP + its physical address. After kspace_init(), before
 * there are other PDs. */
enum status kspace_map_log(struct range log) must_check;

/* Hangs what is private to pd_kernel into the boot tables, too: without TSS no exception with a stack of its own
 * works. */
void kspace_show_private(void);

/* Puts the part of the kernel's half that all PDs share into a PML4, and takes it out again. */
void kspace_share(u64 *pml4);
void kspace_unshare(u64 *pml4);

/* Switches this CPU from the boot tables to the kernel's. */
void kspace_enter(void);

/*
 * A page of device registers, not cached, visible in the boot tables as well. NULL without memory or room. Before
 * kspace_init() it is a page of the boot tables only, and NULL from KSPACE_BOOT_END on.
 */
void *kspace_map_device(paddr_t pa);

/*
 * A page of physical memory that the kernel does not own, for reading and writing, until kspace_window_close(). Each
 * CPU has one window. `flags`: KPTE_RW, and KPTE_PCD | KPTE_PWT for device registers.
 */
void *kspace_window_open(paddr_t pa, u64 flags);
void kspace_window_close(void);

/*
 * A framebuffer, for combined writes and at the same place in all tables; before kspace_init(), by the boot CPU,
 * whose image was loaded at `load`. NULL: the CPU has no such address, or there is more of it than
 * FRAMEBUFFER_SIZE_MAX.
 */
void *kspace_map_framebuffer(paddr_t load, paddr_t pa, u64 size);

/* Where the VGA text page is, in the boot tables and in the kernel's. */
void *kspace_vga(void);
