/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/space.h for the machine of tests/interleave. */
#pragma once

#include "lib/types.h"

u64 interleave_window_load(u64 offset);
static always_inline u64 arch_window_load(u64 i, u64 n, int shift)
{
	return i < n ? interleave_window_load(i << shift) : 0;
}
