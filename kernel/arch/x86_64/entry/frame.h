/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What entry.S leaves on the stack for traps that hit the kernel, and for NMI, #DF and #MC wherever they hit. */
#pragma once

#include "lib/types.h"

struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss; /* the CPU's */
};

#define TRAP_VECTORS 32
#define TRAP_DB 1
#define TRAP_NMI 2
#define TRAP_DF 8
#define TRAP_PF 14
#define TRAP_MC 18

/* One stub per vector (entry.S). */
extern const u8 entry_trap_stubs[];
#define ENTRY_TRAP_STUB_SIZE 16

/* One stub per CPU: what its LSTAR points to. */
extern const u8 entry_syscall_stubs[];
#define ENTRY_SYSCALL_STUB_SIZE 32

/*
 * Leaves the handler for where the frame says, which is in the kernel, on a kernel stack; without IRET: if NMIs were
 * blocked, because it had hit their handler, they stay blocked. Uses 16 bytes below the interrupted stack pointer.
 */
__attribute__((noreturn)) void entry_return(struct trap_frame *f);
