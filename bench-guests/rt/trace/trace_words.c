/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names on the command line, and the bits and numbers they stand for. */
#include "rt/trace/trace_words.h"

#include "rt/cmdline.h"

#include <hedron/trace_names.h>

#define RECORDS 4096 /* of each CPU: half a minute on a serial line */

/* Length of a name in a list of words; 0 at its end. */
static size_t word_length(const char *at)
{
	size_t n = 0;

	while (at[n] && at[n] != ' ' && at[n] != ',')
		n++;
	return n;
}

static bool same(const char *word, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		char upper = (char)(word[i] >= 'a' && word[i] <= 'z' ? word[i] - 'a' + 'A' : word[i]);

		if (upper != name[i])
			return false;
	}
	return !name[n];
}

/* The place of the word in the list, or `count`. */
static unsigned find(trace_list *list, unsigned count, const char *word, size_t n)
{
	unsigned i = 0;

	while (i < count && !(list(i) && same(word, n, list(i))))
		i++;
	return i;
}

/* Calls take() for each name; false when one is not known. */
static bool each(const char *text, trace_list *list, unsigned count, void (*take)(uint64_t *value, unsigned index),
		 uint64_t *value)
{
	for (size_t n; (n = word_length(text)); text += n + (text[n] == ',')) {
		unsigned index = find(list, count, text, n);

		if (index == count)
			return false;
		take(value, index);
	}
	return true;
}

static void take_bit(uint64_t *value, unsigned index)
{
	*value |= 1ul << index;
}

/* Appends a counter to those in *value: eight bits each, its number plus one, so that 0 ends the list. */
static void take_counter(uint64_t *value, unsigned index)
{
	unsigned at = 0;

	while (*value >> at & 0xff)
		at += 8;
	if (at < 8 * TRACE_COUNTERS_MAX)
		*value |= (uint64_t)(index + 1) << at;
}

static bool bits(const char *text, trace_list *list, unsigned count, uint64_t *value)
{
	if (!text)
		return true;
	if (same(text, word_length(text), "ALL")) {
		*value = (1ul << count) - 1;
		return true;
	}
	return each(text, list, count, take_bit, value);
}

/* trace=1 is another word: it asks for a window between two marks (bench.h). */
static const char *event_text(void)
{
	const char *text = rt_arg_text("trace");

	return text && *text >= '0' && *text <= '9' ? NULL : text;
}

bool trace_asked(void)
{
	return event_text() || rt_arg_text("trace_paths");
}

void trace_words(struct trace_plan *plan)
{
	const char *text = rt_arg_text("trace_counters");

	plan->records = rt_arg("trace_records", RECORDS);
	plan->period = rt_arg("trace_period", 0);
	plan->sampler = rt_arg("trace_sampler", 0);
	if (!bits(event_text(), trace_list_events, TRACE_EVENTS, &plan->events))
		plan->why = "trace= has a name that is no event's";
	else if (!bits(rt_arg_text("trace_paths"), trace_list_paths, TRACE_PATHS, &plan->paths))
		plan->why = "trace_paths= has a name that is no path's";
	else if (text && !each(text, trace_list_counters, TRACE_COUNTER_KINDS, take_counter, &plan->counters))
		plan->why = "trace_counters= has a name that is no counter's";
	else if (plan->records < 1 || plan->records > 1ul << TRACE_ORDER_MAX)
		plan->why = "trace_records= is too small or too large";
	if (plan->period || plan->sampler)
		plan->events |= 1ul << TRACE_SAMPLE;
}
