/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coroutine_switch(u64 *save, u64 load): keeps what a call preserves on the current stack and its stack pointer in *save, and
 * goes on where `load` was saved. coroutine_start is where a new stack begins: R12 is the function to run.
 */
	.text
	.globl	coroutine_switch, coroutine_start
coroutine_switch:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret

coroutine_start:
	call	*%r12
	ud2

	.section .note.GNU-stack, "", @progbits
