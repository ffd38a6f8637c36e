/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The general registers of user mode, in the order of the UTCB so that groups copy as blocks. */
#pragma once

#include "lib/types.h"

struct regs {
	u64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rip, rflags;
	u64 error; /* code of the last trap */
	u64 cr2;   /* address of the last page fault of this EC */
};
