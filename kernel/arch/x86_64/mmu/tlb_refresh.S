/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tlb_refresh() of this CPU's space for a caller that wants all its registers back (see tlb.h). */
#include "entry/entry.inc"

	.text
	.globl tlb_refresh_wrapper
tlb_refresh_wrapper:
	push_clobbered
	mov	%rsp, %rdi
	and	$-CPU_AREA_SIZE, %rdi
	mov	CPU_SPACE(%rdi), %rsi
	call	tlb_refresh
	pop_clobbered
	ret

	.section .note.GNU-stack, "", @progbits
