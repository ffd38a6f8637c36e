/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench export`: a result for other programs. */
#include "cmd/verbs.h"
#include "host/exit_code.h"
#include "host/file.h"
#include "report/report.h"
#include "result/google_benchmark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *format, *output;
} o = {.format = "csv"};

static const struct option_spec options[] = {
	{"format", 'f', OPTION_TEXT, "csv|google-benchmark", "What to write (csv)", &o.format, 0, 0,
	 "csv google-benchmark"},
	{"output", 'o', OPTION_TEXT, "FILE", "Where to (standard output)", &o.output, 0, 0, NULL},
	OPTION_END,
};

static void write_google(FILE *out, const struct result *result)
{
	json_t *root = google_export(result);

	json_dumpf(root, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(root);
}

static int write_result(const struct result *result, void (*write)(FILE *out, const struct result *result))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct error error = {"out of memory"};
	bool good = out;

	if (out) {
		write(out, result);
		good = !fclose(out);
	}
	if (good && o.output)
		good = file_replace(o.output, text, size, &error);
	else if (good)
		fwrite(text, 1, size, stdout);
	if (!good)
		complain("%s", error.text);
	free(text);
	return good ? 0 : EXIT_RUN_INVALID;
}

static int run(char **args, unsigned count)
{
	bool csv = !strcmp(o.format, "csv");
	struct result result;
	struct error error;
	int code;

	(void)count;
	if (!csv && strcmp(o.format, "google-benchmark"))
		verb_usage(&verb_export, "`%s` is not a format; there are csv and google-benchmark", o.format);
	if (!result_load(&result, args[0], &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	code = write_result(&result, csv ? report_csv : write_google);
	result_free(&result);
	return code;
}

const struct verb verb_export = {
	.name = "export",
	.summary = "write a result for other programs: CSV or Google Benchmark's JSON",
	.args = "RESULT",
	.doc = "Write a result in another format. Google Benchmark's has an entry for each boot, in nanoseconds "
	       "where ticks "
	       "are time, and the aggregates; what it calls ns are instructions where those are counted.",
	.examples = "  hbench export new.json > new.csv\n"
		    "  hbench export --format google-benchmark -o gb.json new.json\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one result file is needed",
	.run = run,
};
