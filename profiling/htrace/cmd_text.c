/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"
#include "host/mem.h"
#include "host/text.h"
#include "htrace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct view_files files;
	const char *events;
	bool ticks;
} o;

static const struct option_spec options[] = {
	VIEW_OPTIONS(o.files),
	{"events", 'e', OPTION_TEXT, "NAME,...", "Only events of these kinds", &o.events, 0, 0,
	 "hypercall hypercall_end call reply help dispatch resume ready wake_remote exception vm_exit vm_entry "
	 "shootdown "
	 "grace nmi sample"},
	{"ticks", 0, OPTION_FLAG, NULL, "Times are those of the time-stamp counter", &o.ticks, 0, 0, NULL},
	OPTION_END,
};

/* A bit for each event that is named; ends the program when one is unknown. */
static uint64_t wanted_events(void)
{
	char *list, *rest, *name;
	uint64_t wanted = 0;

	if (!o.events)
		return UINT64_MAX;
	list = rest = xstrdup(o.events);
	while ((name = strsep(&rest, ","))) {
		int event = trace_event_find(name);

		if (event < 0)
			verb_usage(&verb_text, "there is no event `%s`; `htrace stat` lists them", name);
		wanted |= 1ull << event;
	}
	free(list);
	return wanted;
}

static void print_time(const struct view *view, uint64_t tsc, const uint64_t *before)
{
	uint64_t ns = view_ns(view, tsc), step = *before && tsc > *before ? tsc - *before : 0;

	if (o.ticks)
		printf("%" PRIu64 " %+8" PRIi64, tsc, step);
	else
		printf("%4" PRIu64 ".%09" PRIu64 " %+8" PRIi64, ns / 1000000000, ns % 1000000000,
		       (int64_t)view_duration(view, step));
}

static void print_event(const struct view *view, const struct event *event, const uint64_t *before)
{
	struct field fields[FIELDS];
	char text[FIELD_TEXT_MAX];

	print_time(view, event->r->tsc, before);
	printf(" [%03u] %-13s", event->cpu, trace_event_name(event->r->event));
	fields_of(event->r, fields);
	for (unsigned i = 0; i < FIELDS; i++) {
		if (!*fields[i].name)
			continue;
		field_text(view, event->r, &fields[i], text);
		printf(" %s=%s", fields[i].name, text);
	}
	putchar('\n');
}

/* Headings for the cases that have begun by this time. */
static void print_cases(const struct view *view, uint64_t tsc, size_t *next)
{
	const json_t *cases = json_object_get(view->trace.meta, "cases"), *c;

	while ((c = json_array_get(cases, *next)) &&
	       (uint64_t)json_integer_value(json_object_get(c, "begin")) <= tsc) {
		const char *name = json_string_value(json_object_get(c, "name"));

		fputs("# case ", stdout);
		text_print_escaped(stdout, name, strlen(name));
		putchar('\n');
		++*next;
	}
}

static void print_lost(const struct view *view)
{
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		if (view->trace.cpus[i].lost)
			printf("# CPU %u: the newest %zu records; %" PRIu64 " older ones were overwritten\n", i,
			       view->trace.cpus[i].count, view->trace.cpus[i].lost);
}

static bool show(const struct view *view)
{
	uint64_t before[HEDRON_CPU_MAX] = {0}, wanted = wanted_events();
	size_t next_case = 0;

	print_lost(view);
	for (size_t i = 0; i < view->count; i++) {
		const struct event *event = &view->events[i];

		print_cases(view, event->r->tsc, &next_case);
		if (!(wanted >> event->r->event & 1))
			continue;
		if (event->gap)
			printf("# CPU %u: records are missing here\n", event->cpu);
		print_event(view, event, &before[event->cpu]);
		before[event->cpu] = event->r->tsc;
	}
	return true;
}

static int run(char **args, unsigned count)
{
	(void)count;
	return view_with(args[0], &o.files, show);
}

const struct verb verb_text = {
	.name = "text",
	.summary = "print the events, one a line",
	.args = "FILE",
	.doc = "Print the events of all CPUs in the order of time: seconds since the first one, nanoseconds since "
	       "the one "
	       "before on the same CPU, the CPU, the event, what it tells.",
	.more = "ECs, PDs and virtual CPUs are numbered in the order in which they appear.",
	.examples = "  htrace text new.htrace\n"
		    "  htrace text --events call,reply new.htrace\n"
		    "  htrace text --kernel hypervisor --user ipc.elf new.htrace | less\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one trace is needed",
	.run = run,
};
