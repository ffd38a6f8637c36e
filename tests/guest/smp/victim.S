/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads every register with what victim_in says, repeats one instruction victim_left times, and stores every register
 * in victim_out. The layout is struct victim_regs in preempt.c. RSP is not touched by anything in between.
 */
	.text

	.macro	vectors op, base
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	\op	\n, \base
	.endr
	.endm

	.macro	vector_load n, base
	movups	\base + 152 + 16 * \n(%rip), %xmm\n
	.endm

	.macro	vector_store n, base
	movups	%xmm\n, \base + 152 + 16 * \n(%rip)
	.endm

	.macro	victim name
	.globl	\name
\name:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	victim_in + 120(%rip), %rax
	wrfsbase %rax
	mov	victim_in + 128(%rip), %rax
	wrgsbase %rax
	vectors	vector_load, victim_in
	pushq	victim_in + 136(%rip)
	popfq
	mov	%rsp, victim_in + 144(%rip)
	mov	victim_in + 0(%rip), %rax
	mov	victim_in + 8(%rip), %rcx
	mov	victim_in + 16(%rip), %rdx
	mov	victim_in + 24(%rip), %rbx
	mov	victim_in + 32(%rip), %rbp
	mov	victim_in + 40(%rip), %rsi
	mov	victim_in + 48(%rip), %rdi
	mov	victim_in + 56(%rip), %r8
	mov	victim_in + 64(%rip), %r9
	mov	victim_in + 72(%rip), %r10
	mov	victim_in + 80(%rip), %r11
	mov	victim_in + 88(%rip), %r12
	mov	victim_in + 96(%rip), %r13
	mov	victim_in + 104(%rip), %r14
	mov	victim_in + 112(%rip), %r15
	.endm

	.macro	victim_end
	mov	%rax, victim_out + 0(%rip)
	mov	%rcx, victim_out + 8(%rip)
	mov	%rdx, victim_out + 16(%rip)
	mov	%rbx, victim_out + 24(%rip)
	mov	%rbp, victim_out + 32(%rip)
	mov	%rsi, victim_out + 40(%rip)
	mov	%rdi, victim_out + 48(%rip)
	mov	%r8, victim_out + 56(%rip)
	mov	%r9, victim_out + 64(%rip)
	mov	%r10, victim_out + 72(%rip)
	mov	%r11, victim_out + 80(%rip)
	mov	%r12, victim_out + 88(%rip)
	mov	%r13, victim_out + 96(%rip)
	mov	%r14, victim_out + 104(%rip)
	mov	%r15, victim_out + 112(%rip)
	mov	%rsp, victim_out + 144(%rip)
	pushfq
	cld
	popq	victim_out + 136(%rip)
	rdfsbase %rax
	mov	%rax, victim_out + 120(%rip)
	rdgsbase %rax
	mov	%rax, victim_out + 128(%rip)
	vectors	vector_store, victim_out
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
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
1:	mov	victim_in + 48(%rip), %rdi
	syscall
	decq	victim_left(%rip)
	jnz	1b
	victim_end

	/* Trashes all that the ABI lets a thread trash. */
	.globl	victim_trash
victim_trash:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.irp	r, rax,rcx,rdx,rbx,rbp,rsi,rdi,r8,r9,r10,r11,r12,r13,r14,r15
	mov	$0xdeadbeef, %\r
	.endr
	wrfsbase %rax
	wrgsbase %rbx
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	pcmpeqb	%xmm\n, %xmm\n
	.endr
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
