/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exception messages: groups of registers go from an EC to a UTCB and back. Both have them in the same order (gpr.h),
 * so a group is copied as a block. The functions are inline because each has one caller, on the fast path.
 */
#pragma once

#include "arch/x86_64/cpu/cpu.h" /* RFLAGS_* */
#include "core/ec.h"

#include <hedron/utcb.h>

#define BLOCK_COPY(to, from, first, last) \
	copy_block(&(to)->first, &(from)->first, (offsetof(struct regs, last) - offsetof(struct regs, first)) / 8 + 1)

static always_inline void copy_block(u64 *to, const u64 *from, unsigned n)
{
#pragma GCC unroll 16
	for (unsigned i = 0; i < n; i++)
		to[i] = from[i];
}

_Static_assert(offsetof(struct regs, rbx) - offsetof(struct regs, rax) ==
		       offsetof(struct utcb_state, rbx) - offsetof(struct utcb_state, rax),
	       "register order");
_Static_assert(offsetof(struct regs, r15) - offsetof(struct regs, rax) ==
		       offsetof(struct utcb_state, r15) - offsetof(struct utcb_state, rax),
	       "register order");

/* Whoever wants registers nearly always wants all, so that one test for all of these groups pays. */
#define MTD_REGISTERS (MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS)

/* Arithmetic and direction flags, TF, AC and ID are the user's. SDM vol. 1, 3.4.3. */
#define RFLAGS_USER 0x240dd5ul

static always_inline u64 flags_for_user(u64 rflags)
{
	return rflags | RFLAGS_IF;
}
static always_inline u64 flags_from_user(u64 rflags)
{
	return (rflags & RFLAGS_USER) | RFLAGS_FIXED;
}

static always_inline void arch_state_read(const struct ec *ec, struct utcb *utcb, u64 mtd)
{
	const struct regs *r = &ec->regs;
	struct utcb_state *u = &utcb->state;

	if ((mtd & MTD_REGISTERS) == MTD_REGISTERS) {
		BLOCK_COPY(u, r, rax, r15);
		u->rip = r->rip;
		u->rflags = flags_for_user(r->rflags);
	} else {
		if (mtd & MTD_GPR_ACDB)
			BLOCK_COPY(u, r, rax, rbx);
		if (mtd & MTD_GPR_BSD)
			BLOCK_COPY(u, r, rbp, rdi);
		if (mtd & MTD_GPR_R8_R15)
			BLOCK_COPY(u, r, r8, r15);
		if (mtd & MTD_RSP)
			u->rsp = r->rsp;
		if (mtd & MTD_RIP_LEN)
			u->rip = r->rip;
		if (mtd & MTD_RFLAGS)
			u->rflags = flags_for_user(r->rflags);
	}
	if (mtd & MTD_QUAL) {
		u->qual[0] = r->error;
		u->qual[1] = r->cr2;
	}
}

/* Nothing in `utcb` can harm the kernel but a RIP that is not canonical, which the caller has to check. */
static always_inline void arch_state_write(struct ec *ec, const struct utcb *utcb, u64 mtd)
{
	struct regs *r = &ec->regs;
	const struct utcb_state *u = &utcb->state;

	if ((mtd & MTD_REGISTERS) == MTD_REGISTERS) {
		BLOCK_COPY(r, u, rax, r15);
		r->rip = READ_ONCE(u->rip);
		r->rflags = flags_from_user(READ_ONCE(u->rflags));
		return;
	}
	if (mtd & MTD_GPR_ACDB)
		BLOCK_COPY(r, u, rax, rbx);
	if (mtd & MTD_GPR_BSD)
		BLOCK_COPY(r, u, rbp, rdi);
	if (mtd & MTD_GPR_R8_R15)
		BLOCK_COPY(r, u, r8, r15);
	if (mtd & MTD_RSP)
		r->rsp = u->rsp;
	if (mtd & MTD_RIP_LEN)
		r->rip = READ_ONCE(u->rip);
	if (mtd & MTD_RFLAGS)
		r->rflags = flags_from_user(READ_ONCE(u->rflags));
}
