/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench gate`: results against their baselines; the exit code is the verdict. */
#include "cmd/threshold_options.h"
#include "cmd/verbs.h"
#include "host/exit_code.h"
#include "host/file.h"
#include "report/report.h"
#include "result/baseline.h"
#include "result/metric.h"
#include "stats/aa.h"
#include "stats/machine_identity.h"
#include "stats/self_test.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *baseline, *junit, *markdown, *json;
	struct threshold_options thresholds;
	bool any_machine, self_test;
} o;

static const struct option_spec options[] = {
	{"baseline", 'b', OPTION_TEXT, "FILE|DIR", "Baseline, or the folder with those of all machines; needed",
	 &o.baseline, 0, 0, NULL},
	OPTIONS_THRESHOLD(o.thresholds),
	{"allow-different-machine", 0, OPTION_FLAG, NULL, "Compare although the machines differ", &o.any_machine, 0,
	 0, NULL},
	{"self-test", 0, OPTION_FLAG, NULL,
	 "First plant faults into a copy of the baseline and see whether the gate finds each; RESULT is optional "
	 "then",
	 &o.self_test, 0, 0, NULL},
	{"junit", 0, OPTION_TEXT, "FILE", "Write JUnit XML, too", &o.junit, 0, 0, NULL},
	{"json", 0, OPTION_TEXT, "FILE", "Write JSON, too", &o.json, 0, 0, NULL},
	{"markdown", 0, OPTION_TEXT, "FILE", "Write Markdown, too", &o.markdown, 0, 0, NULL},
	OPTION_END,
};

/* The files besides the text: each comparison is added as it is made. */
static struct sink {
	const char *const *path;
	void (*report)(FILE *out, const struct comparison *c);
	const char *head, *separator, *tail;
	FILE *out;
	char *text;
	size_t size;
} sinks[] = {
	{&o.junit, report_junit, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", "", "</testsuites>\n",
	 NULL, NULL, 0},
	{&o.markdown, report_markdown, "", "\n", "", NULL, NULL, 0},
	{&o.json, report_json, "[\n", ",\n", "]\n", NULL, NULL, 0},
};

static void add_to_sinks(const struct comparison *c)
{
	for (size_t i = 0; i < array_size(sinks); i++) {
		struct sink *sink = &sinks[i];

		if (!*sink->path)
			continue;
		if (!sink->out)
			sink->out = open_memstream(&sink->text, &sink->size);
		if (!sink->out)
			continue; /* write_sinks() complains */
		fputs(ftell(sink->out) > 0 ? sink->separator : sink->head, sink->out);
		sink->report(sink->out, c);
	}
}

static bool write_sink(struct sink *sink, struct error *error)
{
	bool good;

	if (!sink->out)
		sink->out = open_memstream(&sink->text, &sink->size);
	if (!sink->out)
		return error_set(error, "out of memory");
	if (!ftell(sink->out))
		fputs(sink->head, sink->out);
	fputs(sink->tail, sink->out);
	good = !fclose(sink->out) || error_set(error, "out of memory");
	good = good && file_replace(*sink->path, sink->text, sink->size, error);
	free(sink->text);
	return good;
}

static bool write_sinks(void)
{
	struct error error;
	bool good = true;

	for (size_t i = 0; i < array_size(sinks); i++) {
		if (!*sinks[i].path || write_sink(&sinks[i], &error))
			continue;
		complain("%s", error.text);
		good = false;
	}
	return good;
}

/* What needs most boots decides; where no number helps, the notes above say what does. */
static void print_undecided(const struct comparison *c)
{
	size_t boots = 0;

	for (size_t i = 0; i < c->count; i++)
		boots = c->pairs[i].difference.boots > boots ? c->pairs[i].difference.boots : boots;
	if (boots)
		printf("UNDECIDED: measure both again with --boots %zu.\n", boots);
	else
		puts("UNDECIDED, and more boots would not help: see above.");
}

static void print_advice(const struct comparison *c, enum exit_code code, const char *file)
{
	switch (code) {
	case EXIT_REGRESSED:
		puts("FAILED: the result is worse than the baseline. If that is meant, say why in `hbench baseline "
		     "update`.");
		break;
	case EXIT_BENCHMARK_MISSING:
		puts("FAILED: a benchmark of the baseline is missing. A gate that compares nothing finds nothing.");
		break;
	case EXIT_NOT_ENOUGH_DATA:
		print_undecided(c);
		break;
	case EXIT_RUN_INVALID:
		puts("INVALID: the same programs gave other numbers (lab drift). Find out what changed on the "
		     "machine, "
		     "then measure the baseline's kernel again.");
		break;
	default:
		puts("PASSED");
	}
	if (c->tally[VERDICT_BETTER] || c->tally[VERDICT_NEW])
		printf("Some are better or new. To keep that: hbench baseline update --reason \"...\" %s\n", file);
}

static void print_false_alarms(const struct result *baseline, const struct suite *suite)
{
	struct aa aa;

	if (aa_measure(&aa, baseline, suite))
		printf("A/A: halves of the baseline's boots, compared with each other: %zu false alarms in %zu "
		       "verdicts, "
		       "%zu undecided.\n",
		       aa.alarms, aa.comparisons, aa.unsure);
}

static const char *of_different_machines(const struct result *result)
{
	const struct metric *metric = metric_find(result_text(result, "metric"));

	return metric && !metric->exact ? "Times of different machines tell nothing about what ran there."
					: "Instruction counts of different machines are of different paths.";
}

static enum exit_code judge(const struct result *baseline, const struct result *result, const struct suite *suite,
			    const char *file)
{
	struct comparison c;
	struct error error;
	enum exit_code code;

	if (!o.any_machine && !machine_identity_same(baseline, result, &error)) {
		complain("%s\n%s --allow-different-machine compares them anyway.", error.text,
			 of_different_machines(result));
		return EXIT_RUN_INVALID;
	}
	if (!compare_results(&c, baseline, result, suite, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	code = compare_drifted(&c) ? EXIT_RUN_INVALID : compare_exit_code(&c);
	report_comparison(stdout, &c);
	print_false_alarms(baseline, suite);
	print_advice(&c, code, file);
	add_to_sinks(&c);
	compare_free(&c);
	return code;
}

static enum exit_code run_self_test(const struct result *baseline, const struct suite *suite)
{
	struct error error;

	if (self_test(baseline, suite, &error)) {
		printf("self-test: the gate finds planted regressions in each of %zu benchmarks, and missing "
		       "ones\n\n",
		       baseline->count);
		return EXIT_SAME_OR_BETTER;
	}
	complain("SELF-TEST FAILED, the gate cannot be trusted: %s", error.text);
	return EXIT_RUN_INVALID;
}

static enum exit_code gate(const struct result *result, const char *file)
{
	struct result baseline;
	struct suite storage = {0};
	const struct suite *suite = NULL;
	struct error error;
	enum exit_code code = EXIT_SAME_OR_BETTER;

	if (!baseline_load(&baseline, o.baseline, result, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	if (!threshold_options_suite(&o.thresholds, &baseline, result, &storage, &suite, &error)) {
		complain("%s", error.text);
		code = EXIT_USAGE;
	}
	if (!code && o.self_test)
		code = run_self_test(&baseline, suite);
	if (!code && result)
		code = judge(&baseline, result, suite, file);
	suite_free(&storage);
	result_free(&baseline);
	return code;
}

static enum exit_code gate_file(const char *file)
{
	struct result result;
	struct error error;
	enum exit_code code;

	if (!result_load(&result, file, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	code = gate(&result, file);
	result_free(&result);
	return code;
}

static int run(char **args, unsigned count)
{
	enum exit_code code = EXIT_SAME_OR_BETTER;

	if (!o.baseline || (!count && !o.self_test))
		verb_usage(&verb_gate, "--baseline and a result are needed");
	if (!count)
		return gate(NULL, NULL);
	for (unsigned i = 0; i < count; i++) {
		if (i)
			putchar('\n');
		code = compare_graver(code, gate_file(args[i]));
	}
	return (int)(write_sinks() ? code : compare_graver(code, EXIT_RUN_INVALID));
}

const struct verb verb_gate = {
	.name = "gate",
	.summary = "fail when a result is worse than its baseline",
	.args = "RESULT...",
	.doc = "Compare results with their baselines and fail when a benchmark got worse. Instructions are exact, so "
	       "one "
	       "more is a regression unless the suite's file gives the case a threshold.",
	.more = "Exit codes: 0 same or better, 1 regressed, 2 usage, 3 not enough data, 4 a file is not valid or of "
		"another machine, or the machine drifted, 5 a benchmark of the baseline is missing. When several "
		"apply, 4 comes before 1, 5 "
		"and "
		"3.",
	.examples = "  hbench gate --baseline results new.json\n"
		    "  hbench gate --baseline results --junit gate.xml ipc.json sm.json sched.json\n"
		    "  hbench gate --baseline results --threshold 1 new.json\n"
		    "  hbench gate --baseline results --self-test new.json --junit gate.xml\n"
		    "  hbench gate --baseline results/qemu-icount-max/ipc.json --self-test\n",
	.options = options,
	.args_max = UINT32_MAX,
	.args_needed = "",
	.run = run,
};
