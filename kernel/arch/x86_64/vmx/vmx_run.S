/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Into the guest and out of it. All of its general registers but RSP are in the vCPU; the VMCS has the rest. A VM
 * exit finds the stack as a system call does: empty, at a constant distance from the struct cpu.
 */
#include "asm_offsets.h"
#include "mm/layout.h"
#include "trace/doors.inc"

#define CPU(field) (field - CPU_STACK_TOP)(%rsp)

	.text

	/*
	 * arch_vcpu_begin(vcpu). If the stack holds nothing but the way back to the entry, all other
	 * functions have ended in jumps, and the callee-saved registers are the user's. Hazards are found on the way
	 * into the guest.
	 */
	.globl	arch_vcpu_begin
	.balign 16, 0xcc
arch_vcpu_begin:
	cmp	$(CPU_STACK_TOP - 8), %sp
	jne	1f
	add	$8, %rsp
	mov	CPU(CPU_EC), %rsi
	movq	$0, EC_RDI(%rsi)		/* SUCCESS */
	mov	%rbx, EC_RBX(%rsi)
	mov	%rbp, EC_RBP(%rsi)
	mov	%r12, EC_R12(%rsi)
	mov	%r13, EC_R13(%rsi)
	mov	%r14, EC_R14(%rsi)
	mov	%r15, EC_R15(%rsi)
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
	 * NMI in this window goes on at vmx_run_interrupted, because it may also have been about nested pages.
	 */
	.globl	enter_guest, restart_vm_entry, restart_vm_entry_end, vmx_run_interrupted
	.balign 16, 0xcc
enter_guest:
	door	DOOR_VM_ENTRY
	and	$-CPU_AREA_SIZE, %rsp
	add	$CPU_STACK_TOP, %rsp
restart_vm_entry:
	cmpl	$0, CPU(CPU_HAZARD)
	jne	vmx_run_interrupted
	mov	VCPU_RAX(%rdi), %rax
	mov	VCPU_RCX(%rdi), %rcx
	mov	VCPU_RDX(%rdi), %rdx
	mov	VCPU_RBX(%rdi), %rbx
	mov	VCPU_RBP(%rdi), %rbp
	mov	VCPU_RSI(%rdi), %rsi
	mov	VCPU_R8(%rdi), %r8
	mov	VCPU_R9(%rdi), %r9
	mov	VCPU_R10(%rdi), %r10
	mov	VCPU_R11(%rdi), %r11
	mov	VCPU_R12(%rdi), %r12
	mov	VCPU_R13(%rdi), %r13
	mov	VCPU_R14(%rdi), %r14
	mov	VCPU_R15(%rdi), %r15
	testl	$ASM_SPECIAL_FIRST, VCPU_SPECIAL(%rdi)
	mov	VCPU_RDI(%rdi), %rdi
	jnz	1f
	vmresume
	jmp	entry_failed
1:	vmlaunch
restart_vm_entry_end:

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
	mov	(CPU_VCPU - CPU_STACK_TOP + 8)(%rsp), %rax
	mov	%rcx, VCPU_RCX(%rax)
	mov	%rdx, VCPU_RDX(%rax)
	mov	%rbx, VCPU_RBX(%rax)
	mov	%rbp, VCPU_RBP(%rax)
	mov	%rsi, VCPU_RSI(%rax)
	mov	%rdi, VCPU_RDI(%rax)
	mov	%r8, VCPU_R8(%rax)
	mov	%r9, VCPU_R9(%rax)
	mov	%r10, VCPU_R10(%rax)
	mov	%r11, VCPU_R11(%rax)
	mov	%r12, VCPU_R12(%rax)
	mov	%r13, VCPU_R13(%rax)
	mov	%r14, VCPU_R14(%rax)
	mov	%r15, VCPU_R15(%rax)
	pop	VCPU_RAX(%rax)
	mov	%rax, %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	door	DOOR_VM_EXIT
	call	vmx_exit			/* (cpu, vcpu) returns the EC that goes on */
	jmp	return_syscall

	.section .note.GNU-stack, "", @progbits
