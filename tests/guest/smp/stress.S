/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs in the PDs of stress.c: no stack, no data. RSP is the number each EC was given. */
#include "stress.h"

	.text

	/* RDI = hypercall and selector base + (RSP + \add) % STRESS_EACH; no other arguments. */
	.macro	on hypercall, base, add
	lea	\add(%rsp), %rdi
	and	$(STRESS_EACH - 1), %edi
	add	$(\base), %edi
	shl	$12, %rdi
	or	$(\hypercall), %edi
	xor	%esi, %esi
	xor	%edx, %edx
	syscall
	.endm

#define SM_UP	12
#define SM_DOWN	(12 | 1 << 8)
#define CALL	0
#define REPLY	1

	.globl	stress_thread, stress_reply, stress_wait_reply
stress_thread:
	on	SM_UP, STRESS_SM, 1
	on	CALL, STRESS_PT, 0
	on	SM_UP, STRESS_SM, 2
	on	SM_DOWN, STRESS_SM, 0
	on	CALL, STRESS_PT_WAIT, 1
	pause
	jmp	stress_thread

stress_wait_reply:
	on	SM_UP, STRESS_SM, 3
	on	SM_DOWN, STRESS_SM, 0
stress_reply:
	mov	$REPLY, %edi
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
