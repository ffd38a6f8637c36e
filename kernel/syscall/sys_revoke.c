/* SPDX-License-Identifier: GPL-2.0-or-later */
/* REVOKE. */
#include "core/pd.h"

#include "space/delegate.h"
#include "syscall/syscall.h"

enum status sys_revoke(struct ec *self, const struct hypercall *c)
{
	unsigned flags = c->arg1 >> 8 & 3;
	struct pd *pd = self->pd;

	if (flags & REVOKE_REMOTE)
		pd = sys_pd(c->arg3);
	if (!pd)
		return BAD_CAP;
	return delegate_revoke(pd, c->arg2, flags & REVOKE_SELF);
}
