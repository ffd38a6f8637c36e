/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The general registers, listed once, for C and assembly: X(name, name in offsets). From this list come struct regs,
 * struct trap_frame, the offsets for assembly (asm_list.h) and the macros that save and load registers (entry.inc).
 *
 * The order is the one of the UTCB (hedron/utcb.h), so that groups of registers are copied as blocks (message.h), and
 * also the order of their numbers in instructions and exit qualifications (SDM vol. 2, 3.1.1.1; vol. 3, table 28-3).
 */
#pragma once

/* The groups that a message descriptor selects: MTD_GPR_ACDB, MTD_GPR_BSD, MTD_GPR_R8_R15 (hedron/abi.h). */
#define GPR_LIST_ACDB(X) X(rax, RAX) X(rcx, RCX) X(rdx, RDX) X(rbx, RBX)
#define GPR_LIST_BSD(X) X(rbp, RBP) X(rsi, RSI) X(rdi, RDI)
#define GPR_LIST_R8_R15(X) X(r8, R8) X(r9, R9) X(r10, R10) X(r11, R11) X(r12, R12) X(r13, R13) X(r14, R14) X(r15, R15)

#define GPR_LIST(X) GPR_LIST_ACDB(X) X(rsp, RSP) GPR_LIST_BSD(X) GPR_LIST_R8_R15(X)
#define GPR_LIST_BUT_RSP(X) GPR_LIST_ACDB(X) GPR_LIST_BSD(X) GPR_LIST_R8_R15(X)

/* What a function of C may change and what it keeps. System V ABI, x86-64, 3.2.1. */
#define GPR_LIST_CLOBBERED(X) \
	X(rax, RAX) X(rcx, RCX) X(rdx, RDX) X(rsi, RSI) X(rdi, RDI) X(r8, R8) X(r9, R9) X(r10, R10) X(r11, R11)
#define GPR_LIST_PRESERVED(X) X(rbx, RBX) X(rbp, RBP) X(r12, R12) X(r13, R13) X(r14, R14) X(r15, R15)

#define GPR_MEMBER(reg, REG) u64 reg;
