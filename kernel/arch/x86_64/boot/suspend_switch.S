/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See suspend_switch.h. The stack pointer that is kept is aligned to 16 bytes, and the CPU's stack below it
 * is free.
 */
	.text

	.globl	suspend_switch
suspend_switch:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	mov	%rsp, (%rdi)
	call	*%rsi
	xor	%eax, %eax
	jmp	1f

	.globl	suspend_switch_back
suspend_switch_back:
	mov	%rdi, %rsp
	mov	$1, %eax
1:	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
