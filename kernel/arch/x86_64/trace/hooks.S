/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of tracing that C cannot say. */
#include "entry/entry.inc"

	.text

	/* trace_record() for code that does not expect a call: arch_trace(). The arguments are on the stack. */
	.globl	hooks_record
	.balign 16, 0xcc
hooks_record:
	push_clobbered
	mov	CLOBBERED + 1 * 8(%rsp), %rdi
	mov	CLOBBERED + 2 * 8(%rsp), %rsi
	mov	CLOBBERED + 3 * 8(%rsp), %rdx
	mov	CLOBBERED + 4 * 8(%rsp), %rcx
	call	trace_record
	pop_clobbered
	ret

	/* The way of enter_guest; only RDI, the vCPU, is needed afterwards. */
	.globl	hooks_vm_entry
	.balign 16, 0xcc
hooks_vm_entry:
	and	$-CPU_AREA_SIZE, %rsp
	add	$CPU_STACK_TOP, %rsp
	push	%rdi
	call	hooks_note_vm_entry
	pop	%rdi
	jmp	restart_vm_entry

	/* The same with SVM: the way of enter_svm_guest, behind the instruction that moves the stack pointer. */
	.globl	hooks_svm_entry
	.balign 16, 0xcc
hooks_svm_entry:
	lea	CPU_STACK_TOP(%rdi), %rsp
	push	%rdi
	push	%rsi
	mov	%rsi, %rdi
	call	hooks_note_vm_entry
	pop	%rsi
	pop	%rdi
	jmp	enter_svm_traced

	.section .note.GNU-stack, "", @progbits
