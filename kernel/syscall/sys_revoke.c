/* SPDX-License-Identifier: GPL-2.0-or-later */
/* REVOKE. */
#include "arch/cpu.h"
#include "core/unfinished.h"
#include "space/delegate.h"
#include "space/pd.h"
#include "syscall/syscall.h"

enum status sys_revoke(u64 arg1, crd_t crd, u64 pd_sel, struct ec *self)
{
	unsigned flags = arg1 >> 8 & 3;
	struct pd *pd = self->pd;

	if (unlikely(flags & REVOKE_REMOTE)) {
		pd = sys_pd(pd_sel);
		if (!pd)
			return BAD_CAP;
	}
	delegate_revoke(pd, crd, flags & REVOKE_SELF);
	if (cpu_current()->hazard & (HAZARD_UNFINISHED | HAZARD_REAP))
		unfinished_begin(cpu_current());
	return SUCCESS;
}
