/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where ECs start. */
#include "rt/entry.h"

	.text

	/*
	 * A portal call finds RSP as the last reply left it, so the reply must not move it: [RSP] stays the address of the
	 * UTCB, put there when the EC was made.
	 */
	.global	rt_portal_entry
	.type	rt_portal_entry, @function
rt_portal_entry:
	mov	RT_PORTAL_ARG(%rdi), %rsi
	mov	RT_PORTAL_HANDLER(%rdi), %rax
	mov	(%rsp), %rdi
	call	*%rax
	.global	rt_portal_echo
	.type	rt_portal_echo, @function
rt_portal_echo:
	mov	$RT_ENTRY_REPLY, %edi
	syscall
	ud2
	.size	rt_portal_entry, . - rt_portal_entry

	.global	rt_thread_entry
	.type	rt_thread_entry, @function
rt_thread_entry:
	pop	%rax
	pop	%rdi
	call	*%rax
	call	rt_block
	ud2
	.size	rt_thread_entry, . - rt_thread_entry

	.section .note.GNU-stack, "", @progbits
