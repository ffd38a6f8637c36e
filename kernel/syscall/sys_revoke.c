/* SPDX-License-Identifier: GPL-2.0-or-later */
/* REVOKE. */
#include "arch/cpu.h"
#include "core/reap.h"
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
	enum status s = delegate_revoke(pd, crd, flags & REVOKE_SELF);
	if (cpu_current()->hazard & HAZARD_REAP)
		reap_all(cpu_current()); /* here and now, which saves the long way out */
	return s;
}
