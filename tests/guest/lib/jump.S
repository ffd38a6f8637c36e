/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks to jump back to after a fault, and the single accesses whose fault is an answer. */

	.text

	.global guest_mark, guest_jump
guest_mark:
	mov	%rbx, 0(%rdi)
	mov	%rbp, 8(%rdi)
	mov	%r12, 16(%rdi)
	mov	%r13, 24(%rdi)
	mov	%r14, 32(%rdi)
	mov	%r15, 40(%rdi)
	lea	8(%rsp), %rax
	mov	%rax, 48(%rdi)
	mov	(%rsp), %rax
	mov	%rax, 56(%rdi)
	xor	%eax, %eax
	ret

guest_jump:
	mov	0(%rdi), %rbx
	mov	8(%rdi), %rbp
	mov	16(%rdi), %r12
	mov	24(%rdi), %r13
	mov	32(%rdi), %r14
	mov	40(%rdi), %r15
	mov	48(%rdi), %rsp
	mov	$1, %eax
	jmp	*56(%rdi)

	/* Each function: the instruction at probe_*, then success; on a fault execution goes on at probe_failed. */
	.global can_read, can_write, can_exec, can_in, can_out
	.global probe_read, probe_write, probe_in, probe_out, probe_failed, probe_exec_failed, probe_exec_target
can_read:
probe_read:
	mov	(%rdi), %al
	mov	$1, %eax
	ret

can_write:
probe_write:
	lock orb $0, (%rdi)
	mov	$1, %eax
	ret

can_in:
	mov	%edi, %edx
probe_in:
	in	%dx, %al
	mov	$1, %eax
	ret

can_out:
	mov	%edi, %edx
	mov	$0xff, %al
probe_out:
	out	%al, %dx
	mov	$1, %eax
	ret

can_exec:
	mov	%rdi, probe_exec_target(%rip)
	call	*%rdi
	mov	$1, %eax
	ret

probe_exec_failed:
	add	$8, %rsp
probe_failed:
	xor	%eax, %eax
	ret

	.data
	.balign 8
probe_exec_target:
	.quad	0

	.section .note.GNU-stack, "", @progbits
