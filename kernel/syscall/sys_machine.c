/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MACHINE_CTRL. */
#include "core/pd.h"
#include "syscall/syscall.h"

#define BLOB_SIZE_MAX (2 * MiB)

static enum status suspend(u64 arg1)
{
	(void)arg1;
	return BAD_FTR; /* docs/caveats.md */
}

/* ARG1[52:12] is the size in bytes. */
static enum status update_microcode(u64 arg1)
{
	u64 size = arg1 >> 12 & bits_low(41);
	if (!size || size > BLOB_SIZE_MAX)
		return BAD_PAR;
	return BAD_FTR;
}

enum status sys_machine_ctrl(struct ec *self, const struct hypercall *c)
{
	if (!self->pd->passthrough)
		return BAD_CAP;
	switch (hc_op(c->arg1)) {
	case MACHINE_CTRL_SUSPEND:
		return suspend(c->arg1);
	case MACHINE_CTRL_MICROCODE:
		return update_microcode(c->arg1);
	default:
		return BAD_PAR;
	}
}
