/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in the lists of <hedron/trace.h>, by number; null where a path has none. For programs outside the kernel.
 */
#pragma once

#include <hedron/trace.h>

static const char *const trace_event_names[TRACE_EVENTS] = {
#define X(n, name, extra, a, b, text) [n] = #name,
	TRACE_LIST(X)
#undef X
};

static const char *const trace_path_names[TRACE_PATHS] = {
#define X(n, name) [n] = #name,
	HC_LIST(X)
#undef X
#define X(n, name, text) [n] = #name,
		TRACE_PATH_LIST(X)
#undef X
};

static const char *const trace_counter_names[TRACE_COUNTER_KINDS] = {
#define X(n, name, text) [n] = #name,
	TRACE_COUNTER_LIST(X)
#undef X
};
