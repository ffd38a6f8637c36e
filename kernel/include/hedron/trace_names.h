/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in the lists of <hedron/trace.h>, by number; null where there is none. For programs outside the kernel.
 */
#pragma once

#include <hedron/trace.h>

typedef const char *trace_list(unsigned number);

static inline const char *trace_list_events(unsigned number)
{
	switch (number) {
#define X(n, name, extra, a, b, text) \
	case n:                       \
		return #name;
		TRACE_LIST(X)
#undef X
	default:
		return NULL;
	}
}

static inline const char *trace_list_paths(unsigned number)
{
	switch (number) {
#define X(n, name) \
	case n:    \
		return #name;
		HC_LIST(X)
#undef X
#define X(n, name, text) \
	case n:          \
		return #name;
		TRACE_PATH_LIST(X)
#undef X
	default:
		return NULL;
	}
}

static inline const char *trace_list_counters(unsigned number)
{
	switch (number) {
#define X(n, name, text) \
	case n:          \
		return #name;
		TRACE_COUNTER_LIST(X)
#undef X
	default:
		return NULL;
	}
}
