/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual address map; the only place with addresses. 4-level paging, kernel in the upper half.
 *
 *   0x0000000000001000 .. 0x00007fffffffefff   user
 *   0xffffbe0000000000                         OBJ_NOWHERE where look-ups of selectors out of range go; never mapped
 *   0xffffc00000000000 + pa                    HEAP_MAP    the kernel heap and the log in RAM (nothing else of RAM),
 * RW 0xffffc04000000000 + 40 * frame            FRAME_MAP   struct page of a heap in pieces, zeros between them
 *   0xfffffe0000000000 + 32 * sel              OBJ_WINDOW  slots of the current PD          } private to each PD:
 *   0xfffffe2000000000                         TSS_WINDOW  TSSs of all CPUs, I/O bitmap     } one PML4 entry
 *   0xffffffff40000000 + offset                FRAMEBUFFER_AREA  the screen, writes combined
 *   0xffffffff80000000 + offset                KERNEL_VIRT image: text RX, rodata R, data RW
 *   0xffffffffc0000000 + 64 KiB * cpu          CPU_AREA    per CPU: struct cpu, stacks between guard pages
 *   0xffffffffe0000000 + 4 KiB * n             DEVICE_AREA device registers (same gigabyte as the CPU areas)
 *   0xffffffffe0200000 + 4 KiB * cpu           WINDOW_AREA one page for a look at foreign physical memory
 */
#pragma once

/* Usable from assembly and the linker script: no casts, no suffixes. */
#define KERNEL_VIRT 0xffffffff80000000
#define KERNEL_LOAD 0x6600000    /* physical link address (Multiboot 1) */
#define KERNEL_MAX_SIZE 0x200000 /* the image fits one 2 MiB frame, wherever it was loaded */

#define HEAP_MAP 0xffffc00000000000
#define HEAP_MAP_SIZE 0x4000000000 /* the heap lies below this physical address: 256 GiB */
#define FRAME_MAP 0xffffc04000000000

#define PD_PRIVATE 0xfffffe0000000000 /* start of the private PML4 entry */
#define OBJ_WINDOW PD_PRIVATE
/* Where slot number OBJ_WINDOW would be: arch_window_load() makes that number of a selector out of range. */
#define OBJ_NOWHERE 0xffffbe0000000000
/* Behind all entries of the private PDPT that a number of 32 bits can reach as a selector (space/slot_table.h). */
#define TSS_WINDOW 0xfffffe2000000000

/* One area per CPU; aligned to its size, so that any stack pointer in it yields the struct cpu at its start. */
#define CPU_AREA 0xffffffffc0000000
#define CPU_AREA_BITS 16
#define CPU_AREA_SIZE 0x10000

#define CPU_DATA_PAGES 2      /* struct cpu at offset 0 */
#define CPU_STACK_BASE 0x4000 /* main stack: one per CPU, empty whenever user code runs */
#define CPU_STACK_TOP 0x7000
#define CPU_NMI_BASE 0x8000
#define CPU_NMI_TOP 0x9000
#define CPU_DF_BASE 0xa000
#define CPU_DF_TOP 0xb000
#define CPU_MC_BASE 0xc000
#define CPU_MC_TOP 0xd000
#define CPU_DB_BASE 0xe000
#define CPU_DB_TOP 0xf000

/* A gigabyte of its own: one PDPT entry puts it into the boot tables and into the kernel's. */
#define FRAMEBUFFER_AREA 0xffffffff40000000

#define DEVICE_AREA 0xffffffffe0000000
#define WINDOW_AREA 0xffffffffe0200000

/* Selectors; the order of user data and code is what SYSRET wants. */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_CODE32 0x18
#define SEL_USER_DATA 0x23
#define SEL_USER_CODE 0x2b
#define SEL_TSS 0x30

/* The GDT that CPUs start with (boot/start.S): the kernel's segments, and one for 32-bit code. */
#define SEL_BOOT_CODE32 0x18
#define BOOT_GDT_SIZE 32

#ifndef __ASSEMBLER__
#include "lib/types.h"

#ifdef HEDRON_HOST
#undef HEAP_MAP
extern u64 host_heap_map; /* arch/host: where the fake physical memory lies in this process */
#define HEAP_MAP host_heap_map
#endif

static always_inline void *heap_virt(paddr_t pa)
{
	return (void *)(HEAP_MAP + pa.v);
}
static always_inline paddr_t heap_phys(const void *va)
{
	return paddr((u64)va - HEAP_MAP);
}
#endif
