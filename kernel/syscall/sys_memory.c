/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MEMORY_CTRL, an extension: who may say what is made in a PD may say how much that may be. */
#include "space/pd.h"
#include "syscall/syscall.h"

#include <hedron/memory.h>

static enum status look(struct pd *pd, struct ec *self)
{
	struct account_state s = account_look(&pd->account);

	self->regs.rsi = s.used;
	self->regs.rdx = s.limit;
	self->regs.rax = s.left;
	return SUCCESS;
}

enum status sys_memory_ctrl(u64 arg1, u64 from_sel, u64 bytes, struct ec *self, u64 unused5)
{
	unsigned op = arg1 >> 8 & 0xf;

	(void)unused5;
	if (op > MEMORY_CTRL_MOVE)
		return BAD_PAR;
	struct pd *pd = sys_parent(hc_sel(arg1));
	if (!pd)
		return BAD_CAP;
	if (op == MEMORY_CTRL_LOOK)
		return look(pd, self);
	struct pd *from = sys_parent(from_sel);
	return from ? account_move(&from->account, &pd->account, bytes) : BAD_CAP;
}
