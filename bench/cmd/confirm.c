/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/confirm.h"

#include "host/error.h"
#include "host/mem.h"
#include "measure/run.h"
#include "report/report.h"
#include "result/baseline.h"
#include "stats/compare.h"
#include "stats/machine_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gate {
	const struct campaign *done;
	const struct suite *suite;
	const struct confirm_options *options;
	struct result baseline;
};

static enum exit_code code_of(const struct comparison *c)
{
	return compare_drifted(c) ? EXIT_RUN_INVALID : compare_exit_code(c);
}

/* Compares and, unless that was asked to be quiet, shows what changed. */
static enum exit_code judge(const struct gate *g, const struct result *a, const struct result *b)
{
	const struct report_style style = {.changed_only = true};
	struct comparison c;
	struct error error;
	enum exit_code code = EXIT_RUN_INVALID;

	if (!machine_identity_same(a, b, &error)) {
		complain("%s", error.text);
		return code;
	}
	if (compare_results(&c, a, b, g->suite, &error)) {
		code = code_of(&c);
		if (!g->options->quiet) {
			putchar('\n');
			report_comparison(stdout, &c, &style);
		}
	} else {
		complain("%s", error.text);
	}
	compare_free(&c);
	return code;
}

/* "new.json" becomes "new.again-1.json", and that of the baseline's kernel "new.base-1.json". */
static char *output_of(const char *name, const char *word, unsigned round)
{
	size_t len = strlen(name);

	if (len > 5 && !strcmp(name + len - 5, ".json"))
		len -= 5;
	return xasprintf("%.*s.%s-%u.json", (int)len, name, word, round);
}

static bool prepare(struct campaign *c, const struct gate *g, unsigned round, struct error *error)
{
	*c = *g->done;
	memset(c->kernels, 0, sizeof(c->kernels));
	c->kernel_count = g->options->kernel ? 2 : 1;
	c->kernels[0].path = g->done->kernels[0].path;
	c->kernels[0].output = output_of(g->done->kernels[0].output, "again", round);
	if (g->options->kernel) {
		c->kernels[1].path = g->options->kernel;
		c->kernels[1].output = output_of(g->done->kernels[0].output, "base", round);
	}
	return campaign_check(c, error);
}

static bool save(const struct campaign *c, struct error *error)
{
	for (unsigned i = 0; i < c->kernel_count; i++)
		if (!result_save(&c->kernels[i].result, c->kernels[i].output, error))
			return false;
	return true;
}

/* The new kernel against the baseline's of the same hour, if that ran; else against the stored numbers. */
static enum exit_code judge_again(const struct gate *g, const struct campaign *c)
{
	const struct result *again = &c->kernels[0].result, *base = &c->kernels[1].result;
	enum exit_code code;

	if (c->kernel_count == 1)
		return judge(g, &g->baseline, again);
	code = judge(g, base, again);
	if (code != EXIT_SAME_OR_BETTER)
		return code;
	/* Side by side they are alike: then both differ from what is stored, or the alarm was false. */
	if (judge(g, &g->baseline, base) == EXIT_SAME_OR_BETTER)
		return EXIT_SAME_OR_BETTER;
	puts("The baseline's kernel, measured now, is not what its baseline says either: the machine changed.");
	return EXIT_RUN_INVALID;
}

static enum exit_code measure_again(const struct gate *g, unsigned round)
{
	struct campaign c;
	struct error error;
	enum exit_code code = EXIT_RUN_INVALID;

	if (!g->options->quiet)
		printf("\nREGRESSED: measuring again before that is believed (%u of %u)\n", round, g->options->times);
	fflush(stdout);
	if (prepare(&c, g, round, &error)) {
		progress_start(&c.progress, c.boots * c.kernel_count, g->options->quiet);
		code = campaign_run(&c);
	} else {
		complain("%s", error.text);
	}
	if (code == EXIT_SAME_OR_BETTER && !save(&c, &error)) {
		complain("%s", error.text);
		code = EXIT_RUN_INVALID;
	} else if (code == EXIT_SAME_OR_BETTER) {
		code = judge_again(g, &c);
	}
	for (unsigned i = 0; i < c.kernel_count; i++)
		free((char *)c.kernels[i].output);
	campaign_free(&c);
	return code;
}

static void print_verdict(enum exit_code code, unsigned rounds)
{
	switch (code) {
	case EXIT_REGRESSED:
		if (rounds)
			printf("FAILED: worse than the baseline, in %u measurements of %u.\n", rounds + 1,
			       rounds + 1);
		else
			puts("FAILED: worse than the baseline.");
		break;
	case EXIT_SAME_OR_BETTER:
		puts(rounds ? "PASSED: what the first measurement found was not found again." : "PASSED");
		break;
	case EXIT_BENCHMARK_MISSING:
		puts("FAILED: a benchmark of the baseline is missing.");
		break;
	case EXIT_NOT_ENOUGH_DATA:
		puts("UNDECIDED: measure again with more --boots.");
		break;
	default:
		puts("INVALID: there is no verdict.");
	}
}

enum exit_code confirm_gate(const struct campaign *done, const struct suite *suite, const struct confirm_options *o)
{
	struct gate g = {done, suite, o, {0}};
	struct error error;
	unsigned rounds = 0;
	enum exit_code code;

	if (!baseline_load(&g.baseline, o->baseline, &done->kernels[0].result, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	code = judge(&g, &g.baseline, &done->kernels[0].result);
	while (code == EXIT_REGRESSED && rounds < o->times && !run_interrupted())
		code = measure_again(&g, ++rounds);
	if (!o->quiet || code != EXIT_SAME_OR_BETTER)
		print_verdict(code, rounds);
	result_free(&g.baseline);
	return code;
}
