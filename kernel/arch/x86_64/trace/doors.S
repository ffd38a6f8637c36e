/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of tracing that C cannot say. */
#include "asm_offsets.h"
#include "mm/layout.h"

	.text

	/* trace_record() for code that does not expect a call: arch_trace(). The arguments are on the stack. */
	.globl	doors_record
	.balign 16, 0xcc
doors_record:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	mov	10 * 8(%rsp), %rdi
	mov	11 * 8(%rsp), %rsi
	mov	12 * 8(%rsp), %rdx
	mov	13 * 8(%rsp), %rcx
	call	trace_record
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

	/* The way of enter_guest; only RDI, the vCPU, is needed afterwards. */
	.globl	doors_vm_entry
	.balign 16, 0xcc
doors_vm_entry:
	and	$-CPU_AREA_SIZE, %rsp
	add	$CPU_STACK_TOP, %rsp
	push	%rdi
	call	doors_note_vm_entry
	pop	%rdi
	jmp	vmx_run_window

	.section .note.GNU-stack, "", @progbits
