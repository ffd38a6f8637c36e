/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compare.h"

#include <stdlib.h>
#include <string.h>

static void add_pair(struct comparison *c, const char *name, const struct suite *suite)
{
	const struct benchmark *a = result_find(c->a, name), *b = result_find(c->b, name);
	const struct suite_case *known = suite ? suite_find(suite, name) : NULL;
	double threshold = suite_threshold(suite, name, c->metric->name, c->metric->threshold);
	struct pair *p = &c->pairs[c->count++];

	*p = (struct pair){.name = name, .note = result_skip_reason(c->b, name)};
	p->outcome = verdict_decide(c->metric, a, b, threshold);
	p->has_goal = known && known->has_goal && c->metric->exact;
	p->goal = p->has_goal ? known->goal : 0;
	p->goal_met = p->has_goal && b && (double)p->outcome.b <= p->goal;
	c->tally[p->outcome.verdict]++;
}

static bool same_text(const struct result *a, const struct result *b, const char *key)
{
	return !strcmp(result_text(a, key), result_text(b, key));
}

static bool both_same(const struct result *a, const struct result *b, const char *key)
{
	return *result_text(a, key) && same_text(a, b, key);
}

bool compare_results(struct comparison *c, const struct result *a, const struct result *b, const struct suite *suite,
		     struct error *error)
{
	*c = (struct comparison){.a = a, .b = b, .metric = metric_find(result_text(a, "metric"))};
	if (!same_text(a, b, "suite"))
		return error_set(error, "the results are of different suites: %s and %s", result_text(a, "suite"),
				 result_text(b, "suite"));
	if (!same_text(a, b, "metric"))
		return error_set(error, "the results count different things: %s and %s", result_text(a, "metric"),
				 result_text(b, "metric"));
	if (!c->metric)
		return error_set(error, "the metric \"%s\" is not known", result_text(a, "metric"));
	c->pairs = xcalloc(a->count + b->count, sizeof(*c->pairs));
	for (size_t i = 0; i < a->count; i++)
		add_pair(c, a->benchmarks[i].name, suite);
	for (size_t i = 0; i < b->count; i++)
		if (!result_find(a, b->benchmarks[i].name))
			add_pair(c, b->benchmarks[i].name, suite);
	c->same_programs = both_same(a, b, "kernel_sha256") && both_same(a, b, "roottask_sha256");
	return true;
}

bool compare_same_machine(const struct result *a, const struct result *b, struct error *error)
{
	static const char *const fields[] = {"machine", "cpu_brand", "cpu_vendor"};
	char text[512] = "";

	if (same_text(a, b, "machine"))
		return true;
	for (size_t i = 0; i < array_size(fields); i++) {
		size_t used = strlen(text);

		if (!same_text(a, b, fields[i]))
			snprintf(text + used, sizeof(text) - used, "\n  %s: \"%s\" and \"%s\"", fields[i],
				 result_text(a, fields[i]), result_text(b, fields[i]));
	}
	return error_set(error, "the results are of different machines:%s", text);
}

enum exit_code compare_exit_code(const struct comparison *c)
{
	if (c->tally[VERDICT_WORSE])
		return EXIT_REGRESSED;
	if (c->tally[VERDICT_MISSING])
		return EXIT_BENCHMARK_MISSING;
	if (c->tally[VERDICT_UNSURE])
		return EXIT_NOT_ENOUGH_DATA;
	return EXIT_SAME_OR_BETTER;
}

void compare_free(struct comparison *c)
{
	free(c->pairs);
	*c = (struct comparison){0};
}
