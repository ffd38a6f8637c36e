/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of events, paths and counters as people write them: those of the lists in <hedron/trace.h>, in lower case. */
#include "host/trace_file.h"

#include <hedron/trace_names.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LENGTH 24

static const char *lower(trace_list *list, unsigned index, char out[][NAME_MAX_LENGTH])
{
	const char *from = list(index) ? list(index) : "";
	char *to = out[index];

	for (size_t i = 0; i + 1 < NAME_MAX_LENGTH; i++) {
		to[i] = (char)tolower((unsigned char)from[i]);
		if (!from[i])
			break;
	}
	return to;
}

static int find(trace_list *list, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (list(i) && !strcasecmp(list(i), name))
			return (int)i;
	return -1;
}

int trace_event_find(const char *name)
{
	return find(trace_list_events, TRACE_EVENTS, name);
}
int trace_path_find(const char *name)
{
	return find(trace_list_paths, TRACE_PATHS, name);
}
int trace_counter_find(const char *name)
{
	return find(trace_list_counters, TRACE_COUNTER_KINDS, name);
}

const char *trace_event_name(unsigned event)
{
	static char names[TRACE_EVENTS][NAME_MAX_LENGTH];

	return event < TRACE_EVENTS ? lower(trace_list_events, event, names) : "";
}
const char *trace_path_name(unsigned path)
{
	static char names[TRACE_PATHS][NAME_MAX_LENGTH];

	return path < TRACE_PATHS ? lower(trace_list_paths, path, names) : "";
}
const char *trace_counter_name(unsigned counter)
{
	static char names[TRACE_COUNTER_KINDS][NAME_MAX_LENGTH];

	return counter < TRACE_COUNTER_KINDS ? lower(trace_list_counters, counter, names) : "";
}
