/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No trace points: they are compiled away. */
#pragma once

#include "lib/types.h"

static always_inline bool arch_trace_point(u64 events, u64 paths)
{
	(void)events;
	(void)paths;
	return false;
}

static always_inline void arch_trace(unsigned event, unsigned extra, u64 a, u64 b)
{
	(void)event;
	(void)extra;
	(void)a;
	(void)b;
}

static always_inline u64 arch_pmu_read(unsigned i)
{
	(void)i;
	return 0;
}
