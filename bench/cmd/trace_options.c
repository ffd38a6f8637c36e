/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/trace_options.h"

#include "host/mem.h"
#include "host/trace_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* "" when it is not given. */
static bool is_all(const char *list)
{
	return !list || !*list || !strcmp(list, "all");
}

static bool is_none(const char *list)
{
	return list && !strcmp(list, "none");
}

static void check_names(const struct verb *verb, const char *option, const char *list, int (*find)(const char *name))
{
	char *copy, *rest, *name;

	if (is_all(list) || is_none(list))
		return;
	copy = rest = xstrdup(list);
	while ((name = strsep(&rest, ",")))
		if (find(name) < 0)
			verb_usage(verb, "--%s: there is no `%s` (docs/tracing.md lists them)", option, name);
	free(copy);
}

static unsigned count_names(const char *list)
{
	unsigned count = 1;

	for (; *list; list++)
		count += *list == ',';
	return count;
}

void trace_options_check(const struct trace_options *t, const struct verb *verb)
{
	if (!t->events) {
		if (t->paths || t->counters || t->file || t->records || t->period || t->sampler)
			verb_usage(verb, "the options of tracing need --trace");
		return;
	}
	check_names(verb, "trace", t->events, trace_event_find);
	check_names(verb, "trace-paths", t->paths, trace_path_find);
	if (is_none(t->events) && is_none(t->paths))
		verb_usage(verb, "there is nothing to trace: neither events nor paths");
	if (t->period && t->sampler)
		verb_usage(verb, "--trace-period and --trace-sampler are two ways to do the same");
	if (!t->counters)
		return;
	if (is_all(t->counters) || is_none(t->counters) || count_names(t->counters) > TRACE_COUNTERS_MAX)
		verb_usage(verb, "--trace-counters wants one to %d names", TRACE_COUNTERS_MAX);
	check_names(verb, "trace-counters", t->counters, trace_counter_find);
}

static void add_list(char **words, const char *word, const char *list)
{
	char *longer;

	if (is_none(list))
		return;
	longer = xasprintf("%s%s%s=%s", *words, **words ? " " : "", word, is_all(list) ? "all" : list);
	free(*words);
	*words = longer;
}

static void add_number(char **words, const char *word, unsigned number)
{
	char *text = xasprintf("%u", number);

	if (number)
		add_list(words, word, text);
	free(text);
}

char *trace_options_words(const struct trace_options *t)
{
	char *words = xstrdup("");

	if (!t->events)
		return words;
	add_list(&words, "trace", t->events);
	add_list(&words, "trace_paths", t->paths);
	if (t->counters)
		add_list(&words, "trace_counters", t->counters);
	add_number(&words, "trace_records", t->records);
	add_number(&words, "trace_period", t->period);
	add_number(&words, "trace_sampler", t->sampler);
	return words;
}
