/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/compare.h"

#include "host/exit_code.h"
#include "host/mem.h"
#include "result/build_id.h"
#include "result/metric.h"
#include "stats/permutation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mode_shift shift_of(const struct sample *a, const struct sample *b)
{
	const struct sample both[] = {*a, *b};
	uint64_t per = sample_common_per(both, 2);
	struct sample from = sample_given_per(a, per), to = sample_given_per(b, per);
	struct mode_shift shift = modes_shift(&from.hist, &to.hist);

	shift.from = sample_whole_ticks(&from, shift.from);
	shift.to = sample_whole_ticks(&to, shift.to);
	sample_free(&from);
	sample_free(&to);
	return shift;
}

static void add_pair(struct comparison *c, const char *name, const struct estimator *estimator, double threshold,
		     const struct suite *suite)
{
	const struct benchmark *a = result_find(c->a, name), *b = result_find(c->b, name);
	const struct suite_case *known = suite ? suite_find(suite, name) : NULL;
	bool main_one = estimator == c->metric->estimator;
	struct pair *p;
	char key[64];

	snprintf(key, sizeof(key), "%s%s%s", metric_of_case(c->metric, name)->name, main_one ? "" : ".",
		 main_one ? "" : estimator->name);
	c->pairs = xreallocarray(c->pairs, c->count + 1, sizeof(*c->pairs));
	p = &c->pairs[c->count++];
	*p = (struct pair){.name = name, .estimator = estimator, .threshold = threshold};
	snprintf(p->label, sizeof(p->label), main_one ? "%s" : "%s [%s]", name, estimator->name);
	p->note = result_skip_reason(c->b, name);
	p->note_a = result_skip_reason(c->a, name);
	p->difference = verdict_measure(c->metric, estimator, a, b);
	p->has_goal = known && known->has_goal && c->metric->exact && main_one;
	p->goal = p->has_goal ? known->goal : 0;
	p->goal_met = p->has_goal && b && (double)p->difference.b <= p->goal;
	p->informs = !suite_gates(suite, name);
	p->has_limit = suite_limit(suite, name, key, &p->limit);
	p->over_limit = p->has_limit && b && (double)p->difference.b > p->limit;
	if (a && b && main_one && !c->metric->exact)
		p->shift = shift_of(&a->merged, &b->merged);
}

/* What there is for a case's own metric comes before what there is for the result's: one threshold may be meant for
 * ticks and cycles alike. estimator: ".p99", or "" for the metric's own. */
static double threshold_of(const struct comparison *c, const char *name, const char *estimator,
			   const struct suite *suite, double fallback)
{
	char *usual = xasprintf("%s%s", c->metric->name, estimator);
	char *own = xasprintf("%s%s", metric_of_case(c->metric, name)->name, estimator);
	double threshold = suite_threshold(suite, name, own, suite_threshold(suite, name, usual, fallback));

	free(own);
	free(usual);
	return threshold;
}

/* The metric's own estimator, and each that the suite has a threshold or limit for: "ticks.p99". */
static void add_benchmark(struct comparison *c, const char *name, const struct suite *suite)
{
	const struct metric *metric = metric_of_case(c->metric, name);
	double main_one = threshold_of(c, name, "", suite, metric->threshold);

	add_pair(c, name, c->metric->estimator, main_one, suite);
	for (const struct estimator *const *e = estimators; *e; e++) {
		char *suffix = xasprintf(".%s", (*e)->name), *key = xasprintf("%s%s", metric->name, suffix);
		double limit, threshold = threshold_of(c, name, suffix, suite, -1);

		/* With a limit alone it is judged by the metric's own threshold. */
		if (threshold < 0 && suite_limit(suite, name, key, &limit))
			threshold = main_one;
		if (threshold >= 0 && *e != c->metric->estimator)
			add_pair(c, name, *e, threshold, suite);
		free(key);
		free(suffix);
	}
}

/* The boots' values of both sides, A's first. */
static double *values_of(const struct pair *p, const struct benchmark *a, const struct benchmark *b)
{
	double *values = xcalloc(a->boot_count + b->boot_count, sizeof(*values));

	for (size_t i = 0; i < a->boot_count; i++)
		values[i] = estimator_value(p->estimator, &a->boots[i]);
	for (size_t i = 0; i < b->boot_count; i++)
		values[a->boot_count + i] = estimator_value(p->estimator, &b->boots[i]);
	return values;
}

/* One test of all: with a hundred of them apart, one would give a false alarm at p < 0.01. */
static void test_all(struct comparison *c)
{
	struct permuted *rows = xcalloc(c->count, sizeof(*rows));
	size_t used = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct pair *p = &c->pairs[i];
		const struct benchmark *a = result_find(c->a, p->name), *b = result_find(c->b, p->name);

		if (p->difference.tested)
			rows[used++] = (struct permuted){values_of(p, a, b), a->boot_count, b->boot_count, 1};
	}
	permutation_test(rows, used);
	c->tests = used;
	used = 0;
	for (size_t i = 0; i < c->count; i++) {
		struct difference *o = &c->pairs[i].difference;

		if (!o->tested)
			continue;
		free((void *)rows[used].values);
		o->p = rows[used++].p;
		o->spread.tests = c->tests;
	}
	free(rows);
}

/* The benchmark that needs most of them decides. */
static void plan(struct comparison *c)
{
	c->boots = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct pair *p = &c->pairs[i];
		size_t boots = p->difference.tested ? power_boots(&p->difference.spread, p->threshold, 0) : 0;

		c->boots = boots > c->boots ? boots : c->boots;
	}
}

static void decide(struct comparison *c)
{
	test_all(c);
	plan(c);
	for (size_t i = 0; i < c->count; i++) {
		struct pair *p = &c->pairs[i];

		verdict_decide(&p->difference, c->metric, p->threshold);
		c->tally[p->difference.verdict]++;
		c->deciding[p->difference.verdict] += !p->informs;
		c->over_limits += p->over_limit && !p->informs;
	}
}

static bool same_text(const struct result *a, const struct result *b, const char *key)
{
	return !strcmp(result_text(a, key), result_text(b, key));
}

/* Who recorded a console has no image to hash, but the build id is a hash of what the kernel is made of. */
static bool same_kernel(const struct result *a, const struct result *b)
{
	build_id_shown of_a, of_b;

	if (*result_text(a, "kernel_sha256") && *result_text(b, "kernel_sha256"))
		return same_text(a, b, "kernel_sha256");
	build_id_of_result(a, of_a);
	build_id_of_result(b, of_b);
	return *of_a && !strcmp(of_a, of_b);
}

/* Of a recorded console's roottask nothing is known but its words: it counts as the one that belongs to the kernel.
 */
static bool same_roottask(const struct result *a, const struct result *b)
{
	bool known = *result_text(a, "roottask_sha256") && *result_text(b, "roottask_sha256");

	return (!known || same_text(a, b, "roottask_sha256")) && same_text(a, b, "roottask_cmdline");
}

static bool check_comparable(const struct comparison *c, struct error *error)
{
	const struct result *a = c->a, *b = c->b;

	if (!same_text(a, b, "suite"))
		return error_set(error, "the results are of different suites: %s and %s", result_text(a, "suite"),
				 result_text(b, "suite"));
	if (!same_text(a, b, "metric"))
		return error_set(error, "the results count different things: %s and %s", result_text(a, "metric"),
				 result_text(b, "metric"));
	if (result_traced(a) != result_traced(b))
		return error_set(error,
				 "one of the results was measured while the kernel was traced, which takes time of "
				 "its own: measure it again without --trace");
	if (!c->metric)
		return error_set(error, "the metric \"%s\" is not known", result_text(a, "metric"));
	return true;
}

bool compare_results(struct comparison *c, const struct result *a, const struct result *b, const struct suite *suite,
		     struct error *error)
{
	*c = (struct comparison){.a = a, .b = b, .metric = metric_find(result_text(a, "metric"))};
	if (!check_comparable(c, error))
		return false;
	for (size_t i = 0; i < a->count; i++)
		add_benchmark(c, a->benchmarks[i].name, suite);
	for (size_t i = 0; i < b->count; i++)
		if (!result_find(a, b->benchmarks[i].name))
			add_benchmark(c, b->benchmarks[i].name, suite);
	decide(c);
	c->same_programs = same_kernel(a, b) && same_roottask(a, b) && same_text(a, b, "kernel_append");
	return true;
}

size_t compare_plan(const struct result *result, const struct suite *suite)
{
	struct comparison c;
	struct error ignored;
	size_t boots = 0;

	if (compare_results(&c, result, result, suite, &ignored)) {
		/* One side was measured, and counts once. */
		for (size_t i = 0; i < c.count; i++)
			c.pairs[i].difference.spread.b_count = 1;
		plan(&c);
		boots = c.boots;
	}
	compare_free(&c);
	return boots;
}

bool compare_drifted(const struct comparison *c)
{
	return c->same_programs && (c->tally[VERDICT_WORSE] || c->tally[VERDICT_BETTER]);
}

enum exit_code compare_exit_code(const struct comparison *c)
{
	if (c->deciding[VERDICT_WORSE] || c->over_limits)
		return EXIT_REGRESSED;
	if (c->deciding[VERDICT_MISSING])
		return EXIT_BENCHMARK_MISSING;
	if (c->deciding[VERDICT_UNSURE])
		return EXIT_NOT_ENOUGH_DATA;
	return EXIT_SAME_OR_BETTER;
}

enum exit_code compare_graver(enum exit_code a, enum exit_code b)
{
	static const enum exit_code order[] = {EXIT_USAGE,           EXIT_RUN_INVALID,
					       EXIT_REGRESSED,       EXIT_BENCHMARK_MISSING,
					       EXIT_NOT_ENOUGH_DATA, EXIT_INTERRUPTED};

	for (size_t i = 0; i < array_size(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return EXIT_SAME_OR_BETTER;
}

void compare_free(struct comparison *c)
{
	free(c->pairs);
	*c = (struct comparison){0};
}
