/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tlb_refresh() for a caller that wants all its registers back (see tlb.h). */
	.text
	.globl tlb_refresh_wrapper
tlb_refresh_wrapper:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	call	tlb_refresh
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	ret

	.section .note.GNU-stack, "", @progbits
