/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls that are shorter than storing the caller's registers would be: up and down of a semaphore when nobody has to
 * wait or wake up, and the identifiers of portals. They use RCX and R11, which SYSCALL has clobbered, and look like
 * sys_sm_up(), sys_sm_down() and sys_pt_ctrl() in C. Whatever is out of the ordinary goes there: entry_fastcall_refused starts over,
 * nothing has changed yet.
 */
#include "entry/entry.inc"

#include <hedron/abi.h>

	.text

/*
 * RCX = the object that RDI names, of this kind and with this permission: cap_lookup_object(). One branch, at the end; what
 * is behind it has in its shadow such an object or kobject_nothing (space/cap.h).
 */
	.macro	lookup kind, perm
	mov	%rdi, %rcx
	shr	$12, %rcx
	movabs	$OBJ_WINDOW, %r11
	cmp	$HEDRON_SEL_NUM, %rcx
	cmovae	%r11, %rcx
	shl	$ASM_CAP_SLOT_SHIFT, %rcx
.Lload\@:
	mov	(%r11, %rcx), %rcx
	.pushsection .ex_table, "a"
	.quad	.Lload\@, entry_fastcall_refused
	.popsection
	test	$\perm, %cl
	cmovz	kobject_nothing(%rip), %rcx
	and	$-ASM_KOBJECT_ALIGN, %rcx
	cmpb	$\kind, KOBJECT_TYPE(%rcx)
	cmovne	kobject_nothing(%rip), %rcx
	jne	entry_fastcall_refused
	.endm

/* The timeout in ESI:RDX must be zero. */
	.macro	no_timeout
	mov	%esi, %r11d
	or	%rdx, %r11
	jnz	entry_fastcall_refused
	.endm

	/* Below: PT_CTRL, equal: SM_CTRL. R11 = EC, its RIP is stored. */
	.globl	entry_fastcall
	.balign 32, 0xcc
entry_fastcall:
	jb	fastcall_pt
	test	$ASM_SM_CTRL_DOWN << 8, %edi
	jnz	fastcall_down
	lookup	ASM_KOBJ_SM, ASM_PERM_SM_UP
	no_timeout
	lock incq SM_STATE(%rcx)
	jle	up_slow
	xor	%edi, %edi

	/* All but RCX, RSP and R11 is the user's. An NMI that sets a hazard goes back to the start (nmi.c). */
	.globl	restart_fastcall, restart_fastcall_end
restart_fastcall:
	mov	CPU(CPU_EC), %r11
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_fastcall
	mov	EC_RIP(%r11), %rcx
	mov	EC_RSP(%r11), %rsp
	mov	$USER_RFLAGS, %r11d
	sysretq
restart_fastcall_end:

	.balign 16, 0xcc
fastcall_down:
	test	$ASM_SM_CTRL_ZERO << 8, %edi
	jnz	entry_fastcall_refused
	lookup	ASM_KOBJ_SM, ASM_PERM_SM_DOWN
	no_timeout
	lock decq SM_STATE(%rcx)
	js	down_slow
	xor	%edi, %edi
	jmp	restart_fastcall

	.balign 16, 0xcc
fastcall_pt:
	lookup	ASM_KOBJ_PT, ASM_PERM_PT_CTRL
	mov	%rsi, PT_ID(%rcx)
	xor	%edi, %edi
	jmp	restart_fastcall

hazard_fastcall:
	store_volatile
	jmp	hazard_syscall

entry_fastcall_refused:
	mov	CPU(CPU_EC), %r11
	jmp	entry_hypercall

	/* The rest of sm_up() and sm_down(). */
	.balign 16, 0xcc
up_slow:
	mov	CPU(CPU_EC), %r11
	store_volatile
	mov	%rcx, %rdi
	call	sm_up_slow
	xor	%edi, %edi
	jmp	restart_syscall

	.balign 16, 0xcc
down_slow:
	mov	CPU(CPU_EC), %r11
	store_volatile
	mov	%rcx, %rdi
	mov	%r11, %rsi
	call	sm_down_slow
	jmp	entry_hypercall_done

	.section .note.GNU-stack, "", @progbits
