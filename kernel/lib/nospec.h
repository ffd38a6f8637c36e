/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds that hold for speculation, too. A number from user land has passed a check by a branch, which the processor
 * may have guessed wrongly: what is done with it in the shadow of the guess must stay in bounds as well. Here the
 * number itself is changed, by instructions that wait for it; assembly, because a compiler that has seen the check
 * would leave them out. docs/design/speculation.md has the rules.
 */
#pragma once

#include "lib/types.h"

/* i if it is below n, else 0. */
static always_inline u64 nospec_index(u64 i, u64 n)
{
	u64 mask;
	__asm__("cmp %[n], %[i]\n\tsbb %[mask], %[mask]" : [mask] "=r"(mask) : [i] "r"(i), [n] "re"(n) : "cc");
	return i & mask;
}

/* i modulo n, a power of two: one instruction, where any number below n does no harm. */
static always_inline u64 nospec_wrap(u64 i, u64 n)
{
	__asm__("and %[mask], %[i]" : [i] "+r"(i) : [mask] "re"(n - 1) : "cc");
	return i;
}

/* i modulo 2^32, and modulo 2^8: in place of a copy, which costs as much. */
static always_inline u32 nospec_u32(u64 i)
{
	u32 low;
	__asm__("mov %k[i], %[low]" : [low] "=r"(low) : [i] "r"(i));
	return low;
}

static always_inline u64 nospec_byte(u64 i)
{
	u64 low;
	__asm__("movzbl %b[i], %k[low]" : [low] "=r"(low) : [i] "q"(i));
	return low;
}
