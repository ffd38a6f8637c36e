/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls that are shorter than storing the caller's registers would be: up and down of a semaphore when nobody has to
 * wait or wake up, and the identifiers of portals. They use RCX and R11, which SYSCALL has clobbered, and look like
 * sys_sm_up(), sys_sm_down() and sys_pt_ctrl() in C. Whatever is out of the ordinary goes there: entry_again starts over,
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
	.quad	.Lload\@, entry_again
	.popsection
	test	$\perm, %cl
	cmovz	kobject_nothing(%rip), %rcx
	and	$-ASM_KOBJECT_ALIGN, %rcx
	cmpb	$\kind, KOBJECT_TYPE(%rcx)
	cmovne	kobject_nothing(%rip), %rcx
	jne	entry_again
	.endm

/* The timeout in ESI:RDX must be zero. */
	.macro	no_timeout
	mov	%esi, %r11d
	or	%rdx, %r11
	jnz	entry_again
	.endm

	/* Below: PT_CTRL, equal: SM_CTRL. R11 = EC, its RIP is stored. */
	.globl	entry_short
	.balign 32, 0xcc
entry_short:
	jb	short_pt
	test	$ASM_SM_CTRL_DOWN << 8, %edi
	jnz	short_down
	lookup	ASM_KOBJ_SM, ASM_PERM_SM_UP
	no_timeout
	lock incq SM_STATE(%rcx)
	jle	up_slow
	xor	%edi, %edi

	/* All but RCX, RSP and R11 is the user's. An NMI that sets a hazard goes back to the start (nmi.c). */
	.globl	short_window, short_window_end
short_window:
	mov	CPU(CPU_EC), %r11
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_short
	mov	EC_RIP(%r11), %rcx
	mov	EC_RSP(%r11), %rsp
	mov	$USER_RFLAGS, %r11d
	sysretq
short_window_end:

	.balign 16, 0xcc
short_down:
	test	$ASM_SM_CTRL_ZERO << 8, %edi
	jnz	entry_again
	lookup	ASM_KOBJ_SM, ASM_PERM_SM_DOWN
	no_timeout
	lock decq SM_STATE(%rcx)
	js	down_slow
	xor	%edi, %edi
	jmp	short_window

	.balign 16, 0xcc
short_pt:
	lookup	ASM_KOBJ_PT, ASM_PERM_PT_CTRL
	mov	%rsi, PT_ID(%rcx)
	xor	%edi, %edi
	jmp	short_window

hazard_short:
	store_volatile
	jmp	hazard_syscall

entry_again:
	mov	CPU(CPU_EC), %r11
	jmp	entry_long

	/* The rest of sm_up() and sm_down(). */
	.balign 16, 0xcc
up_slow:
	mov	CPU(CPU_EC), %r11
	store_volatile
	mov	%rcx, %rdi
	call	sm_up_slow
	xor	%edi, %edi
	jmp	window_syscall

	.balign 16, 0xcc
down_slow:
	mov	CPU(CPU_EC), %r11
	store_volatile
	mov	%rcx, %rdi
	mov	%r11, %rsi
	call	sm_down_slow
	jmp	entry_long_done

	.section .note.GNU-stack, "", @progbits
