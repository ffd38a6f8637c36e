/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory type range registers: checked at boot, and kept over sleep. Their meaning is asked for with arch_mem_type()
 * (arch/memory.h). */
#pragma once

#include "lib/types.h"

#define MTRR_FIXED 11
#define MTRR_VARIABLE_MAX 32 /* CPUs have 8 to 10 */

struct mtrr_state {
	u64 def_type, fixed[MTRR_FIXED], base[MTRR_VARIABLE_MAX], mask[MTRR_VARIABLE_MAX];
	u32 fixed_count, variable_count; /* 0 and 0: the CPU has none */
};

/* Boot time: a line for each range whose mask has to be repaired to mean something. */
void mtrr_check(void);
void mtrr_save(struct mtrr_state *s);
void mtrr_restore(const struct mtrr_state *s);
