/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments, task states, interrupt gates. GDT and IDT are shared by all CPUs. The TSSs of all CPUs lie packed in four
 * pages that every PD maps at TSS_WINDOW, followed by the PD's I/O bitmap: every TSS reaches it with its 16-bit
 * offset (docs/design/kernel.md). Manual: SDM vol. 3, 3.4, 6.14, 7.2, 7.7; vol. 1, 19.5.2 (bitmap).
 */
#pragma once

#include "lib/types.h"

#define TSS_SPACING 128
#define TSS_PAGES 4
#define TSS_IO_BITMAP (TSS_PAGES * PAGE_SIZE) /* from TSS_WINDOW */
#define TSS_IO_BYTES 8193                     /* the CPU may read one byte beyond the last port */

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, io_bitmap;
} packed;

_Static_assert(sizeof(struct tss) == 104 && sizeof(struct tss) <= TSS_SPACING, "TSS layout");

extern u8 desc_tss_pages[TSS_PAGES * PAGE_SIZE];

struct desc_gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, reserved;
};

struct desc_pointer {
	u16 limit;
	u64 base;
} packed;

/* A gate for an IDT of somebody else's, by which the kernel comes to `entry` on the stack that it has. */
void desc_set_gate(struct desc_gate *gate, const void *entry);
/* What LIDT loads for the IDT of all CPUs. */
struct desc_pointer desc_idt_pointer(void);

/* Fills the IDT and loads it, so that a fault during boot is reported; once. */
void desc_init(void);
/* Loads the IDT on another CPU, which may be on any page tables that have the image, and any stack of its own. NMI,
 * #DB, #DF and #MC, which switch stacks, need desc_load(), too. */
void desc_load_idt(void);
/* Fills this CPU's TSS and loads all tables and selectors; the address space in CR3 must have the TSS window. */
void desc_load(unsigned cpu);
/* Loads the task register again with its whole limit: a VM exit leaves a limit of 67h, with which the I/O bitmap is
 * out of reach (SDM vol. 3, 28.5.2). */
void desc_load_tr(unsigned cpu);
/* The addresses of the tables, for the VMCS. */
u64 desc_gdt(void);
u64 desc_idt(void);

/* Interrupts with these vectors lead to `entry`, which is to return. Before other CPUs run. */
void desc_set_interrupts(unsigned first, unsigned count, const void *entry);
/* All interrupts lead to the kernel's entries. All other CPUs are stopped. */
void desc_set_irqs(void);
