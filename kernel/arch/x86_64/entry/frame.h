/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the stubs of traps (entry.S) and their handlers in C have of each other. Manual: SDM vol. 3, 6.14. */
#pragma once

#define TRAP_VECTORS 32
#define TRAP_DB 1
#define TRAP_NMI 2
#define TRAP_DF 8
#define TRAP_GP 13
#define TRAP_PF 14
#define TRAP_MC 18

/* Interrupts have the other vectors. The last two are the kernel's own. */
#define ENTRY_IRQ_FIRST TRAP_VECTORS
#define ENTRY_IRQ_TIMER 254 /* svm_timer.c */
#define ENTRY_IRQ_SPURIOUS 255
#define ENTRY_IRQ_VECTORS (256 - ENTRY_IRQ_FIRST)

/* The stubs are arrays in the text, one element per vector and per CPU. */
#define ENTRY_TRAP_STUB_SIZE 16
#define ENTRY_SYSCALL_STUB_SIZE 32

#ifndef __ASSEMBLER__
#include "entry/gpr.h"
#include "lib/types.h"

/*
 * On the stack: for traps that hit the kernel, and for NMI, #DB, #DF and #MC wherever they hit. Traps in user mode
 * only have the part from `vector` on, and only for a few instructions.
 */
struct trap_frame {
	GPR_LIST_BUT_RSP(GPR_MEMBER)
	u64 vector, error;            /* pushed by the stub; 0 for vectors without an error code */
	u64 rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};

/* What entry_return() leaves on the stack that it returns to, for POPF and RET. */
struct entry_return_words {
	u64 rflags, rip;
};

/* One stub per vector: where the gates of the IDT lead to. */
extern const u8 entry_trap_stubs[], entry_irq_stubs[];
/* One stub per CPU: what its LSTAR points to. */
extern const u8 entry_syscall_stubs[];

/*
 * Leaves the handler for where the frame says, which must be in the kernel, on a kernel stack. It does so without
 * IRET: if NMIs are blocked, because their handler was interrupted, they stay blocked. The struct entry_return_words
 * below the interrupted stack pointer is overwritten.
 */
__attribute__((noreturn)) void entry_return(struct trap_frame *f);
#endif
