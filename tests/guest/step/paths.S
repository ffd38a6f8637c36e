/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a debugger takes part: it writes RAX at step_chosen and step_waker_at, and knows by step_first_at and
 * step_second_at that a thread has been woken.
 */
	.text

	/* Which way the victim goes next. */
	.globl	step_choose, step_chosen
step_choose:
	xor	%eax, %eax
step_chosen:
	ret

	/* Whom the waker wakes next. */
	.globl	step_await, step_waker_at
step_await:
	xor	%eax, %eax
step_waker_at:
	ret

	/* RDI = the hypercall that sleeps. The next instruction of the one who has been woken has a name. */
	.macro	sleeper name
	.globl	\name, \name\()_at
\name:
	xor	%esi, %esi
	xor	%edx, %edx
	syscall
\name\()_at:
	mov	%edi, %eax
	ret
	.endm

	sleeper	step_first
	sleeper	step_second

	/* Instructions that fault; handlers go on behind them. */
	.globl	step_ud2, step_fault, step_out, step_trap
step_ud2:
	ud2
	ret
step_fault:
	mov	%rax, (%rdi)
	ret
step_out:
	out	%al, $0xed
	ret
step_trap:
	pushf
	orl	$0x100, (%rsp)		/* TF: a trap behind the instruction after POPF */
	popf
	nop
	ret

	.section .note.GNU-stack, "", @progbits
