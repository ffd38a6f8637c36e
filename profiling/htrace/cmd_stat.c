/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"
#include "guest_exits.h"
#include "host/table.h"
#include "host/text.h"
#include "htrace.h"
#include "path_sample.h"
#include "report/spark.h"
#include "samples.h"
#include "stat_json.h"

#include <inttypes.h>
#include <string.h>

static struct {
	struct view_files files;
	bool each_cpu, ns, markdown, json;
	unsigned top;
} o = {.top = 20};

static const struct option_spec options[] = {
	VIEW_OPTIONS(o.files),
	{"per-cpu", 'c', OPTION_FLAG, NULL, "Paths of each CPU by itself", &o.each_cpu, 0, 0, NULL},
	{"ns", 'n', OPTION_FLAG, NULL, "Nanoseconds instead of ticks of the time-stamp counter", &o.ns, 0, 0, NULL},
	{"top", 't', OPTION_NUMBER, "N", "Functions to show of those that samples met (20)", &o.top, 1, 1000000,
	 NULL},
	{"markdown", 'm', OPTION_FLAG, NULL, "Print Markdown", &o.markdown, 0, 0, NULL},
	{"json", 'j', OPTION_FLAG, NULL, "Print JSON: all of it, in ticks, of all CPUs together", &o.json, 0, 0,
	 NULL},
	OPTION_END,
};

static void print_table(struct table *table)
{
	if (o.markdown)
		table_print_markdown(table, stdout);
	else
		table_print(table, stdout, table_wants_colour(stdout));
	table_free(table);
}

static void print_fact(const struct view *view, const char *label, const char *key)
{
	const char *text = trace_text(&view->trace, key);

	if (!*text)
		return;
	printf("%-9s ", label);
	text_print_escaped(stdout, text, strlen(text));
	putchar('\n');
}

static void print_facts(const struct view *view)
{
	print_fact(view, "suite", "suite");
	print_fact(view, "case", "case");
	print_fact(view, "kernel", "boot_line");
	print_fact(view, "build id", "kernel_build_id");
	print_fact(view, "CPU", "cpu_brand");
	print_fact(view, "recorded", "when");
	printf("%-9s %" PRIu64 " kHz\n", "clock", trace_khz(&view->trace));
}

static void print_cpus(const struct view *view)
{
	static const char *const titles[] = {">CPU", ">records", ">lost", ">from, s", ">to, s", NULL};
	struct table *table = table_create(titles);

	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++) {
		const struct trace_cpu *cpu = &view->trace.cpus[i];

		if (!cpu->known)
			continue;
		table_cell(table, COLOUR_NONE, "%u", i);
		table_cell(table, COLOUR_NONE, "%zu", cpu->count);
		table_cell(table, cpu->lost ? COLOUR_DOUBT : COLOUR_NONE, "%" PRIu64, cpu->lost);
		for (unsigned end = 0; end < 2; end++) {
			const struct trace_record *r = cpu->count ? &cpu->records[end * (cpu->count - 1)] : NULL;

			table_cell(table, COLOUR_NONE, r ? "%.9f" : "-",
				   r ? (double)view_ns(view, r->tsc) * 1e-9 : 0);
		}
	}
	putchar('\n');
	print_table(table);
}

static void print_events(const struct view *view)
{
	static const char *const titles[] = {"event", ">records", "meaning", NULL};
	static const char *const meanings[] = {
#define X(n, name, extra, a, b, text) [n] = text,
		TRACE_LIST(X)
#undef X
	};
	struct table *table = table_create(titles);
	size_t counts[TRACE_EVENTS] = {0};

	for (size_t i = 0; i < view->count; i++)
		counts[view->events[i].r->event]++;
	for (unsigned i = 0; i < TRACE_EVENTS; i++) {
		table_cell(table, counts[i] ? COLOUR_NONE : COLOUR_DIM, "%s", trace_event_name(i));
		table_cell(table, counts[i] ? COLOUR_NONE : COLOUR_DIM, "%zu", counts[i]);
		table_cell(table, counts[i] ? COLOUR_NONE : COLOUR_DIM, "%s", meanings[i]);
	}
	putchar('\n');
	print_table(table);
}

static void value_cell(struct table *table, const struct view *view, uint64_t ticks)
{
	table_cell(table, COLOUR_NONE, "%" PRIu64, o.ns ? view_duration(view, ticks) : ticks);
}

static void path_row(struct table *table, const struct view *view, unsigned path, unsigned cpu)
{
	char spark[SPARK_TEXT_MAX];
	struct path_sample p;

	if (!path_sample(&p, &view->trace, path, cpu))
		return;
	table_cell(table, COLOUR_NONE, cpu < HEDRON_CPU_MAX ? "%s/%u" : "%s", trace_path_name(path), cpu);
	table_cell(table, COLOUR_NONE, "%" PRIu64, p.sample.n);
	table_cell(table, COLOUR_NONE, "%.1f", o.ns ? p.mean * 1e6 / (double)trace_khz(&view->trace) : p.mean);
	value_cell(table, view, p.sample.p50);
	value_cell(table, view, p.sample.p90);
	value_cell(table, view, p.sample.p99);
	value_cell(table, view, p.sample.max);
	spark_sample(&p.sample, spark);
	table_cell(table, COLOUR_NONE, "%s", spark);
	for (unsigned i = 0; i < trace_counters(&view->trace); i++)
		table_cell(table, COLOUR_NONE, "%.1f", p.counters[i]);
	path_sample_free(&p);
}

static bool any_paths(const struct view *view)
{
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		if (view->trace.cpus[i].paths)
			return true;
	return false;
}

static void print_paths(const struct view *view)
{
	const char *titles[8 + TRACE_COUNTERS_MAX + 1] = {"path", ">count", ">mean", ">p50",
							  ">p90", ">p99",   ">max",  "min to p99"};
	char names[TRACE_COUNTERS_MAX][32];
	struct table *table;

	if (!any_paths(view))
		return;
	for (unsigned i = 0; i < trace_counters(&view->trace); i++) {
		snprintf(names[i], sizeof(names[i]), ">%s", trace_counter_name(trace_counter(&view->trace, i)));
		titles[8 + i] = names[i];
	}
	table = table_create(titles);
	for (unsigned path = 0; path < TRACE_PATHS; path++)
		for (unsigned cpu = 0; cpu <= HEDRON_CPU_MAX; cpu++)
			if (o.each_cpu == (cpu < HEDRON_CPU_MAX))
				path_row(table, view, path, cpu);
	printf("\nTimes of paths in %s%s:\n%s", o.ns ? "nanoseconds" : "ticks",
	       trace_counters(&view->trace) ? ", and what was counted each time" : "", o.markdown ? "\n" : "");
	print_table(table);
}

static void dash_or_value(struct table *table, const struct view *view, const struct guest_exit *exit)
{
	if (exit->entered)
		value_cell(table, view, exit->ticks);
	else
		table_cell(table, COLOUR_NONE, "-");
}

static void print_exits(const struct view *view)
{
	static const char *const titles[] = {"exit", ">records", ">min", ">p50", ">max", NULL};
	struct guest_exits exits;
	struct table *table;

	guest_exits_find(&exits, view);
	table = table_create(titles);
	for (size_t i = 0, count; i < exits.count; i += count) {
		const struct guest_exit *group = &exits.list[i];
		size_t entered = 0;

		for (count = 0; i + count < exits.count && group[count].reason == group->reason; count++)
			entered += group[count].entered;
		table_cell(table, COLOUR_NONE, *field_exit(group->reason) ? "%s" : "%s%u", field_exit(group->reason),
			   group->reason);
		table_cell(table, COLOUR_NONE, "%zu", count);
		dash_or_value(table, view, &group[0]);
		dash_or_value(table, view, &group[entered ? (entered - 1) / 2 : 0]);
		dash_or_value(table, view, &group[entered ? entered - 1 : 0]);
	}
	if (exits.count) {
		printf("\nExits of guests, and %s until a guest was entered again on that CPU:\n%s",
		       o.ns ? "nanoseconds" : "ticks", o.markdown ? "\n" : "");
		print_table(table);
	} else {
		table_free(table);
	}
	guest_exits_free(&exits);
}

static void print_samples(const struct view *view)
{
	static const char *const titles[] = {">samples", ">%", "mode", "function", NULL};
	struct table *table = table_create(titles);
	struct sample_rows rows;

	samples_count(&rows, view);
	for (size_t i = 0; i < rows.count && i < o.top; i++) {
		table_cell(table, COLOUR_NONE, "%zu", rows.rows[i].count);
		table_cell(table, COLOUR_NONE, "%.1f", 100.0 * (double)rows.rows[i].count / (double)rows.total);
		table_cell(table, COLOUR_NONE, "%s", field_mode(rows.rows[i].mode));
		table_cell(table, COLOUR_NONE, "%s", rows.rows[i].name);
	}
	if (rows.total) {
		printf("\n%zu samples:\n%s", rows.total, o.markdown ? "\n" : "");
		print_table(table);
	} else {
		table_free(table);
	}
	samples_free(&rows);
}

static bool show(const struct view *view)
{
	if (o.json) {
		stat_json(stdout, view);
		return true;
	}
	print_facts(view);
	print_cpus(view);
	print_events(view);
	print_paths(view);
	print_exits(view);
	print_samples(view);
	return true;
}

static int run(char **args, unsigned count)
{
	(void)count;
	return view_with(args[0], &o.files, show);
}

const struct verb verb_stat = {
	.name = "stat",
	.summary = "print histograms, counters and the functions that samples met",
	.args = "FILE",
	.doc = "Print what was recorded: events by kind, how long each path took with its distribution, what the "
	       "processor's performance counters said of it, and which functions samples met most often.",
	.more = "A bin of a histogram is an eighth of a power of two wide (below 16 ticks: one tick), and quantiles "
		"are the "
		"middles of bins. Histograms and counters are of all of the run, also where records were "
		"overwritten.",
	.examples = "  htrace stat new.htrace\n"
		    "  htrace stat --ns --per-cpu new.htrace\n"
		    "  htrace stat --kernel hypervisor --user ipc.elf --top 40 new.htrace\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one trace is needed",
	.run = run,
};
