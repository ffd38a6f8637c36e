/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entry point of the image. RSP is no stack yet (start.h), so this cannot be C. */

	.set	STACK_SIZE, 32768

	.text
	.global	_start
	.type	_start, @function
_start:
	mov	%edi, %esi
	mov	%rsp, %rdi
	lea	stack + STACK_SIZE(%rip), %rsp
	xor	%ebp, %ebp
	call	rt_start
	ud2
	.size	_start, . - _start

	.bss
	.balign	16
stack:
	.skip	STACK_SIZE

	.section .note.GNU-stack, "", @progbits
