/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fastcalls: hypercalls whose work is shorter than storing the caller's registers would be. These are up and down of
 * a semaphore when nobody has to wait or wake up, and the identifiers of portals. They use RCX and R11, which SYSCALL
 * has clobbered, and check what sys_sm_ctrl() and sys_pt_ctrl() check. Whatever is out of the ordinary goes there:
 * entry_fastcall_refused starts over in C, because nothing has changed yet.
 */
#include "entry/entry.inc"

#include <hedron/abi.h>

	.text

/*
 * RCX = the object that RDI names (the selector is in bits 63:12), of this kind and with this permission, as
 * cap_lookup_object() finds it. There is one branch, at the end: what is executed speculatively behind it has such an
 * object, or kobject_nothing (space/cap.h).
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

	/* All registers but RCX, RSP and R11 are the user's. An NMI that sets a hazard goes back to the start. */
	restart_begin fastcall
	mov	CPU(CPU_EC), %r11
	cmpq	$0, CPU(CPU_ATTENTION)
	jne	hazard_fastcall
	mov	EC_RIP(%r11), %rcx
	mov	EC_RSP(%r11), %rsp
	load_user_flags
	sysretq
	restart_end fastcall, restart_fastcall

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
