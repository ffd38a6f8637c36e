/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiled to make asm_offsets.h: each line of the list leaves "=>NAME value" in the assembly
 * (kernel/CMakeLists.txt).
 */
#include "entry/asm_list.h"

#define ASM_CONST(name, value) __asm__ volatile("\n.ascii \"=>" #name " %c0\\n\"" : : "i"(value));

void asm_offsets(void);
void asm_offsets(void)
{
	ASM_LIST
}
