/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user thread control block: message buffer of an EC, and state page of a vCPU (docs/abi.md, "UTCB").
 * Natural alignment gives the published offsets; the asserts below prove each.
 */
#pragma once

#include <hedron/abi.h>
#include <stddef.h>
#include <stdint.h>

struct utcb_seg {
	uint16_t sel;
	uint16_t ar;
	uint32_t limit;
	uint64_t base;
};

struct utcb_item {
	uint64_t crd;
	uint64_t meta;
};

#define UTCB_SIZE 4096
#define UTCB_WORDS_MAX 508
#define UTCB_ITEMS_MAX 254

/* Architectural state; shares its memory with the message words. */
struct utcb_state {
	uint64_t mtd;
	uint64_t inst_len, rip, rflags;
	uint32_t intr_state, actv_state, intr_info, intr_error, vect_info, vect_error;
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t qual[2];
	uint32_t ctrl[2];
	uint64_t xcr0, cr0, cr2, cr3, cr4, pdpte[4], cr8, efer, pat;
	uint64_t star, lstar, fmask, kernel_gs_base;
	uint64_t dr7, sysenter_cs, sysenter_rsp, sysenter_rip;
	struct utcb_seg es, cs, ss, ds, fs, gs, ldtr, tr, gdtr, idtr;
	uint64_t tsc_val, tsc_off;
	uint32_t tsc_aux, exc_bitmap, tpr_threshold, reserved1;
	uint64_t eoi_bitmap[4];
	uint16_t vintr_status, reserved2[3];
	uint64_t cr0_mon, cr4_mon, spec_ctrl, tsc_timeout;
	uint32_t exit_reason, exit_flags;
};

struct utcb {
	uint64_t items; /* untyped words 15:0, typed items 31:16 */
	uint64_t xlt;   /* window for translations */
	uint64_t del;   /* window for delegations */
	uint64_t tls;   /* the user's own */
	union {
		uint64_t words[UTCB_WORDS_MAX];
		struct utcb_state state;
		/* The first item is the last element, the second the one before, and so on. */
		struct utcb_item typed[UTCB_ITEMS_MAX];
	};
};

#define UTCB_STATE_WORDS 80 /* `items` of a state message */

/* What AMD's processors say of the last exit, in the state page of a vCPU behind the state. */
struct utcb_svm {
	uint64_t exit_code, exit_info1, exit_info2;
};

static inline struct utcb_svm *utcb_svm(struct utcb *page)
{
	return (struct utcb_svm *)&page->words[UTCB_STATE_WORDS];
}
#define UTCB_TYPED(utcb, n) (&(utcb)->typed[UTCB_ITEMS_MAX - 1 - (n)])

/* Message transfer descriptor: X(bit, NAME). */
// clang-format off
#define MTD_LIST(X) \
	X(0, GPR_ACDB) X(1, GPR_BSD) X(2, RSP) X(3, RIP_LEN) X(4, RFLAGS) \
	X(5, DS_ES) X(6, FS_GS) X(7, CS_SS) X(8, TR) X(9, LDTR) \
	X(10, GDTR) X(11, IDTR) X(12, CR) X(13, DR) X(14, SYSENTER) \
	X(15, QUAL) X(16, CTRL) X(17, INJ) X(18, STA) X(19, TSC) \
	X(20, EFER_PAT) X(21, PDPTE) X(22, GPR_R8_R15) X(23, SYSCALL_SWAPGS) X(24, TSC_TIMEOUT) \
	X(26, VINTR) X(27, EOI) X(28, TPR) X(30, TLB) X(31, FPU)
// clang-format on

#define X(bit, name) MTD_##name = 1ul << bit,
enum mtd { MTD_LIST(X) };
#undef X

#define UTCB_AT(field, offset) HEDRON_ASSERT(offsetof(struct utcb, field) == (offset), "UTCB offset of " #field)
UTCB_AT(words, 32);
UTCB_AT(typed[UTCB_ITEMS_MAX - 1], 4080);
UTCB_AT(state.mtd, 32);
UTCB_AT(state.inst_len, 40);
UTCB_AT(state.rip, 48);
UTCB_AT(state.rflags, 56);
UTCB_AT(state.intr_state, 64);
UTCB_AT(state.actv_state, 68);
UTCB_AT(state.intr_info, 72);
UTCB_AT(state.intr_error, 76);
UTCB_AT(state.vect_info, 80);
UTCB_AT(state.vect_error, 84);
UTCB_AT(state.rax, 88);
UTCB_AT(state.rdi, 144);
UTCB_AT(state.r8, 152);
UTCB_AT(state.r15, 208);
UTCB_AT(state.qual, 216);
UTCB_AT(state.ctrl, 232);
UTCB_AT(state.xcr0, 240);
UTCB_AT(state.cr0, 248);
UTCB_AT(state.cr2, 256);
UTCB_AT(state.cr3, 264);
UTCB_AT(state.cr4, 272);
UTCB_AT(state.pdpte, 280);
UTCB_AT(state.cr8, 312);
UTCB_AT(state.efer, 320);
UTCB_AT(state.pat, 328);
UTCB_AT(state.star, 336);
UTCB_AT(state.kernel_gs_base, 360);
UTCB_AT(state.dr7, 368);
UTCB_AT(state.sysenter_cs, 376);
UTCB_AT(state.sysenter_rip, 392);
UTCB_AT(state.es, 400);
UTCB_AT(state.cs, 416);
UTCB_AT(state.ss, 432);
UTCB_AT(state.ds, 448);
UTCB_AT(state.fs, 464);
UTCB_AT(state.gs, 480);
UTCB_AT(state.ldtr, 496);
UTCB_AT(state.tr, 512);
UTCB_AT(state.gdtr, 528);
UTCB_AT(state.idtr, 544);
UTCB_AT(state.tsc_val, 560);
UTCB_AT(state.tsc_off, 568);
UTCB_AT(state.tsc_aux, 576);
UTCB_AT(state.exc_bitmap, 580);
UTCB_AT(state.tpr_threshold, 584);
UTCB_AT(state.eoi_bitmap, 592);
UTCB_AT(state.vintr_status, 624);
UTCB_AT(state.cr0_mon, 632);
UTCB_AT(state.cr4_mon, 640);
UTCB_AT(state.spec_ctrl, 648);
UTCB_AT(state.tsc_timeout, 656);
UTCB_AT(state.exit_reason, 664);
UTCB_AT(state.exit_flags, 668);
#undef UTCB_AT
HEDRON_ASSERT(sizeof(struct utcb) == UTCB_SIZE, "UTCB is one page");
