/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way into the kernel and out of it.
 *
 * User registers live in the current EC. The kernel stack is empty whenever user code runs, so relative to
 * RSP the struct cpu is at a constant distance: CPU(field) below. Interrupts are always off. GS belongs to
 * user land.
 * Manual: SDM vol. 2 (SYSCALL, SYSRET, IRET), vol. 3, 6.14.
 */
#include "entry/entry.inc"
#include "trace/doors.inc"

#include <hedron/abi.h>


	.text

/* ---- SYSCALL: RCX = RIP, R11 = RFLAGS (of no interest), RSP still the user's ------------------------------------------ */

	.macro syscall_stub n
	.balign 32, 0xcc
	mov	CPU_AREA + \n * CPU_AREA_SIZE + CPU_EC, %r11
	mov	%rsp, EC_RSP(%r11)
	mov	$CPU_AREA + \n * CPU_AREA_SIZE + CPU_STACK_TOP, %rsp
	jmp	entry_syscall
	.endm

	.globl	entry_syscall_stubs
	.balign 4096, 0xcc
entry_syscall_stubs:
	.set	n, 0
	.rept	HEDRON_CPU_MAX
	syscall_stub n
	.set	n, n + 1
	.endr

	.balign 64, 0xcc
entry_syscall:
	mov	%rcx, EC_RIP(%r11)
	cmp	$1, %dil		/* HC_CALL is 0, HC_REPLY 1 */
	jbe	entry_ipc
	lea	-ASM_HC_PT_CTRL(%rdi), %ecx
	cmp	$1, %cl			/* HC_SM_CTRL is the next one */
	door	DOOR_FASTCALL
	jbe	entry_fastcall

	/*
	 * The other hypercalls: C preserves RBX, RBP, R12..R15. A handler that gives up the CPU sets a hazard
	 * and returns. syscall_dispatch(arg1, arg2, arg3, ec, arg5) returns the status; ARG4 is in the EC.
	 */
	.globl	entry_hypercall, entry_hypercall_done
entry_hypercall:
	store_volatile
	mov	%r11, %rcx
	door	DOOR_HYPERCALL
	call	syscall_dispatch
entry_hypercall_done:
	mov	%eax, %edi

	/*
	 * Between the test of the hazards and SYSRET nothing may be missed. An NMI that hits this window and
	 * sets a hazard goes back to its start (nmi.c), with RDI (status) and the callee-saved registers
	 * intact.
	 */
	.globl	restart_syscall, restart_syscall_end, hazard_syscall
restart_syscall:
	mov	CPU(CPU_EC), %r11
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_syscall
	mov	EC_RSI(%r11), %rsi
	mov	EC_RDX(%r11), %rdx
	mov	EC_RAX(%r11), %rax
	mov	EC_R8(%r11), %r8
	mov	EC_R9(%r11), %r9
	mov	EC_R10(%r11), %r10
	mov	EC_RIP(%r11), %rcx
	mov	EC_RSP(%r11), %rsp
	mov	$USER_RFLAGS, %r11d
	sysretq
restart_syscall_end:

hazard_syscall:
	mov	%rdi, EC_RDI(%r11)
	mov	%rbx, EC_RBX(%r11)
	mov	%rbp, EC_RBP(%r11)
	mov	%r12, EC_R12(%r11)
	mov	%r13, EC_R13(%r11)
	mov	%r14, EC_R14(%r11)
	mov	%r15, EC_R15(%r11)
	movb	$ASM_CONT_SYSRET, EC_CONT(%r11)
	jmp	dispatch_on_empty_stack

	/*
	 * RAX = the EC that goes on (the current one); the stack is empty. An NMI in one of the windows ends at
	 * hazard_ipc. There are two, because a jump to one would be an instruction.
	 */
	.macro	return_ipc
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_ipc
	mov	EC_RIP(%rax), %rcx
	mov	EC_RDX(%rax), %rdx
	mov	EC_RBX(%rax), %rbx
	mov	EC_RBP(%rax), %rbp
	mov	EC_RSI(%rax), %rsi
	mov	EC_RDI(%rax), %rdi
	mov	EC_R8(%rax), %r8
	mov	EC_R9(%rax), %r9
	mov	EC_R10(%rax), %r10
	mov	EC_R12(%rax), %r12
	mov	EC_R13(%rax), %r13
	mov	EC_R14(%rax), %r14
	mov	EC_R15(%rax), %r15
	mov	$USER_RFLAGS, %r11d
	mov	EC_RSP(%rax), %rsp
	mov	EC_RAX(%rax), %rax
	sysretq
	.endm

	/* call and reply switch to another EC nearly always: all registers are stored first. */
	.balign 16, 0xcc
entry_ipc:
	store_volatile
	mov	%rbx, EC_RBX(%r11)
	mov	%rbp, EC_RBP(%r11)
	mov	%r12, EC_R12(%r11)
	mov	%r13, EC_R13(%r11)
	mov	%r14, EC_R14(%r11)
	mov	%r15, EC_R15(%r11)
	mov	%r11, %r9
	lea	-CPU_STACK_TOP(%rsp), %r8
	je	1f
	door	DOOR_CALL
	call	ipc_call
	.globl	restart_call, restart_call_end
restart_call:
	return_ipc
restart_call_end:

1:	door	DOOR_REPLY
	call	ipc_reply
	.globl	restart_reply, restart_reply_end, return_syscall
restart_reply:
return_syscall:
	return_ipc
restart_reply_end:

hazard_ipc:
	movb	$ASM_CONT_SYSRET, EC_CONT(%rax)
	jmp	arch_dispatch

/* ---- From C: start over on an empty stack ------------------------------------------------------------------------------ */

	/* RSP := top of this CPU's main stack, whichever of its stacks we are on. */
	.macro	empty_stack
	and	$-CPU_AREA_SIZE, %rsp
	add	$CPU_STACK_TOP, %rsp
	.endm

	.globl	arch_dispatch, hazard_ipc
arch_dispatch:
	empty_stack
dispatch_on_empty_stack:
	lea	-CPU_STACK_TOP(%rsp), %rdi
	door	DOOR_DISPATCH
	call	dispatch_run
	jmp	return_syscall

	.globl	arch_return_syscall
arch_return_syscall:
	empty_stack
	mov	%rdi, %rax
	jmp	return_syscall

	/* Back from a trap: every register counts, so IRET. An NMI in the window ends at arch_dispatch. */
	.globl	arch_return_trap, restart_trap, restart_trap_end
arch_return_trap:
	empty_stack
restart_trap:
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_trap
	push	$SEL_USER_DATA
	push	EC_RSP(%rdi)
	push	EC_RFLAGS(%rdi)
	push	$SEL_USER_CODE
	push	EC_RIP(%rdi)
	mov	EC_RAX(%rdi), %rax
	mov	EC_RCX(%rdi), %rcx
	mov	EC_RDX(%rdi), %rdx
	mov	EC_RBX(%rdi), %rbx
	mov	EC_RBP(%rdi), %rbp
	mov	EC_RSI(%rdi), %rsi
	mov	EC_R8(%rdi), %r8
	mov	EC_R9(%rdi), %r9
	mov	EC_R10(%rdi), %r10
	mov	EC_R11(%rdi), %r11
	mov	EC_R12(%rdi), %r12
	mov	EC_R13(%rdi), %r13
	mov	EC_R14(%rdi), %r14
	mov	EC_R15(%rdi), %r15
	mov	EC_RDI(%rdi), %rdi
	iretq
restart_trap_end:

hazard_trap:
	movb	$ASM_CONT_IRET, EC_CONT(%rdi)
	jmp	arch_dispatch

	/*
	 * RDI = struct cpu, ESI = enum sleeping. Sleeps until a letter comes (MWAIT wakes up by the write,
	 * HLT by an NMI) or an NMI sets a hazard; in the window the NMI handler goes on at idle_wake. Senders
	 * write first and then read `sleeping`. One that does not see this store yet sends an NMI, which ends the sleep; one
	 * that sees it has written before, which the last look at the mailbox finds, or after, which ends MWAIT. So no barrier
	 * is needed.
	 */
	.globl	arch_idle, restart_idle, restart_idle_end, idle_wake
arch_idle:
	empty_stack
	mov	%esi, CPU_SLEEPING(%rdi)
restart_idle:
	cmpl	$0, CPU_HAZARD(%rdi)
	jne	idle_wake
	cmpq	$0, CPU_MAILBOX(%rdi)
	jne	idle_wake
	cmp	$ASM_SLEEPING_HALTED, %esi
	jne	1f
	hlt
	jmp	restart_idle
1:	lea	CPU_MAILBOX(%rdi), %rax
	xor	%ecx, %ecx
	xor	%edx, %edx
	monitor
	cmpq	$0, CPU_MAILBOX(%rdi)
	jne	idle_wake
	xor	%eax, %eax
	mwait
	jmp	restart_idle
restart_idle_end:

	/*
	 * On the running CPU's stack, wherever it came from. No barrier is needed behind the store: nobody is ready here, so
	 * all that the CPU can find to do is in its mailbox, which it takes with XCHG.
	 */
idle_wake:
	empty_stack
	lea	-CPU_STACK_TOP(%rsp), %rdi
	movl	$0, CPU_SLEEPING(%rdi)
	orl	$ASM_HAZARD_REMOTE, CPU_HAZARD(%rdi)
	jmp	arch_dispatch

/* ---- Traps --------------------------------------------------------------------------------------------------------------- */

/*
 * The CPU pushes SS, RSP, RFLAGS, CS, RIP and for some vectors an error code; the stubs make it uniform and
 * add the vector.
 */

	.macro	trap_stub n
	.balign 16, 0xcc
	.if	!(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30)
	push	$0
	.endif
	push	$\n
	.if	\n == 2
	jmp	entry_nmi
	.elseif	\n == 1 || \n == 8 || \n == 18
	jmp	entry_own_stack
	.elseif	\n == 13
	jmp	entry_protection
	.elseif	\n == 14
	jmp	entry_page_fault
	.else
	jmp	entry_trap
	.endif
	.endm

	.globl	entry_trap_stubs
	.balign 64, 0xcc
entry_trap_stubs:
	.set	n, 0
	.rept	32
	trap_stub n
	.set	n, n + 1
	.endr

	.macro	push_frame
	push	%rax
	push	%rbx
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.endm

	.macro	pop_frame
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
	.endm

	/*
	 * All registers of a trap in user mode become the EC's; then RAX = EC, RDX = vector, and the stack is empty.
	 * From the main stack's top: SS -8, RSP -16, RFLAGS -24, CS -32, RIP -40, error -48, vector -56, and
	 * RAX -64.
	 */
	.macro	store_trapped
	clear_ac
	push	%rax
	mov	(CPU_EC - CPU_STACK_TOP + 64)(%rsp), %rax
	mov	%rcx, EC_RCX(%rax)
	mov	%rdx, EC_RDX(%rax)
	mov	%rbx, EC_RBX(%rax)
	mov	%rbp, EC_RBP(%rax)
	mov	%rsi, EC_RSI(%rax)
	mov	%rdi, EC_RDI(%rax)
	mov	%r8, EC_R8(%rax)
	mov	%r9, EC_R9(%rax)
	mov	%r10, EC_R10(%rax)
	mov	%r11, EC_R11(%rax)
	mov	%r12, EC_R12(%rax)
	mov	%r13, EC_R13(%rax)
	mov	%r14, EC_R14(%rax)
	mov	%r15, EC_R15(%rax)
	pop	EC_RAX(%rax)
	pop	%rdx				/* vector */
	pop	EC_ERROR(%rax)
	pop	EC_RIP(%rax)
	pop	%rcx				/* CS */
	pop	EC_RFLAGS(%rax)
	pop	EC_RSP(%rax)
	add	$8, %rsp			/* SS */
	cld
	.endm

	/*
	 * After a VM exit the I/O bitmap is out of reach of TR (desc.h): a port that is refused for that reason
	 * only is tried again. An NMI may have come since the trap, so the way back is the one that looks at hazards.
	 */
	.balign 16, 0xcc
entry_protection:
	testb	$3, 24(%rsp)
	jz	entry_nested
	cmpb	$0, (CPU_TR_SHORT - CPU_STACK_TOP + 56)(%rsp)
	je	entry_trap
	store_trapped
	mov	%rax, %rdi
	call	trap_reload_tr			/* (ec) does not return */

	/* The address is part of the EC's state before anything else can fault. */
	.balign 16, 0xcc
entry_page_fault:
	testb	$3, 24(%rsp)
	jz	entry_nested
	push	%rax
	push	%rcx
	mov	(CPU_EC - CPU_STACK_TOP + 72)(%rsp), %rax
	mov	%cr2, %rcx
	mov	%rcx, EC_CR2(%rax)
	pop	%rcx
	pop	%rax

entry_trap:
	testb	$3, 24(%rsp)
	jz	entry_nested
	store_trapped
	mov	%rax, %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	door	DOOR_EXCEPTION
	call	exception_raise			/* (cpu, ec, vector) returns the EC that goes on */
	jmp	return_syscall

	/*
	 * A trap in the kernel: a load that may fail, or a bug. Returns to where the frame says then. AC is clear:
	 * every way in from user land has seen to that.
	 */
entry_nested:
	push_frame
	cld
	mov	%rsp, %rdi
	call	trap_kernel
	pop_frame
	add	$16, %rsp
	iretq

	/*
	 * NMI, #DB, #DF and #MC have stacks of their own and may hit anything. The handler may change where
	 * the frame returns to; it always returns by IRET, which lets the next NMI in.
	 */
	.macro	own_stack handler
	clear_ac
	push_frame
	cld
	mov	%rsp, %rdi
	call	\handler
	pop_frame
	add	$16, %rsp
	iretq
	.endm

entry_own_stack:
	own_stack trap_own_stack

entry_nmi:
	own_stack nmi_handle

	/* entry_return(frame): the registers come from the frame, the last two from the stack it goes back to. */
	.globl	entry_return
entry_return:
	mov	FRAME_RSP(%rdi), %rax
	mov	FRAME_RIP(%rdi), %rcx
	mov	FRAME_RFLAGS(%rdi), %rdx
	sub	$16, %rax
	mov	%rcx, 8(%rax)
	mov	%rdx, (%rax)
	mov	%rax, FRAME_RSP(%rdi)
	mov	%rdi, %rsp
	pop_frame
	mov	(FRAME_RSP - FRAME_VECTOR)(%rsp), %rsp
	popf
	ret

	.section .note.GNU-stack, "", @progbits
