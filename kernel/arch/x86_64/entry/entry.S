/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways of user code into the kernel and back: SYSCALL, traps, and what follows them; NMI, #DB, #DF and #MC,
 * which may hit anything; and sleep. Three hypercalls go on in fastcall.S. Guests come and go in vmx/vmx_run.S, and
 * CPUs come from boot/start.S, from the trampoline and out of sleep (boot/).
 *
 * User registers live in the current EC. The kernel stack is empty whenever user code runs, so relative to
 * RSP the struct cpu is at a constant distance: CPU(field). The kernel runs with interrupts off. GS belongs to user
 * land.
 * Manual: SDM vol. 2 (SYSCALL, SYSRET, IRET), vol. 3, 6.14.
 */
#include "entry/entry.inc"
#include "trace/hooks.inc"

#include <hedron/abi.h>

	.text

/* ---- SYSCALL: RCX = RIP, R11 = RFLAGS (of no interest), RSP still the user's ------------------------------------------ */

	/* One stub per CPU, because nothing but the address in LSTAR tells which CPU this is. */
	.macro syscall_stub n
	.balign ENTRY_SYSCALL_STUB_SIZE, 0xcc
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
	cmp	$ASM_HC_REPLY, %dil		/* HC_CALL is below it */
	jbe	entry_ipc
	lea	-ASM_HC_PT_CTRL(%rdi), %ecx
	cmp	$(ASM_HC_SM_CTRL - ASM_HC_PT_CTRL), %cl
	hook	HOOK_FASTCALL
	jbe	entry_fastcall

	/*
	 * The other hypercalls: C preserves RBX, RBP, R12..R15. A handler that gives up the CPU sets a hazard
	 * and returns. syscall_dispatch(arg1, arg2, arg3, ec, arg5) returns the status; ARG4 is in the EC.
	 */
	.globl	entry_hypercall, entry_hypercall_done
entry_hypercall:
	store_volatile
	mov	%r11, %rcx
	hook	HOOK_HYPERCALL
	call	syscall_dispatch
entry_hypercall_done:
	mov	%eax, %edi

	/*
	 * Between the test of the hazards and SYSRET no hazard may be missed. An NMI that hits this restart range and
	 * sets one goes back to its start, with RDI (status) and the callee-saved registers intact.
	 */
	.globl	hazard_syscall
	restart_begin syscall
	mov	CPU(CPU_EC), %r11
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_syscall
	load_volatile
	mov	EC_RIP(%r11), %rcx
	mov	EC_RSP(%r11), %rsp
	load_user_flags
	sysretq
	restart_end syscall, restart_syscall

hazard_syscall:
	mov	%rdi, EC_RDI(%r11)
	store_preserved EC, %r11
	movb	$ASM_CONT_SYSRET, EC_CONT(%r11)
	jmp	dispatch_on_empty_stack

	/*
	 * RAX = the EC that goes on (the current one); the stack is empty. RAX, which would be needed to start over, is
	 * lost on the way, so an NMI in one of the restart ranges sends the EC to the dispatcher. There are two of them,
	 * because a jump to one would be an instruction.
	 */
	.macro	return_ipc
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_ipc
	mov	EC_RIP(%rax), %rcx
	load_gprs_except EC, %rax, rax, rcx, rsp, r11
	load_user_flags
	mov	EC_RSP(%rax), %rsp
	mov	EC_RAX(%rax), %rax
	sysretq
	.endm

	/* call and reply switch to another EC nearly always: all registers are stored first. */
	.balign 16, 0xcc
entry_ipc:
	store_volatile
	store_preserved EC, %r11
	mov	%r11, %r9
	lea	-CPU_STACK_TOP(%rsp), %r8
	je	1f				/* the flags of the first comparison */
	hook	HOOK_CALL
	call	ipc_call
	restart_begin call
	return_ipc
	restart_end call, arch_dispatch, ASM_CONT_SYSRET

1:	hook	HOOK_REPLY
	call	ipc_reply
	.globl	return_syscall
	restart_begin reply
return_syscall:
	return_ipc
	restart_end reply, arch_dispatch, ASM_CONT_SYSRET

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
	hook	HOOK_DISPATCH
	call	dispatch_run
	jmp	return_syscall

	.globl	arch_return_syscall
arch_return_syscall:
	empty_stack
	mov	%rdi, %rax
	jmp	return_syscall

	/*
	 * Back from a trap: every register counts, so IRET. An NMI in the restart range sends the EC, which still has all
	 * of its registers, to the dispatcher.
	 */
	.globl	arch_return_trap
arch_return_trap:
	empty_stack
	restart_begin trap
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_trap
	push	$SEL_USER_DATA
	push	EC_RSP(%rdi)
	push	EC_RFLAGS(%rdi)
	push	$SEL_USER_CODE
	push	EC_RIP(%rdi)
	load_gprs_except EC, %rdi, rsp, rdi
	load_gprs EC, %rdi, rdi
	iretq
	restart_end trap, arch_dispatch, ASM_CONT_IRET

hazard_trap:
	movb	$ASM_CONT_IRET, EC_CONT(%rdi)
	jmp	arch_dispatch

	/* What arch_return_trap becomes when interrupts are opened: user code has them on, also who was stopped before. */
	.globl	return_trap_open
return_trap_open:
	empty_stack
	orq	$USER_RFLAGS_OPEN, EC_RFLAGS(%rdi)
	jmp	restart_trap

	/*
	 * RDI = struct cpu, ESI = enum sleeping. Sleeps until a work item comes (MWAIT wakes up by the write, HLT by an
	 * NMI) or an NMI sets a hazard; in the restart range the NMI handler goes on at idle_wake. Senders write first and
	 * then read `sleeping`. One that does not see this store yet sends an NMI, which ends the sleep; one that sees it
	 * has written before, which the last look at the mailbox finds, or after, which ends MWAIT. So no barrier is
	 * needed.
	 */
	.macro	sleep_until_woken again, open
	cmpl	$0, CPU_HAZARD(%rdi)
	jne	idle_wake
	cmpq	$0, CPU_MAILBOX(%rdi)
	jne	idle_wake
	cmp	$ASM_SLEEPING_HALTED, %esi
	jne	1f
	.if	\open
	sti
	.endif
	hlt
	.if	\open
	cli
	.endif
	jmp	\again
1:	lea	CPU_MAILBOX(%rdi), %rax
	xor	%ecx, %ecx
	xor	%edx, %edx
	monitor
	cmpq	$0, CPU_MAILBOX(%rdi)
	jne	idle_wake
	xor	%eax, %eax
	.if	\open
	sti
	.endif
	mwait
	.if	\open
	nop
	cli
	.endif
	jmp	\again
	.endm

	.globl	arch_idle, idle_open, idle_wake
arch_idle:
	empty_stack
	mov	%esi, CPU_SLEEPING(%rdi)
	restart_begin idle
	sleep_until_woken restart_idle, 0

	/*
	 * What it becomes when interrupts are opened. STI takes effect behind the next instruction, so none comes before
	 * the CPU sleeps, in vain. Its handler goes on at idle_wake. NOP: emulators do not sleep in MWAIT and count it as
	 * part of the next instruction. One range for both: a row more would be a look more for each NMI.
	 */
idle_open:
	empty_stack
	mov	%esi, CPU_SLEEPING(%rdi)
idle_open_again:
	sleep_until_woken idle_open_again, 1
	restart_end idle, idle_wake

	/*
	 * An NMI may have come here from anywhere, hence the stack first. No barrier is needed behind the store: nobody is
	 * ready here, so all that the CPU can find to do is in its mailbox, which it takes with XCHG.
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
	.balign ENTRY_TRAP_STUB_SIZE, 0xcc
	/* SDM vol. 3, table 6-1; 29 and 30 are AMD's (APM vol. 2, 8.2). */
	.if	!(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30)
	push	$0
	.endif
	push	$\n
	.if	\n == TRAP_NMI
	jmp	entry_nmi
	.elseif	\n == TRAP_DB || \n == TRAP_DF || \n == TRAP_MC
	jmp	entry_own_stack
	.elseif	\n == TRAP_GP
	jmp	entry_protection
	.elseif	\n == TRAP_PF
	jmp	entry_page_fault
	.else
	jmp	entry_trap
	.endif
	.endm

	.globl	entry_trap_stubs
	.balign 64, 0xcc
entry_trap_stubs:
	.set	n, 0
	.rept	TRAP_VECTORS
	trap_stub n
	.set	n, n + 1
	.endr

	/*
	 * All registers of a trap in user mode become the EC's; then RAX = EC, RDX = vector, and the stack is empty. The
	 * order of the POPs is that of struct trap_frame, from `vector` on.
	 */
	.macro	store_trapped
	clear_ac
	push	%rax
	mov	CPU_BELOW(CPU_EC, TRAPPED_SIZE + WORD), %rax
	store_gprs_except EC, %rax, rax, rsp
	pop	EC_RAX(%rax)
	pop	%rdx				/* vector */
	pop	EC_ERROR(%rax)
	pop	EC_RIP(%rax)
	pop	%rcx				/* CS */
	pop	EC_RFLAGS(%rax)
	pop	EC_RSP(%rax)
	add	$WORD, %rsp			/* SS */
	cld
	.endm

	/* A trap whose frame's CS has privilege level 0 has hit the kernel. */
	.macro	if_nested_goto label
	testb	$3, TRAPPED(FRAME_CS)
	jz	\label
	.endm

	/*
	 * After a VM exit the I/O bitmap is out of reach of TR (desc.h): a port that is refused for that reason
	 * only is tried again. An NMI may have come since the trap, so the way back is the one that looks at hazards.
	 */
	.balign 16, 0xcc
entry_protection:
	if_nested_goto entry_nested
	cmpb	$0, CPU_BELOW(CPU_TR_SHORT, TRAPPED_SIZE)
	je	entry_trap
	store_trapped
	mov	%rax, %rdi
	call	trap_reload_tr			/* (ec) does not return */

	/* The address is part of the EC's state before anything else can fault. */
	.balign 16, 0xcc
entry_page_fault:
	if_nested_goto entry_nested
	push	%rax
	push	%rcx
	mov	CPU_BELOW(CPU_EC, TRAPPED_SIZE + 2 * WORD), %rax
	mov	%cr2, %rcx
	mov	%rcx, EC_CR2(%rax)
	pop	%rcx
	pop	%rax

entry_trap:
	if_nested_goto entry_nested
	store_trapped
	mov	%rax, %rsi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	hook	HOOK_EXCEPTION
	call	exception_raise			/* (cpu, ec, vector) returns the EC that goes on */
	jmp	return_syscall

	/* Interrupts come here when they are opened (irq/irq_open.c); the frame is that of a trap. */
	.macro	irq_stub n
	.balign ENTRY_TRAP_STUB_SIZE, 0xcc
	push	$0
	push	$\n
	jmp	entry_irq
	.endm

	.globl	entry_irq_stubs
	.balign 64, 0xcc
entry_irq_stubs:
	.set	n, ENTRY_IRQ_FIRST
	.rept	ENTRY_IRQ_VECTORS
	irq_stub n
	.set	n, n + 1
	.endr

	.balign 16, 0xcc
entry_irq:
	if_nested_goto entry_irq_nested
	store_trapped
	mov	%edx, %esi
	lea	-CPU_STACK_TOP(%rsp), %rdi
	call	irq_open_take			/* (cpu, vector) */
	mov	CPU(CPU_EC), %rdi
	jmp	arch_return_trap

	/* In sleep, or where the kernel lets interrupts in. */
entry_irq_nested:
	push_frame
	cld
	mov	%rsp, %rdi
	call	irq_open_take_nested
	pop_frame
	add	$(FRAME_RIP - FRAME_VECTOR), %rsp
	iretq

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
	add	$(FRAME_RIP - FRAME_VECTOR), %rsp
	iretq

	/*
	 * NMI, #DB, #DF and #MC have stacks of their own and may hit anything. The handler may change where
	 * the frame returns to. It returns by IRET, which lets the next NMI in; a machine check's may leave by
	 * entry_return() instead.
	 */
	.macro	own_stack handler
	clear_ac
	push_frame
	cld
	mov	%rsp, %rdi
	call	\handler
	pop_frame
	add	$(FRAME_RIP - FRAME_VECTOR), %rsp
	iretq
	.endm

entry_own_stack:
	own_stack trap_own_stack

entry_nmi:
	own_stack nmi_handle

	/*
	 * entry_return(frame): POPF and RET do what IRET would do, but for letting NMIs in. They take RFLAGS and RIP from
	 * the stack that is returned to; the other registers come from the frame.
	 */
	.globl	entry_return
entry_return:
	mov	FRAME_RSP(%rdi), %rax
	mov	FRAME_RIP(%rdi), %rcx
	mov	FRAME_RFLAGS(%rdi), %rdx
	sub	$RETURN_SIZE, %rax
	mov	%rcx, RETURN_RIP(%rax)
	mov	%rdx, RETURN_RFLAGS(%rax)
	mov	%rax, FRAME_RSP(%rdi)
	mov	%rdi, %rsp
	pop_frame
	mov	TRAPPED(FRAME_RSP), %rsp
	popf
	ret

	.section .note.GNU-stack, "", @progbits
