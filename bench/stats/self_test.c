/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/self_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With this threshold ten times the value is still the same, in percent. Whatever a gate lets through then, it is not
 * the noise of a measurement. */
static const double threshold_endless = 900;

/* Adds values to a histogram, and to the sum that they have. */
static void put(struct hist *hist, uint64_t *sum, uint64_t value, uint64_t count)
{
	hist_add(hist, value, count);
	*sum += value * count;
}

/*
 * Moves all values of a sample up by the same amount. Of a bin's values only those are known that have a rank of
 * which the sample tells the value: the others in the bin take the next known one, or stay where the bin begins.
 */
static void shift(struct sample *s, uint64_t by)
{
	const struct {
		uint64_t rank, value;
	} known[] = {{1, s->min},
		     {sample_rank(s, 500), s->p50},
		     {sample_rank(s, 900), s->p90},
		     {sample_rank(s, 990), s->p99},
		     {sample_rank(s, 999), s->p999},
		     {s->n, s->max}};
	struct hist moved = {.coarser = s->hist.coarser};
	uint64_t done = 0, end = 0, sum = 0, last = s->min;
	size_t next = 0;

	for (size_t i = 0; i < s->hist.used; i++) {
		const struct bin *bin = &s->hist.bins[i];

		end += bin->count;
		for (; next < array_size(known) && known[next].rank <= end; next++) {
			last = known[next].value;
			put(&moved, &sum, last + by, known[next].rank - done);
			done = known[next].rank;
		}
		put(&moved, &sum, (last > bin->lower ? last : bin->lower) + by, end - done);
		done = end;
	}
	hist_free(&s->hist);
	hist_free(&s->smi);
	s->hist = moved;
	s->order_count = 0;
	s->min += by;
	s->p50 += by;
	s->p90 += by;
	s->p99 += by;
	s->p999 += by;
	s->max += by;
	s->sum = sum;
}

/* The smallest shift that must count for one estimator: just over the threshold; with noise, well out of it. */
static uint64_t smallest(const struct pair *p, const struct benchmark *b, const struct metric *metric)
{
	uint64_t value = metric_value(metric, p->estimator, b);
	uint64_t allowed = (uint64_t)((double)value * p->threshold / 100);

	uint64_t range = sample_whole_ticks(&b->merged, b->merged.max - b->merged.min);

	return metric->exact ? allowed + 1 : 3 * (allowed + range + 1);
}

/* A comparison of the baseline with itself knows which estimators are judged by which thresholds. */
static void plant(struct result *copy, size_t index, const struct comparison *judged)
{
	struct benchmark *b = &copy->benchmarks[index];
	uint64_t by = 0;

	for (size_t i = 0; i < judged->count; i++)
		if (!strcmp(judged->pairs[i].name, b->name)) {
			uint64_t needed = smallest(&judged->pairs[i], b, judged->metric);

			by = needed > by ? needed : by;
		}
	for (size_t i = 0; i < b->boot_count; i++)
		shift(&b->boots[i], by * (b->boots[i].per ? b->boots[i].per : 1));
}

/* Writes the changed copy as JSON, reads that back and compares: no step of the gate is left out. */
static bool compare_copy(struct comparison *c, struct result *read, const struct result *baseline,
			 struct result *copy, const struct suite *suite, struct error *error)
{
	json_t *root;
	bool good;

	result_merge(copy);
	root = result_to_json(copy);
	good = result_from_json(read, root, error);
	json_decref(root);
	return good && compare_results(c, baseline, read, suite, error);
}

static bool expect_code(const struct result *baseline, struct result *copy, const struct suite *suite,
			enum exit_code wanted, const char *what, struct error *error)
{
	struct comparison c = {0};
	struct result read = {0};
	bool good = compare_copy(&c, &read, baseline, copy, suite, error);

	c.over_limits = 0; /* the baseline's own business, not that of what was planted */
	if (good && compare_exit_code(&c) != wanted)
		good = error_set(error, "%s gives exit code %d instead of %d", what, compare_exit_code(&c), wanted);
	compare_free(&c);
	result_free(&read);
	result_free(copy);
	return good;
}

/* Every benchmark is shifted: each of them must be found. */
static bool find_each(const struct result *baseline, const struct comparison *judged, const struct suite *suite,
		      struct error *error)
{
	struct result copy = result_copy(baseline), read = {0};
	struct comparison c = {0};
	bool good;

	for (size_t i = 0; i < copy.count; i++)
		plant(&copy, i, judged);
	good = compare_copy(&c, &read, baseline, &copy, suite, error);
	for (size_t i = 0; good && i < c.count; i++)
		if (c.pairs[i].difference.verdict != VERDICT_WORSE)
			good = error_set(error, "%s was made worse and the verdict is: %s. %s", c.pairs[i].label,
					 verdict_name(c.pairs[i].difference.verdict), c.pairs[i].difference.why);
	compare_free(&c);
	result_free(&read);
	result_free(&copy);
	return good;
}

/* Of those that only inform a gate says nothing. */
static size_t last_that_decides(const struct result *baseline, const struct suite *suite)
{
	size_t index = baseline->count;

	while (index && !suite_gates(suite, baseline->benchmarks[index - 1].name))
		index--;
	return index - 1;
}

static bool find_one(const struct result *baseline, const struct comparison *judged, const struct suite *suite,
		     struct error *error)
{
	struct result copy = result_copy(baseline);

	plant(&copy, last_that_decides(baseline, suite), judged);
	return expect_code(baseline, &copy, suite, EXIT_REGRESSED, "one worse benchmark among good ones", error);
}

static bool find_missing(const struct result *baseline, const struct suite *suite, struct error *error)
{
	struct result copy = result_copy(baseline);
	size_t index = last_that_decides(baseline, suite);
	struct benchmark *last = &copy.benchmarks[index];

	for (size_t i = 0; i < last->boot_count; i++)
		sample_free(&last->boots[i]);
	sample_free(&last->merged);
	free(last->boots);
	free(last->name);
	memmove(last, last + 1, (--copy.count - index) * sizeof(*last));
	return expect_code(baseline, &copy, suite, EXIT_BENCHMARK_MISSING, "a missing benchmark", error);
}

/* The smallest change that must count is larger than any that happens: such a pair can be planted, but not fail. */
static bool all_can_fail(const struct comparison *judged, struct error *error)
{
	char names[700] = "";

	for (size_t i = 0; i < judged->count; i++) {
		const struct pair *p = &judged->pairs[i];
		size_t used = strlen(names);

		if (p->threshold >= threshold_endless && !p->informs)
			snprintf(names + used, sizeof(names) - used, "\n  %s, threshold %.6g%%", p->label,
				 p->threshold);
	}
	return !*names || error_set(error, "these can never fail, ten times as much would pass:%s", names);
}

bool self_test(const struct result *baseline, const struct suite *suite, struct error *error)
{
	struct comparison judged;
	struct result copy;
	bool good;

	if (!compare_results(&judged, baseline, baseline, suite, error)) {
		compare_free(&judged);
		return false;
	}
	if (!baseline->count) {
		compare_free(&judged);
		return error_set(error, "the baseline holds nothing to compare");
	}
	if (last_that_decides(baseline, suite) == SIZE_MAX) {
		compare_free(&judged);
		return error_set(error, "all cases of the baseline only inform, none is gated");
	}
	if (!all_can_fail(&judged, error)) {
		compare_free(&judged);
		return false;
	}
	copy = result_copy(baseline);
	good = expect_code(baseline, &copy, suite, EXIT_SAME_OR_BETTER, "an unchanged copy", error) &&
	       find_each(baseline, &judged, suite, error) && find_one(baseline, &judged, suite, error) &&
	       find_missing(baseline, suite, error);
	compare_free(&judged);
	return good;
}
