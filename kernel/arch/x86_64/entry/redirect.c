/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry/redirect.h"

#include "arch/switch.h"
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
	struct regs *r = &ec->regs;

#define X(reg, REG) r->reg = f->reg;
	GPR_LIST(X)
#undef X
	r->rip = f->rip;
	r->rflags = f->rflags;
	r->error = 0;
	ec->cont = event == REDIRECT_NO_EVENT ? CONT_IRET : CONT_EVENT;
	ec->event = (u8)event;
	redirect_frame(f, arch_dispatch);
}
