/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry/redirect.h"

#include "arch_switch.h"
#include "entry/frame.h"

void redirect_frame(struct trap_frame *f, const void *rip)
{
	f->rip = (u64)rip;
	f->cs = SEL_KERNEL_CODE;
	f->ss = SEL_KERNEL_DATA;
	f->rsp = (u64)cpu_current() + CPU_STACK_TOP;
	f->rflags = RFLAGS_FIXED;
}

void redirect_user(struct trap_frame *f, unsigned event)
{
	struct ec *ec = cpu_current()->ec;

	ec->regs = (struct regs){
		.rax = f->rax,
		.rcx = f->rcx,
		.rdx = f->rdx,
		.rbx = f->rbx,
		.rsp = f->rsp,
		.rbp = f->rbp,
		.rsi = f->rsi,
		.rdi = f->rdi,
		.r8 = f->r8,
		.r9 = f->r9,
		.r10 = f->r10,
		.r11 = f->r11,
		.r12 = f->r12,
		.r13 = f->r13,
		.r14 = f->r14,
		.r15 = f->r15,
		.rip = f->rip,
		.rflags = f->rflags,
		.error = 0,
		.cr2 = ec->regs.cr2,
	};
	ec->cont = event == REDIRECT_NO_EVENT ? CONT_IRET : CONT_EVENT;
	ec->event = (u8)event;
	redirect_frame(f, arch_dispatch);
}
