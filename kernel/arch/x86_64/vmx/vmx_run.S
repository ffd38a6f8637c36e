/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into the guest and out of it. All of its general registers but RSP are in the vCPU; the VMCS has the rest. A VM
 * exit finds the stack as a system call does: empty, at a constant distance from the struct cpu.
 */
#include "entry/entry.inc"
#include "trace/hooks.inc"

	.text

	/*
	 * arch_vcpu_begin(vcpu). If the stack holds nothing but the way back to the entry, all other
	 * functions have ended in jumps, and the callee-saved registers are the user's. Hazards are found on the way
	 * into the guest.
	 */
	.globl	arch_vcpu_begin
	.balign 16, 0xcc
arch_vcpu_begin:
	cmp	$(CPU_STACK_TOP - WORD), %sp
	jne	1f
	add	$WORD, %rsp
	mov	CPU(CPU_EC), %rsi
	movq	$0, EC_RDI(%rsi)		/* SUCCESS */
	store_preserved EC, %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	call	arch_vcpu_run
	jmp	return_syscall
1:	mov	%rsp, %rax
	and	$-CPU_AREA_SIZE, %rax
	orl	$ASM_HAZARD_VCPU, CPU_HAZARD(%rax)
	xor	%eax, %eax
	ret

	/*
	 * RDI = vCPU, which is cpu->vcpu. Between the test of the hazards and the entry nothing may be missed: an
	 * NMI in this restart range goes on at vmx_run_interrupted, even if it has set no hazard, because it may have been
	 * about nested pages.
	 */
	.globl	enter_guest, vmx_run_interrupted
	.balign 16, 0xcc
enter_guest:
	hook	HOOK_VM_ENTRY
	and	$-CPU_AREA_SIZE, %rsp
	add	$CPU_STACK_TOP, %rsp
	restart_begin vm_entry
	cmpl	$0, CPU(CPU_HAZARD)
	jne	vmx_run_interrupted
	load_gprs_except VCPU, %rdi, rsp, rdi
	testl	$ASM_PENDING_LAUNCH, VCPU_PENDING(%rdi)
	load_gprs VCPU, %rdi, rdi
	jnz	1f
	vmresume
	jmp	entry_failed
1:	vmlaunch
	restart_end vm_entry, vmx_run_interrupted

	/* The instruction itself has failed. The guest's registers are still in the vCPU. */
entry_failed:
	mov	CPU(CPU_VCPU), %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	call	vmx_entry_failed
	jmp	return_syscall

vmx_run_interrupted:
	mov	CPU(CPU_VCPU), %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	call	vmx_interrupted

	.globl	entry_vmexit
	.balign 16, 0xcc
entry_vmexit:
	push	%rax
	mov	CPU_BELOW(CPU_VCPU, WORD), %rax
	store_gprs_except VCPU, %rax, rax, rsp
	pop	VCPU_RAX(%rax)
	mov	%rax, %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	hook	HOOK_VM_EXIT
	call	vmx_exit			/* (cpu, vcpu) returns the EC that goes on */
	jmp	return_syscall

	.section .note.GNU-stack, "", @progbits
