/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stubs of the hypercall MEMORY_CTRL, as <hedron/memory.h> describes it. */
#pragma once

#include "rt/hypercall.h"

#include <hedron/memory.h>

struct hc_memory {
	unsigned long used, allowance, left; /* bytes */
};

HC_ALWAYS enum status hc_memory_look(sel_t pd, struct hc_memory *m)
{
	struct hc_regs r = {HC_ARG1(HC_MEMORY_CTRL, MEMORY_CTRL_LOOK, pd), 0, 0, 0, 0};
	enum status st = hc_raw(&r);

	*m = (struct hc_memory){r.rsi, r.rdx, r.rax};
	return st;
}

HC_ALWAYS enum status hc_memory_move(sel_t to, sel_t from, unsigned long bytes)
{
	return hc_3(HC_ARG1(HC_MEMORY_CTRL, MEMORY_CTRL_MOVE, to), from, bytes);
}
