/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into the guest and out of it. All of its general registers but RAX and RSP are in the vCPU; the VMCB has the rest.
 * With the global interrupt flag clear neither NMIs nor interrupts come (APM vol. 2, 15.17): it is cleared before the
 * hazards are tested, VMRUN sets it in the guest, and what has come meanwhile exits before the guest's first
 * instruction. So there is no restart range. The exit clears it again; svm_run_to_host() sets it.
 */
#include "entry/entry.inc"
#include "trace/hooks.inc"

	.text

	/* RDI = CPU, RSI = vCPU, which is cpu->vcpu. */
	.globl	enter_svm_guest, enter_svm_traced, enter_svm_again
	.balign 16, 0xcc
enter_svm_guest:
	hook	HOOK_SVM_ENTRY
	lea	CPU_STACK_TOP(%rdi), %rsp
enter_svm_traced:
	clgi
	cmpl	$0, CPU(CPU_HAZARD)
	jne	interrupted
	mov	VCPU_VMCB_PA(%rsi), %rax
	vmload	%rax
	/* Interrupts end the run, whether the guest has them on or not (15.21.1). Its shadow is over with the next
	 * instruction; it must not become the guest's. */
	sti
enter:
	load_gprs_except VCPU, %rsi, rax, rsp, rsi
	load_gprs VCPU, %rsi, rsi
	vmrun	%rax
	cli
	mov	CPU(CPU_VCPU), %rax
	store_gprs_except VCPU, %rax, rax, rsp
	mov	%rax, %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	hook	HOOK_SVM_EXIT
	call	svm_exit			/* (cpu, vcpu) returns the EC that goes on */
	jmp	return_syscall

	/* The same after an exit for which the host's registers were not loaded: nothing has come in between. */
	.balign 16, 0xcc
enter_svm_again:
	lea	CPU_STACK_TOP(%rdi), %rsp
	mov	VCPU_VMCB_PA(%rsi), %rax
	sti
	jmp	enter

interrupted:
	stgi
	mov	CPU(CPU_VCPU), %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	call	svm_interrupted

	/*
	 * svm_run_halted(vmcb's address, u32 *hazard, interrupts): the guest that only halts (svm_wait.c), until
	 * something comes. It has no use for what VMLOAD loads. NMIs come at the end. Returns false if there was a
	 * hazard.
	 */
	.globl	svm_run_halted
	.balign 16, 0xcc
svm_run_halted:
	push	%rbx
	push	%rbp
	clgi
	cmpl	$0, (%rsi)
	jne	1f
	test	%edx, %edx
	jz	2f
	sti
2:	mov	%rdi, %rax
	vmrun	%rax
	cli
	stgi
	mov	$1, %eax
	pop	%rbp
	pop	%rbx
	ret
1:	stgi
	xor	%eax, %eax
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
