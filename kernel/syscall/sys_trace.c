/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TRACE_CTRL, an extension: for those who are trusted with the machine. */
#include "space/pd.h"
#include "syscall/syscall.h"
#include "trace/trace.h"

static enum status setup(u64 order, struct ec *self)
{
	u64 pages = 0;
	enum status s = trace_setup(self->pd, order, &pages);

	if (s == SUCCESS)
		self->regs.rsi = pages;
	return s;
}

enum status sys_trace_ctrl(u64 arg1, u64 arg2, u64 arg3, struct ec *self, u64 unused5)
{
	(void)unused5;
	if (!self->pd->passthrough)
		return BAD_CAP;
	switch (arg1 >> 8 & 0xf) {
	case TRACE_CTRL_SETUP:
		return setup(arg2, self);
	case TRACE_CTRL_MAP:
		return trace_map(arg2, arg3, self);
	case TRACE_CTRL_SWITCH:
		return trace_switch(arg2, arg3);
	case TRACE_CTRL_COUNTERS:
		return trace_counters(arg2);
	case TRACE_CTRL_SAMPLE:
		return trace_sample(arg2);
	case TRACE_CTRL_PERIOD:
		return trace_period(arg2);
	default:
		return BAD_PAR;
	}
}
