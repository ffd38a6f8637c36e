/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/space.h for x86_64. */
#pragma once

#include "arch/cpu.h" /* EX_TABLE */
#include "mm/layout.h"

/*
 * An index out of range becomes the address of the window, which leads to OBJ_NOWHERE. Where the load faults, a piece
 * of code aside makes the zero. (Not "asm goto": gcc 12 merges its landing with other code and may let go of the
 * zero.)
 */
static always_inline u64 arch_window_load(u64 i, u64 n, int shift)
{
	u64 window = OBJ_WINDOW, v;
	__asm__("cmp %[n], %[i]\n\tcmovae %[window], %[i]" : [i] "+r"(i) : [window] "r"(window), [n] "er"(n) : "cc");
	__asm__ volatile("1: mov %1, %0\n2:\n\t"
			 ".pushsection .text.unlikely, \"ax\"\n3: xor %k0, %k0\n\tjmp 2b\n\t.popsection\n\t" EX_TABLE(
				 "1b", "3b")
			 : "=r"(v)
			 : "m"(*(const u64 *)(window + (i << shift)))
			 : "cc");
	return v;
}
