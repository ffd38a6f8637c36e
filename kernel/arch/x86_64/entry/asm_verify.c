/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The offsets that assembly was given, compared with those of the compiler that makes the kernel, and what else the
 * assembly takes for granted. This file makes no code.
 */
#include "entry/asm_list.h"

#include "asm_offsets.h"

#define ASM_CONST(name, value) _Static_assert((name) == (value), "asm_offsets.h does not fit the kernel");
ASM_LIST

#define COUNT(reg, REG) +1
_Static_assert(offsetof(struct regs, rip) == (0 GPR_LIST(COUNT)) * sizeof(u64), "struct regs begins with the list");
_Static_assert(FRAME_VECTOR == (0 GPR_LIST_BUT_RSP(COUNT)) * sizeof(u64), "PUSH and POP make a trap frame");
_Static_assert((0 GPR_LIST_CLOBBERED(COUNT)) + (0 GPR_LIST_PRESERVED(COUNT)) == (0 GPR_LIST_BUT_RSP(COUNT)),
	       "a register is either clobbered or preserved by C");

/* entry_syscall (entry.S) tells the hypercalls apart with two comparisons. */
_Static_assert(HC_CALL == 0 && HC_REPLY == 1, "one comparison for both");
_Static_assert(HC_SM_CTRL == HC_PT_CTRL + 1, "one comparison for both");
/* lookup (fastcall.S) has a selector's slot by shifting, and the capability without an offset. */
_Static_assert(sizeof(struct cap_slot) == 1 << CAP_SLOT_SHIFT && offsetof(struct cap_slot, cap) == 0, "cap_slot");
/* The stub of a CPU finds its area, and a stack pointer its CPU, by powers of two. */
_Static_assert(CPU_AREA_SIZE == 1 << CPU_AREA_BITS && CPU_STACK_TOP < CPU_AREA_SIZE, "cpu_current()");
