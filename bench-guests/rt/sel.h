/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selectors of the roottask's object space: those the runtime hands out, and those it leaves to the program. */
#pragma once

#include "rt/hypercall.h"

/* From here on the runtime hands out none: constants of the program may lie there. */
#define RT_SEL_PROGRAM 0x100000ul

/* One selector, or 2^order of them, naturally aligned. They are never returned; panics when none is left. */
sel_t rt_sel(void);
sel_t rt_sels(unsigned order);
