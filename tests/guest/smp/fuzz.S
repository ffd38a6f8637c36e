/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where threads and handlers of the fuzzer begin, whatever the kernel or a broken message did to their registers. Each
 * takes a stack of its own the first time and keeps it; on its top is the address of its UTCB.
 */
#include "fuzz.h"

#define REPLY 1

	.text

	/* fn(id, number of the stack, UTCB); then the reply, with which a thread parks itself. */
	.macro	entry name, fn
	.globl	\name
\name:
	cld
	lea	-1(%rsp), %rcx
	sub	fuzz_stacks(%rip), %rcx
	shr	$FUZZ_STACK_BITS, %rcx
	cmp	$FUZZ_SLOTS, %rcx
	jb	1f
	mov	fuzz_shared(%rip), %rax
	mov	$1, %ecx
	lock xadd %rcx, (%rax)
	cmp	$FUZZ_SLOTS, %rcx
	jae	fuzz_park
	mov	%rsp, %rdx
	jmp	2f
1:	lea	1(%rcx), %rax
	shl	$FUZZ_STACK_BITS, %rax
	add	fuzz_stacks(%rip), %rax
	mov	-8(%rax), %rdx
2:	lea	1(%rcx), %rax
	shl	$FUZZ_STACK_BITS, %rax
	add	fuzz_stacks(%rip), %rax
	mov	%rdx, -8(%rax)
	lea	-16(%rax), %rsp
	mov	%ecx, %esi
	call	\fn
	jmp	fuzz_park
	.endm

	entry	fuzz_thread, fuzz_run
	entry	fuzz_serve, fuzz_answer
	entry	fuzz_echo, fuzz_reply
	entry	fuzz_fault, fuzz_handle

fuzz_park:
	mov	$REPLY, %edi
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
