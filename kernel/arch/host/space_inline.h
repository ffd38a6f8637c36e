/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/space.h for the fake CPU. */
#pragma once

#include "lib/types.h"

/* Walks the window of the PD set with host_set_pd(). */
u64 host_window_load(u64 offset);
static always_inline u64 arch_window_load(u64 i, u64 n, int shift)
{
	return i < n ? host_window_load(i << shift) : 0;
}
