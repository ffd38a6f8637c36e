/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exception messages: groups of registers between an EC and a UTCB. The register file has the UTCB's order (core/regs.h). */
#include "arch_switch.h"

#define BLOCK_COPY(to, from, first, last) \
	copy_block(&(to)->first, &(from)->first, (offsetof(struct regs, last) - offsetof(struct regs, first)) / 8 + 1)

static always_inline void copy_block(u64 *to, const u64 *from, unsigned n)
{
#pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++)
		to[i] = from[i];
}

_Static_assert(offsetof(struct regs, rbx) - offsetof(struct regs, rax) ==
		       offsetof(struct utcb_state, rbx) - offsetof(struct utcb_state, rax),
	       "register order");
_Static_assert(offsetof(struct regs, r15) - offsetof(struct regs, rax) ==
		       offsetof(struct utcb_state, r15) - offsetof(struct utcb_state, rax),
	       "register order");

void arch_state_read(const struct ec *ec, struct utcb *utcb, u64 mtd)
{
	const struct regs *r = &ec->regs;
	struct utcb_state *u = &utcb->state;

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
		u->rflags = r->rflags | RFLAGS_IF;
	if (mtd & MTD_QUAL) {
		u->qual[0] = r->error;
		u->qual[1] = r->cr2;
	}
}

/* Arithmetic and direction flags, TF, AC and ID are the user's. SDM vol. 1, 3.4.3. */
#define RFLAGS_USER 0x240dd5ul

bool arch_state_write(struct ec *ec, const struct utcb *utcb, u64 mtd)
{
	struct regs *r = &ec->regs;
	const struct utcb_state *u = &utcb->state;

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
		r->rflags = (u->rflags & RFLAGS_USER) | RFLAGS_FIXED;
	return arch_is_canonical(r->rip);
}
