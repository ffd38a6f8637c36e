/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entry point of the suite: keeps the registers as the kernel set them, and goes on to the runtime. */
#include "gpr.h"

	.text
	.global	boot_entry
boot_entry:
	each_gpr store_gpr boot_gpr
	store_gpr rsp GPR_RSP boot_gpr
	store_bases boot_gpr
	mov	$-1, %eax
	mov	$-1, %edx
	xsave64	boot_xsave(%rip)
	jmp	_start

	.section .note.GNU-stack, "", @progbits
