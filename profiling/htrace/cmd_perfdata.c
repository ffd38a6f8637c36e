/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"
#include "host/mem.h"
#include "htrace.h"
#include "perf_data.h"
#include "samples.h"

#include <stdlib.h>

static struct {
	struct view_files files;
	const char *output;
} o = {.output = "perf.data"};

static const struct option_spec options[] = {
	VIEW_OPTIONS(o.files),
	{"output", 'o', OPTION_TEXT, "FILE", "File to write (perf.data)", &o.output, 0, 0, NULL},
	OPTION_END,
};

static void add_threads(struct perf_data *data, const struct view *view, bool guests)
{
	bool *named = xcalloc(FIELDS * view->count + 1, sizeof(*named)); /* at 0: what is no EC */
	char name[16];

	for (size_t i = 0; i < view->count; i++) {
		const struct trace_record *r = view->events[i].r;
		unsigned thread = r->event == TRACE_SAMPLE ? samples_thread(view, r, name) : SAMPLES_NONE;
		size_t at = thread < SAMPLES_NONE ? thread : 0;

		if (r->event != TRACE_SAMPLE || named[at] || guests != (thread == SAMPLES_GUEST))
			continue;
		perf_data_thread(data, thread, name);
		named[at] = true;
	}
	free(named);
}

static void add_samples(struct perf_data *data, const struct view *view)
{
	char name[16];

	for (size_t i = 0; i < view->count; i++) {
		const struct event *e = &view->events[i];

		if (e->r->event == TRACE_SAMPLE)
			perf_data_sample(data,
					 &(struct perf_sample){e->r->extra, e->cpu, samples_thread(view, e->r, name),
							       e->r->a, view_ns(view, e->r->tsc)});
	}
}

static bool show(const struct view *view)
{
	const json_t *period = json_object_get(view->trace.meta, "period");
	struct perf_data *data = perf_data_create(period ? (uint64_t)json_integer_value(period) : 1);
	struct error error;
	bool good;

	add_threads(data, view, false);
	perf_data_code(data, true, &view->kernel);
	perf_data_code(data, false, &view->user);
	add_threads(data, view, true); /* nothing is mapped for them */
	add_samples(data, view);
	good = perf_data_finish(data, o.output, &error);
	if (!good)
		complain("%s", error.text);
	return good;
}

static int run(char **args, unsigned count)
{
	(void)count;
	return view_with(args[0], &o.files, show);
}

const struct verb verb_perfdata = {
	.name = "perfdata",
	.summary = "write the samples as a file of perf's",
	.args = "FILE",
	.doc = "Write the samples as a perf.data file, which `perf report` and `perf script` open. ECs are its "
	       "threads.",
	.more = "perf takes the names of functions from the ELF files, so they must stay where they are.",
	.examples = "  htrace perfdata --kernel hypervisor --user ipc.elf -o perf.data new.htrace\n"
		    "  perf report -i perf.data\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one trace is needed",
	.run = run,
};
