/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads and stores all registers around one instruction, or in the place of a portal's code. */
#include "gpr.h"

	/* Loses RAX, RDX. */
	.macro xall insn area
	mov	$-1, %eax
	mov	$-1, %edx
	\insn	\area(%rip)
	.endm

	.macro stub name insn:vararg
	.global	\name, \name\()_at, \name\()_next
\name:
	push_preserved
	mov	%rsp, host_rsp(%rip)
	cmpq	$0, regs_extended(%rip)
	je	1f
	xall	xrstor64 regs_xin
1:	pushq	regs_in + GPR_RFLAGS(%rip)
	popfq
	each_gpr load_gpr regs_in
	load_gpr rsp GPR_RSP regs_in
\name\()_at:
	\insn
\name\()_next:
	each_gpr store_gpr regs_out
	store_gpr rsp GPR_RSP regs_out
	mov	host_rsp(%rip), %rsp
	pushfq
	popq	regs_out + GPR_RFLAGS(%rip)
	pushq	$0x202
	popfq
	cmpq	$0, regs_extended(%rip)
	je	2f
	xall	xsave64 regs_xout
2:	pop_preserved
	ret
	.endm

	.text
	stub	regs_syscall syscall
	stub	regs_ud2 ud2
	stub	regs_int3 int3

	.global	regs_portal
regs_portal:
	each_gpr store_gpr regs_seen
	store_gpr rsp GPR_RSP regs_seen
	store_bases regs_seen
	cmpq	$0, regs_extended(%rip)
	je	1f
	xall	xsave64 regs_xseen
	xall	xrstor64 regs_xanswer
1:	load_bases regs_answer
	each_gpr load_gpr regs_answer
	load_gpr rsp GPR_RSP regs_answer
	mov	$1, %edi
	syscall
	ud2

	.data
	.balign	8
host_rsp:
	.quad	0

	.section .note.GNU-stack, "", @progbits
