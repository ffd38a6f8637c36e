/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/summary.h"

#include <math.h>

/*
 * Of ratios only the geometric mean is the inverse of that of the inverse ratios: no suite looks better because A and
 * B were exchanged. Nothing and from nothing have no ratio and are left out.
 */
void summary_add(struct summary_total *total, const struct comparison *c)
{
	total->suites++;
	total->cases += c->count;
	for (size_t v = 0; v < VERDICT_COUNT; v++)
		total->tally[v] += c->tally[v];
	for (size_t i = 0; i < c->count; i++) {
		const struct pair *p = &c->pairs[i];
		const struct difference *d = &p->difference;

		if (p->estimator != c->metric->estimator || !verdict_has_both(d) || !(d->from > 0) || !(d->to > 0))
			continue;
		total->logarithms += log(d->to / d->from);
		total->terms++;
	}
}

double summary_mean(const struct summary_total *total)
{
	return total->terms ? 100 * expm1(total->logarithms / (double)total->terms) : 0;
}

struct summary summary_of(const struct comparison *c)
{
	struct summary_total total = {0};
	struct summary summary = {0};

	summary_add(&total, c);
	summary.mean = summary_mean(&total);
	for (size_t i = 0; i < c->count; i++) {
		const struct pair *p = &c->pairs[i];

		if (p->difference.verdict == VERDICT_WORSE &&
		    (!summary.worst || p->difference.percent > summary.worst->difference.percent))
			summary.worst = p;
		summary.threshold = fmax(summary.threshold, p->threshold);
		summary.seen = fmax(summary.seen, p->difference.smallest);
	}
	return summary;
}
