/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench gate`: results against their baselines; the exit code is the verdict. */
#include "cmd/threshold_options.h"
#include "cmd/verbs.h"
#include "host/exit_code.h"
#include "host/file.h"
#include "report/report.h"
#include "report/report_summary.h"
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
	const char *baseline, *junit, *markdown, *json, *badge;
	struct threshold_options thresholds;
	bool any_machine, self_test, changed_only, goals;
} o;

/* Of all results that were judged. */
static struct report_summary *summary;

static const struct option_spec options[] = {
	{"baseline", 'b', OPTION_TEXT, "FILE|DIR", "Baseline, or the folder with those of all machines; needed",
	 &o.baseline, 0, 0, NULL},
	OPTIONS_THRESHOLD(o.thresholds),
	{"allow-different-machine", 0, OPTION_FLAG, NULL, "Compare although the machines differ", &o.any_machine, 0,
	 0, NULL},
	{"goals", 0, OPTION_FLAG, NULL, "Take the goals of the suite for limits: what is above its goal fails",
	 &o.goals, 0, 0, NULL},
	{"changed-only", 0, OPTION_FLAG, NULL, "Show only what is not the same; the rest is counted", &o.changed_only,
	 0, 0, NULL},
	{"self-test", 0, OPTION_FLAG, NULL,
	 "First plant faults into a copy of the baseline and see whether the gate finds each; RESULT is optional "
	 "then",
	 &o.self_test, 0, 0, NULL},
	{"junit", 0, OPTION_TEXT, "FILE", "Write JUnit XML, too", &o.junit, 0, 0, NULL},
	{"json", 0, OPTION_TEXT, "FILE", "Write JSON, too", &o.json, 0, 0, NULL},
	{"markdown", 0, OPTION_TEXT, "FILE", "Write Markdown, too", &o.markdown, 0, 0, NULL},
	{"badge", 0, OPTION_TEXT, "FILE", "Write the JSON that shields.io makes a badge of, too", &o.badge, 0, 0,
	 NULL},
	OPTION_END,
};

static void print_markdown(FILE *out, const struct comparison *c)
{
	struct report_style style = {.changed_only = o.changed_only};

	report_markdown(out, c, &style);
}

/* The files besides the text: each comparison is added as it is made. */
static struct sink {
	const char *const *path;
	void (*report)(FILE *out, const struct comparison *c);
	const char *head, *separator, *tail;
	void (*invalid)(FILE *out, const char *file);                     /* a file that is not compared; or NULL */
	void (*summary)(FILE *out, const struct report_summary *summary); /* before the rest; or NULL */
	FILE *out;
	char *text;
	size_t size;
} sinks[] = {
	{&o.junit, report_junit, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", "", "</testsuites>\n",
	 report_junit_invalid, NULL, NULL, NULL, 0},
	{&o.markdown, print_markdown, "", "\n", "", NULL, report_summary_markdown, NULL, NULL, 0},
	{&o.json, report_json, "[\n", ",\n", "]\n", NULL, NULL, NULL, NULL, 0},
};

/* Where the next part of a sink goes; NULL when it is not wanted, or write_sink() will complain. */
static FILE *next_part(struct sink *sink)
{
	if (!*sink->path)
		return NULL;
	if (!sink->out)
		sink->out = open_memstream(&sink->text, &sink->size);
	if (sink->out && ftell(sink->out) > 0)
		fputs(sink->separator, sink->out);
	return sink->out;
}

static void add_to_sinks(const struct comparison *c)
{
	for (size_t i = 0; i < array_size(sinks); i++) {
		FILE *out = next_part(&sinks[i]);

		if (out)
			sinks[i].report(out, c);
	}
}

static void add_invalid(const char *file, enum exit_code code)
{
	for (size_t i = 0; i < array_size(sinks); i++) {
		FILE *out = sinks[i].invalid ? next_part(&sinks[i]) : NULL;

		if (out)
			sinks[i].invalid(out, file);
	}
	report_summary_add_invalid(summary, file, code);
}

/* Everything that was added, with what comes around it. */
static bool write_sink(struct sink *sink, struct error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = (!sink->out || !fclose(sink->out)) && out;

	if (out) {
		fputs(sink->head, out);
		if (sink->summary)
			sink->summary(out, summary);
		if (sink->text) /* NULL: nothing was added */
			fwrite(sink->text, 1, sink->size, out);
		fputs(sink->tail, out);
		good = !fclose(out) && good;
	}
	good = good ? file_replace(*sink->path, text, size, error) : error_set(error, "out of memory");
	free(sink->text);
	free(text);
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

static bool write_badge(enum exit_code code)
{
	struct error error = {"out of memory"};
	char *text = o.badge ? report_summary_badge(summary, code) : NULL;
	bool good = !o.badge || (text && file_replace(o.badge, text, strlen(text), &error));

	if (!good)
		complain("%s", error.text);
	free(text);
	return good;
}

static void print_advice(const struct comparison *c, enum exit_code code, const char *file)
{
	switch (code) {
	case EXIT_REGRESSED:
		puts(c->deciding[VERDICT_WORSE]
			     ? "FAILED: the result is worse than the baseline. If that is meant, say why in `hbench "
			       "baseline update`."
			     : "FAILED: a limit is exceeded, whatever the baseline is.");
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
			    const char *file, bool *judged)
{
	struct report_style style = {.changed_only = o.changed_only};
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
	report_comparison(stdout, &c, &style);
	print_false_alarms(baseline, suite);
	print_advice(&c, code, file);
	add_to_sinks(&c);
	report_summary_add(summary, &c, code);
	*judged = true;
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

/* The suite, if it is known, is the one in the storage. */
static bool take_goals(struct suite *storage, const struct suite *suite)
{
	if (!o.goals)
		return true;
	if (!suite) {
		complain("--goals: the suite is not known here, and so are its goals");
		return false;
	}
	suite_limit_goals(storage);
	return true;
}

static enum exit_code gate(const struct result *result, const char *file, bool *judged)
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
	} else if (!take_goals(&storage, suite)) {
		code = EXIT_USAGE;
	}
	if (!code && o.self_test)
		code = run_self_test(&baseline, suite);
	if (!code && result)
		code = judge(&baseline, result, suite, file, judged);
	suite_free(&storage);
	result_free(&baseline);
	return code;
}

/* A file that is not compared has a row in the summary, too. */
static enum exit_code gate_file(const char *file)
{
	struct result result;
	struct error error;
	bool judged = false;
	enum exit_code code = EXIT_RUN_INVALID;

	if (result_load(&result, file, &error)) {
		code = gate(&result, file, &judged);
		result_free(&result);
	} else {
		complain("%s", error.text);
	}
	if (!judged)
		add_invalid(file, code);
	return code;
}

static int run(char **args, unsigned count)
{
	enum exit_code code = EXIT_SAME_OR_BETTER;

	if (!o.baseline || (!count && !o.self_test))
		verb_usage(&verb_gate, "--baseline and a result are needed");
	if (!count)
		return gate(NULL, NULL, NULL);
	summary = report_summary_create();
	for (unsigned i = 0; i < count; i++) {
		if (i)
			putchar('\n');
		code = compare_graver(code, gate_file(args[i]));
	}
	report_summary_text(stdout, summary);
	if (!write_sinks() || !write_badge(code))
		code = compare_graver(code, EXIT_RUN_INVALID);
	report_summary_free(summary);
	return (int)code;
}

const struct verb verb_gate = {
	.name = "gate",
	.summary = "fail when a result is worse than its baseline",
	.args = "RESULT...",
	.doc = "Compare results with their baselines and fail when a benchmark got worse. Instructions are exact, so "
	       "one "
	       "more is a regression unless the suite's file gives the case a threshold. The file may also give a "
	       "case a \"limit\", which no result may be above, and say \"gated\": false of one that only informs.",
	.more = "Exit codes: 0 same or better, 1 regressed, 2 usage, 3 not enough data, 4 a file is not valid or of "
		"another machine, or the machine drifted, 5 a benchmark of the baseline is missing. When several "
		"apply, 4 comes before 1, 5 "
		"and "
		"3.",
	.examples = "  hbench gate --baseline results new.json\n"
		    "  hbench gate --baseline results --junit gate.xml ipc.json sm.json sched.json\n"
		    "  hbench gate --baseline results --threshold 1 new.json\n"
		    "  hbench gate --baseline results --changed-only ipc.json sm.json sched.json\n"
		    "  hbench gate --baseline results --self-test new.json --junit gate.xml\n"
		    "  hbench gate --baseline results/qemu-icount-max/ipc.json --self-test\n",
	.options = options,
	.args_max = UINT32_MAX,
	.args_needed = "",
	.run = run,
};
