/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MACHINE_CTRL: for those who are trusted with the machine. */
#include "arch/machine.h"
#include "lib/bits.h"
#include "space/pd.h"
#include "syscall/syscall.h"

#define BLOB_SIZE_MAX (2 * MiB)
#define BLOB_SIZE_BITS 41

/* ARG1[19:12] and [27:20] are the sleep types. */
static enum status suspend(struct ec *self, u64 arg1)
{
	return arch_suspend(arg1 >> 12 & 0xff, arg1 >> 20 & 0xff, &self->regs.rsi);
}

/* ARG1[52:12] is the size in bytes. */
static enum status update_microcode(u64 arg1, u64 pa)
{
	u64 size = arg1 >> 12 & bits_low(BLOB_SIZE_BITS);
	return size > BLOB_SIZE_MAX ? BAD_PAR : arch_microcode_update(paddr(pa), size);
}

enum status sys_machine_ctrl(u64 arg1, u64 arg2, struct ec *self)
{
	if (!self->pd->passthrough)
		return BAD_CAP;
	switch (hc_op(arg1)) {
	case MACHINE_CTRL_SUSPEND:
		return suspend(self, arg1);
	case MACHINE_CTRL_MICROCODE:
		return update_microcode(arg1, arg2);
	default:
		return BAD_PAR;
	}
}
