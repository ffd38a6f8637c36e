/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of general registers in memory, and the assembly that loads and stores them. They lie in the order in
 * which instructions number them, then FS and GS base and RFLAGS. Memory is addressed relative to RIP, so that no
 * register, the stack pointer included, is needed for it. Read by C and by the assembler.
 */
#pragma once

#define GPR_RSP 32 /* offsets in bytes */
#define GPR_RDI 56
#define GPR_FS 128
#define GPR_GS 136
#define GPR_RFLAGS 144
#define GPR_END 152

/* Of a structure with members gpr, fs, gs, rflags. */
#define GPR_ASSERT(type)                                                                             \
	_Static_assert(offsetof(type, gpr) == 0 && offsetof(type, gpr[4]) == GPR_RSP &&              \
			       offsetof(type, gpr[7]) == GPR_RDI && offsetof(type, fs) == GPR_FS &&  \
			       offsetof(type, gs) == GPR_GS && offsetof(type, rflags) == GPR_RFLAGS, \
		       "assembly uses these offsets")

#ifdef __ASSEMBLER__
/* clang-format off */

	/* All general registers but RSP, which some need for something else. */
	.macro	each_gpr op area
	\op	rax 0 \area
	\op	rcx 8 \area
	\op	rdx 16 \area
	\op	rbx 24 \area
	\op	rbp 40 \area
	\op	rsi 48 \area
	\op	rdi 56 \area
	\op	r8 64 \area
	\op	r9 72 \area
	\op	r10 80 \area
	\op	r11 88 \area
	\op	r12 96 \area
	\op	r13 104 \area
	\op	r14 112 \area
	\op	r15 120 \area
	.endm

	.macro	load_gpr reg offset area
	mov	\area + \offset(%rip), %\reg
	.endm

	.macro	store_gpr reg offset area
	mov	%\reg, \area + \offset(%rip)
	.endm

	/* Those that a C function has to preserve. */
	.macro	push_preserved
	.irp	reg, rbx, rbp, r12, r13, r14, r15
	push	%\reg
	.endr
	.endm

	.macro	pop_preserved
	.irp	reg, r15, r14, r13, r12, rbp, rbx
	pop	%\reg
	.endr
	.endm

	/* Bases of FS and GS. Lose RAX. */
	.macro	load_bases area
	mov	\area + GPR_FS(%rip), %rax
	wrfsbase %rax
	mov	\area + GPR_GS(%rip), %rax
	wrgsbase %rax
	.endm

	.macro	store_bases area
	rdfsbase %rax
	mov	%rax, \area + GPR_FS(%rip)
	rdgsbase %rax
	mov	%rax, \area + GPR_GS(%rip)
	.endm

/* clang-format on */
#endif
