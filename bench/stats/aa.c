/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/aa.h"

#include "host/mem.h"
#include "result/metric.h"

#include <gsl/gsl_randist.h>
#include <stdlib.h>

enum { SPLITS = 10, BOOTS_NEEDED = 2 * POWER_BOOTS_LEAST };

/* The boots whose rank in the shuffled order has this parity. */
static struct result half(const struct result *whole, const size_t *order, size_t boots, size_t parity)
{
	struct result out = {.context = json_deep_copy(whole->context)};

	for (size_t i = 0; i < whole->count; i++) {
		const struct benchmark *b = &whole->benchmarks[i];

		for (size_t k = 0; k < boots; k++) {
			if (k % 2 != parity || order[k] >= b->boot_count)
				continue;
			struct sample sample = sample_copy(&b->boots[order[k]]);

			result_add(&out, b->name, &sample);
		}
	}
	result_merge(&out);
	return out;
}

static void compare_halves(struct aa *aa, const struct result *whole, const size_t *order, size_t boots,
			   const struct suite *suite)
{
	struct result a = half(whole, order, boots, 0), b = half(whole, order, boots, 1);
	struct comparison c;
	struct error ignored;

	if (compare_results(&c, &a, &b, suite, &ignored)) {
		aa->comparisons += c.count;
		aa->alarms += c.tally[VERDICT_WORSE] + c.tally[VERDICT_BETTER];
		aa->unsure += c.tally[VERDICT_UNSURE];
	}
	compare_free(&c);
	result_free(&a);
	result_free(&b);
}

static size_t most_boots(const struct result *result)
{
	size_t most = 0;

	for (size_t i = 0; i < result->count; i++)
		most = result->benchmarks[i].boot_count > most ? result->benchmarks[i].boot_count : most;
	return most;
}

bool aa_measure(struct aa *aa, const struct result *result, const struct suite *suite)
{
	const struct metric *metric = metric_find(result_text(result, "metric"));
	size_t boots = most_boots(result), *order;
	gsl_rng *rng;

	*aa = (struct aa){0};
	if (!metric || metric->exact || boots < BOOTS_NEEDED)
		return false;
	order = xcalloc(boots, sizeof(*order));
	for (size_t i = 0; i < boots; i++)
		order[i] = i;
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	gsl_rng_set(rng, 1);
	for (unsigned split = 0; split < SPLITS; split++) {
		gsl_ran_shuffle(rng, order, boots, sizeof(*order));
		compare_halves(aa, result, order, boots, suite);
	}
	gsl_rng_free(rng);
	free(order);
	return true;
}
