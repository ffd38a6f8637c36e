/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fields.h"
#include "htrace.h"
#include "samples.h"

#include <stdio.h>

static struct {
	struct view_files files;
} o;

static const struct option_spec options[] = {VIEW_OPTIONS(o.files), OPTION_END};

static bool show(const struct view *view)
{
	struct sample_rows rows;

	samples_count(&rows, view);
	for (size_t i = 0; i < rows.count; i++)
		printf("%s;%s %zu\n", field_mode(rows.rows[i].mode), rows.rows[i].name, rows.rows[i].count);
	if (!rows.total)
		complain("note: there are no samples in this trace (hbench run --trace=sample --trace-period N)");
	samples_free(&rows);
	return true;
}

static int run(char **args, unsigned count)
{
	(void)count;
	return view_with(args[0], &o.files, show);
}

const struct verb verb_folded = {
	.name = "folded",
	.summary = "print samples as folded stacks, for flame graphs",
	.args = "FILE",
	.doc = "Print the samples as folded stacks: kernel, user or guest, then the function, then how many.",
	.examples = "  htrace folded --kernel hypervisor --user ipc.elf new.htrace | flamegraph.pl > new.svg\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one trace is needed",
	.run = run,
};
