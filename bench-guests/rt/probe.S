/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses whose fault is an answer. */

	.text
	.global	rt_can_read, rt_can_write, rt_probe_read, rt_probe_write, rt_probe_failed

rt_can_read:
rt_probe_read:
	mov	(%rdi), %al
	mov	$1, %eax
	ret

rt_can_write:
rt_probe_write:
	lock orb $0, (%rdi)
	mov	$1, %eax
	ret

rt_probe_failed:
	xor	%eax, %eax
	ret

	.section .note.GNU-stack, "", @progbits
