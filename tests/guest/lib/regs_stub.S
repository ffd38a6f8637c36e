/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads and stores all registers. Memory is addressed relative to RIP, so that no register, the stack pointer included,
 * is needed for it. Offsets are those of struct regs.
 */

	.macro each_gpr op area
	\op	rax 0 \area
	\op	rcx 8 \area
	\op	rdx 16 \area
	\op	rbx 24 \area
	\op	rsp 32 \area
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

	.macro load_one reg offset area
	mov	\area + \offset(%rip), %\reg
	.endm

	.macro store_one reg offset area
	mov	%\reg, \area + \offset(%rip)
	.endm

	/* Loses RAX, RDX. */
	.macro xall insn area
	mov	$-1, %eax
	mov	$-1, %edx
	\insn	\area(%rip)
	.endm

	.macro stub name insn:vararg
	.global	\name, \name\()_at, \name\()_next
\name:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, host_rsp(%rip)
	cmpq	$0, regs_extended(%rip)
	je	1f
	xall	xrstor64 regs_xin
1:	pushq	regs_in + 144(%rip)
	popfq
	each_gpr load_one regs_in
\name\()_at:
	\insn
\name\()_next:
	each_gpr store_one regs_out
	mov	host_rsp(%rip), %rsp
	pushfq
	popq	regs_out + 144(%rip)
	pushq	$0x202
	popfq
	cmpq	$0, regs_extended(%rip)
	je	2f
	xall	xsave64 regs_xout
2:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.endm

	.text
	stub	regs_syscall syscall
	stub	regs_ud2 ud2
	stub	regs_int3 int3

	.global	regs_portal
regs_portal:
	each_gpr store_one regs_seen
	rdfsbase %rax
	mov	%rax, regs_seen + 128(%rip)
	rdgsbase %rax
	mov	%rax, regs_seen + 136(%rip)
	cmpq	$0, regs_extended(%rip)
	je	1f
	xall	xsave64 regs_xseen
	xall	xrstor64 regs_xanswer
1:	mov	regs_answer + 128(%rip), %rax
	wrfsbase %rax
	mov	regs_answer + 136(%rip), %rax
	wrgsbase %rax
	each_gpr load_one regs_answer
	mov	$1, %edi
	syscall
	ud2

	.data
	.balign	8
host_rsp:
	.quad	0

	.section .note.GNU-stack, "", @progbits
