/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/desc.h"

#include "arch/switch.h"
#include "entry/frame.h"
#include "mm/layout.h"

#include <hedron/abi.h>

#define GDT_FIXED 6 /* null, kernel code and data, user 32-bit code, user data, user code */

/*
 * A VM exit leaves both tables with a limit of 64 KiB (SDM vol. 3, 28.5.2). They have it from the beginning, with
 * nothing behind what is used, so that the limits never have to be put right: an empty entry is refused exactly as
 * one beyond the limit. The IDT has no more than 256 entries.
 */
#define GDT_ENTRIES 8192
#define IDT_ENTRIES 256

static aligned(4096) u64 gdt[GDT_ENTRIES] = {
	0,
	0x00af9b000000ffff, /* SEL_KERNEL_CODE: 64-bit */
	0x00cf93000000ffff, /* SEL_KERNEL_DATA */
	0,                  /* SEL_USER_CODE32: nobody runs 32-bit code */
	0x00cff3000000ffff, /* SEL_USER_DATA */
	0x00affb000000ffff, /* SEL_USER_CODE */
};

static aligned(4096) struct desc_gate idt[IDT_ENTRIES];

_Static_assert(GDT_FIXED + 2 * HEDRON_CPU_MAX <= GDT_ENTRIES, "every CPU has a TSS");

aligned(4096) u8 desc_tss_pages[TSS_PAGES * PAGE_SIZE];

#define GATE_INTERRUPT 0x8e
#define GATE_INTERRUPT_DPL3 0xee
#define TRAP_BP 3
#define TRAP_OF 4

enum { IST_NONE, IST_NMI, IST_DF, IST_MC, IST_DB };

/* #DB has one because a single step over SYSCALL may be reported before the kernel has its stack. */
static u8 ist_of(unsigned vector)
{
	switch (vector) {
	case TRAP_NMI:
		return IST_NMI;
	case TRAP_DF:
		return IST_DF;
	case TRAP_MC:
		return IST_MC;
	case TRAP_DB:
		return IST_DB;
	default:
		return IST_NONE;
	}
}

struct desc_pointer desc_idt_pointer(void)
{
	return (struct desc_pointer){sizeof(idt) - 1, (u64)idt};
}

void desc_load_idt(void)
{
	struct desc_pointer idtr = desc_idt_pointer();
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

static struct desc_gate gate_to(u64 entry, u8 ist, u8 type)
{
	return (struct desc_gate){
		.offset_low = (u16)entry,
		.offset_mid = (u16)(entry >> 16),
		.offset_high = (u32)(entry >> 32),
		.selector = SEL_KERNEL_CODE,
		.ist = ist,
		.type = type,
	};
}

static void set_gate(unsigned v, u64 entry, u8 type)
{
	idt[v] = gate_to(entry, ist_of(v), type);
}

void desc_set_gate(struct desc_gate *gate, const void *entry)
{
	*gate = gate_to((u64)entry, IST_NONE, GATE_INTERRUPT);
}

void desc_init(void)
{
	for (unsigned v = 0; v < TRAP_VECTORS; v++)
		set_gate(v, (u64)entry_trap_stubs + v * ENTRY_TRAP_STUB_SIZE,
			 v == TRAP_BP || v == TRAP_OF ? GATE_INTERRUPT_DPL3 : GATE_INTERRUPT);
	desc_load_idt();
}

void desc_set_interrupts(unsigned first, unsigned count, const void *entry)
{
	for (unsigned v = first; v < first + count; v++)
		set_gate(v, (u64)entry, GATE_INTERRUPT);
}

void desc_set_irqs(void)
{
	for (unsigned v = ENTRY_IRQ_FIRST; v < IDT_ENTRIES; v++)
		set_gate(v, (u64)entry_irq_stubs + (v - ENTRY_IRQ_FIRST) * ENTRY_TRAP_STUB_SIZE, GATE_INTERRUPT);
}

static struct tss *tss_of(unsigned cpu)
{
	return (struct tss *)(desc_tss_pages + cpu * TSS_SPACING);
}

static void fill_tss(unsigned cpu)
{
	u64 area = CPU_AREA + (u64)cpu * CPU_AREA_SIZE;
	*tss_of(cpu) = (struct tss){
		.rsp = {area + CPU_STACK_TOP},
		.ist = {area + CPU_NMI_TOP, area + CPU_DF_TOP, area + CPU_MC_TOP, area + CPU_DB_TOP},
		.io_bitmap = (u16)(TSS_IO_BITMAP - cpu * TSS_SPACING),
	};
}

/* An available 64-bit TSS; loading it sets the busy bit. */
static void fill_tss_descriptor(unsigned cpu)
{
	u64 base = TSS_WINDOW + cpu * TSS_SPACING;
	u64 limit = TSS_IO_BITMAP - cpu * TSS_SPACING + TSS_IO_BYTES - 1;
	u64 *d = &gdt[GDT_FIXED + 2 * cpu];
	d[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x89ull << 40 | (limit >> 16 & 0xf) << 48 |
	       (base >> 24 & 0xff) << 56;
	d[1] = base >> 32;
}

_Static_assert(SEL_TSS == GDT_FIXED * 8, "the TSSs follow the segments");

void desc_load_tr(unsigned cpu)
{
	fill_tss_descriptor(cpu); /* clears the busy bit, with which LTR would fault */
	__asm__ volatile("ltr %0" : : "r"((u16)(SEL_TSS + cpu * 16)));
}

u64 desc_gdt(void)
{
	return (u64)gdt;
}
u64 desc_idt(void)
{
	return (u64)idt;
}

static void clear_data_selectors(void)
{
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%fs\n\tmov %0, %%gs" : : "r"(0));
}

/* Loading null selectors clears the bases of FS and GS on some processors and not on others (SDM vol. 3, 3.4.4.1), so
 * they are stored and loaded. */
void arch_clear_residue(struct cpu *cpu)
{
	u64 fs = fsbase_read(), gs = gsbase_read();

	clear_data_selectors();
	fsbase_write(fs);
	gsbase_write(gs);
	cpu->residue = 0;
}

void desc_load(unsigned cpu)
{
	struct desc_pointer gdtr = {sizeof(gdt) - 1, (u64)gdt};

	fill_tss(cpu);
	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	desc_load_idt();
	desc_load_tr(cpu);
	__asm__ volatile("lldt %0" : : "r"((u16)0));
	__asm__ volatile("mov %0, %%ss" : : "r"(SEL_KERNEL_DATA));
	clear_data_selectors();
}
