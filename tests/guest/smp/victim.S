/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads every register with what victim_in says, repeats one instruction victim_left times, and stores every register
 * in victim_out. The layout is struct victim_regs in preempt.c. RSP is not touched by anything in between.
 */
#include "gpr.h"

	.text

	.macro	vectors op, base
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	\op	\n, \base
	.endr
	.endm

	.macro	vector_load n, base
	movups	\base + GPR_END + 16 * \n(%rip), %xmm\n
	.endm

	.macro	vector_store n, base
	movups	%xmm\n, \base + GPR_END + 16 * \n(%rip)
	.endm

	.macro	victim name
	.globl	\name
\name:
	push_preserved
	load_bases victim_in
	vectors	vector_load, victim_in
	pushq	victim_in + GPR_RFLAGS(%rip)
	popfq
	store_gpr rsp GPR_RSP victim_in
	each_gpr load_gpr victim_in
	.endm

	.macro	victim_end
	each_gpr store_gpr victim_out
	store_gpr rsp GPR_RSP victim_out
	pushfq
	cld
	popq	victim_out + GPR_RFLAGS(%rip)
	store_bases victim_out
	vectors	vector_store, victim_out
	pop_preserved
	ret
	.endm

	/* LEA and JRCXZ would do without flags, but need a register: DEC leaves the carry alone. */
	victim	victim_user
1:	nop
	decq	victim_left(%rip)
	jnz	1b
	victim_end

	victim	victim_exception
	.globl	victim_ud2_at
1:
victim_ud2_at:
	ud2
	decq	victim_left(%rip)
	jnz	1b
	victim_end

	/* RDI is the hypercall; its status has to be in victim_out at the end. */
	victim	victim_syscall
1:	load_gpr rdi GPR_RDI victim_in
	syscall
	decq	victim_left(%rip)
	jnz	1b
	victim_end

	/* Trashes all that the ABI lets a thread trash. */
	.globl	victim_trash
victim_trash:
	push_preserved
	.irp	r, rax,rcx,rdx,rbx,rbp,rsi,rdi,r8,r9,r10,r11,r12,r13,r14,r15
	mov	$0xdeadbeef, %\r
	.endr
	wrfsbase %rax
	wrgsbase %rbx
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	pcmpeqb	%xmm\n, %xmm\n
	.endr
	pop_preserved
	ret

	.section .note.GNU-stack, "", @progbits
