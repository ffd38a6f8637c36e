/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual machine control block of AMD's processors: a page that VMRUN reads, and that the exit writes.
 * Manual: APM vol. 2, appendix B (layout), appendix C (exit codes), 15.5..15.25. */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

#include <hedron/utcb.h>

/* The state page has segments as the VMCB has them, but for what it says of one that is not usable (SEG_UNUSABLE). */
struct vmcb {
	/* controls */
	u16 cr_reads, cr_writes, dr_reads, dr_writes; /* a bit for each register */
	u32 exceptions;                               /* a bit for each vector */
	u32 intercepts, intercepts2, intercepts3;
	u8 reserved1[0x3c - 0x18];
	u16 pause_threshold, pause_count;
	u64 iopm, msrpm, tsc_offset;
	u32 asid, tlb_control;
	u64 vintr;
	u64 interrupt_shadow;
	u64 exit_code, exit_info1, exit_info2, exit_int_info;
	u64 nested;
	u8 reserved2[0xa8 - 0x98];
	u64 event_inj;
	u64 nested_cr3;
	u64 lbr_virtualization;
	u64 clean;
	u64 next_rip;
	u8 fetched, instruction[15];
	u8 reserved3[0x400 - 0xe0];

	/* state */
	struct utcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved4[0x4cb - 0x4a0];
	u8 cpl;
	u32 reserved5;
	u64 efer;
	u8 reserved6[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved7[0x5d8 - 0x580];
	u64 rsp;
	u8 reserved8[0x5f8 - 0x5e0];
	u64 rax, star, lstar, cstar, fmask, kernel_gs_base, sysenter_cs, sysenter_rsp, sysenter_rip, cr2;
	u8 reserved9[0x668 - 0x648];
	u64 pat, debugctl;
	u8 reserved10[0x1000 - 0x678];
};

#define VMCB_AT(field, offset) _Static_assert(offsetof(struct vmcb, field) == (offset), "VMCB offset of " #field)
VMCB_AT(cr_reads, 0x000);
VMCB_AT(exceptions, 0x008);
VMCB_AT(intercepts, 0x00c);
VMCB_AT(intercepts3, 0x014);
VMCB_AT(pause_threshold, 0x03c);
VMCB_AT(iopm, 0x040);
VMCB_AT(asid, 0x058);
VMCB_AT(vintr, 0x060);
VMCB_AT(interrupt_shadow, 0x068);
VMCB_AT(exit_code, 0x070);
VMCB_AT(exit_int_info, 0x088);
VMCB_AT(nested, 0x090);
VMCB_AT(event_inj, 0x0a8);
VMCB_AT(nested_cr3, 0x0b0);
VMCB_AT(clean, 0x0c0);
VMCB_AT(next_rip, 0x0c8);
VMCB_AT(es, 0x400);
VMCB_AT(gdtr, 0x460);
VMCB_AT(tr, 0x490);
VMCB_AT(cpl, 0x4cb);
VMCB_AT(efer, 0x4d0);
VMCB_AT(cr4, 0x548);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5d8);
VMCB_AT(rax, 0x5f8);
VMCB_AT(kernel_gs_base, 0x620);
VMCB_AT(cr2, 0x640);
VMCB_AT(pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 0x1000, "the VMCB is a page");
#undef VMCB_AT

/* vmcb.intercepts */
#define INTERCEPT_INTR (1u << 0)
#define INTERCEPT_NMI (1u << 1)
#define INTERCEPT_INIT (1u << 3)
#define INTERCEPT_VINTR (1u << 4)
#define INTERCEPT_CR0_SEL_WRITE (1u << 5)
#define INTERCEPT_RDTSC (1u << 14)
#define INTERCEPT_RDPMC (1u << 15)
#define INTERCEPT_CPUID (1u << 18)
#define INTERCEPT_RSM (1u << 19)
#define INTERCEPT_IRET (1u << 20)
#define INTERCEPT_INVD (1u << 22)
#define INTERCEPT_PAUSE (1u << 23)
#define INTERCEPT_HLT (1u << 24)
#define INTERCEPT_INVLPG (1u << 25)
#define INTERCEPT_INVLPGA (1u << 26)
#define INTERCEPT_IO (1u << 27)
#define INTERCEPT_MSR (1u << 28)
#define INTERCEPT_TASK_SWITCH (1u << 29)
#define INTERCEPT_SHUTDOWN (1u << 31)

/* vmcb.intercepts2 */
#define INTERCEPT2_VMRUN (1u << 0)
#define INTERCEPT2_VMMCALL (1u << 1)
#define INTERCEPT2_VMLOAD (1u << 2)
#define INTERCEPT2_VMSAVE (1u << 3)
#define INTERCEPT2_STGI (1u << 4)
#define INTERCEPT2_CLGI (1u << 5)
#define INTERCEPT2_SKINIT (1u << 6)
#define INTERCEPT2_RDTSCP (1u << 7)
#define INTERCEPT2_MONITOR (1u << 10)
#define INTERCEPT2_MWAIT (3u << 11) /* also where its monitor is armed */
#define INTERCEPT2_XSETBV (1u << 13)

#define TLB_FLUSH_NOTHING 0
#define TLB_FLUSH_ALL 1

/* vmcb.vintr */
#define VINTR_TPR_MASK 0xfull
#define VINTR_IRQ (1ull << 8)
#define VINTR_PRIORITY (0xfull << 16)
#define VINTR_MASKING (1ull << 24)

#define NESTED_PAGING 1ull

/*
 * vmcb.clean: the processor need not read what it may still have from the last exit of the same VMCB (APM vol. 2,
 * 15.15). The bits are those of intercepts and TSC offset, permission maps, ASID, virtual interrupts, nested paging
 * with PAT, CRs with EFER, DRs, GDTR with IDTR, segments with CPL, and CR2; the rest of the VMCB is always read.
 * Processors without clean bits ignore them.
 */
#define VMCB_DIRTY 0
#define VMCB_CLEAN 0x3ffull

/* vmcb.event_inj, and vmcb.exit_int_info with the event whose delivery was cut short: bits 31:0 have Intel's format,
 * with fewer types; the error code is above. */
#define EVENT_VALID (1ull << 31)
#define EVENT_ERROR_VALID (1ull << 11)
#define EVENT_ERROR_SHIFT 32
#define EVENT_TYPE_MASK 0x700ull
#define EVENT_EXCEPTION 0x300ull
#define EVENT_SOFT_INTERRUPT 0x400ull

/* Whether the last exit has cut short the delivery of an event. Each exit writes that; who has seen to the event
 * clears it. */
static inline bool svm_cut(const struct vmcb *b)
{
	return b->exit_int_info & EVENT_VALID;
}

enum vmcb_exit {
	EXIT_CR_READ = 0x00, /* and the number of the register */
	EXIT_CR_WRITE = 0x10,
	EXIT_DR_READ = 0x20,
	EXIT_DR_WRITE = 0x30,
	EXIT_EXCEPTION = 0x40, /* and the vector */
	EXIT_INTR = 0x60,
	EXIT_NMI = 0x61,
	EXIT_INIT = 0x63,
	EXIT_VINTR = 0x64,
	EXIT_CR0_SEL_WRITE = 0x65,
	EXIT_RDTSC = 0x6e,
	EXIT_RDPMC = 0x6f,
	EXIT_CPUID = 0x72,
	EXIT_RSM = 0x73,
	EXIT_IRET = 0x74,
	EXIT_INVD = 0x76,
	EXIT_PAUSE = 0x77,
	EXIT_HLT = 0x78,
	EXIT_INVLPG = 0x79,
	EXIT_INVLPGA = 0x7a,
	EXIT_IO = 0x7b,
	EXIT_MSR = 0x7c,
	EXIT_TASK_SWITCH = 0x7d,
	EXIT_SHUTDOWN = 0x7f,
	EXIT_VMRUN = 0x80,
	EXIT_VMMCALL = 0x81,
	EXIT_VMLOAD = 0x82,
	EXIT_SKINIT = 0x86,
	EXIT_RDTSCP = 0x87,
	EXIT_MONITOR = 0x8a,
	EXIT_MWAIT = 0x8b,
	EXIT_MWAIT_ARMED = 0x8c,
	EXIT_XSETBV = 0x8d,
	EXIT_NESTED_FAULT = 0x400,
};

/* The entry was refused. Emulators write 32 bits of it, processors 64. */
#define EXIT_INVALID 0xffffffffu

/* Access rights of a segment: in the page, bit 12 says that it is not usable; the VMCB has no "present" then. */
#define SEG_UNUSABLE 0x1000u
#define SEG_PRESENT 0x80u
#define SEG_RIGHTS 0x0fffu
