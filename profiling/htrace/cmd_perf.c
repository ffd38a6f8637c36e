/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "htrace.h"
#include "samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct {
	struct view_files files;
} o;

static const struct option_spec options[] = {VIEW_OPTIONS(o.files), OPTION_END};

static void print_place(const struct view *view, const struct trace_record *r)
{
	static const char *const modules[] = {
		[TRACE_MODE_KERNEL] = "[hypervisor]", [TRACE_MODE_USER] = "user", [TRACE_MODE_GUEST] = "guest"};
	const struct symbol *symbol = view_symbol(view, r->extra, r->a);

	printf("\t%16" PRIx64 " ", r->a);
	if (symbol)
		printf("%s+0x%" PRIx64, symbol->name, r->a - symbol->address);
	else
		fputs("[unknown]", stdout);
	printf(" (%s)\n\n", r->extra < array_size(modules) ? modules[r->extra] : "[unknown]");
}

static bool show(const struct view *view)
{
	size_t samples = 0;

	for (size_t i = 0; i < view->count; i++) {
		const struct event *e = &view->events[i];
		uint64_t ns = view_ns(view, e->r->tsc);
		unsigned thread;
		char name[16];

		if (e->r->event != TRACE_SAMPLE)
			continue;
		thread = samples_thread(view, e->r, name);
		printf("%s %u [%03u] %5" PRIu64 ".%09" PRIu64 ": %10d cycles: \n", name, thread, e->cpu,
		       ns / 1000000000, ns % 1000000000, 1);
		print_place(view, e->r);
		samples++;
	}
	if (!samples)
		complain("note: there are no samples in this trace (hbench run --trace=sample --trace-period N)");
	return true;
}

static int run(char **args, unsigned count)
{
	(void)count;
	return view_with(args[0], &o.files, show);
}

const struct verb verb_perf = {
	.name = "perf",
	.summary = "print the samples as `perf script` does",
	.args = "FILE",
	.doc = "Print the samples as `perf script` prints them, for FlameGraph's stackcollapse-perf.pl and others "
	       "that "
	       "read this.",
	.examples = "  htrace perf --kernel hypervisor --user ipc.elf new.htrace > out.perf\n"
		    "  stackcollapse-perf.pl --kernel out.perf | flamegraph.pl > new.svg\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one trace is needed",
	.run = run,
};
