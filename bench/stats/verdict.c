/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/verdict.h"

#include "result/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BOOTS_NEEDED = 3 };

static const double p_needed = 0.01;

static const char *const names[VERDICT_COUNT] = {
	[VERDICT_SAME] = "same",       [VERDICT_BETTER] = "better",
	[VERDICT_WORSE] = "WORSE",     [VERDICT_UNSURE] = "not enough data",
	[VERDICT_MISSING] = "MISSING", [VERDICT_NEW] = "new",
};

const char *verdict_name(enum verdict verdict)
{
	return names[verdict];
}

static enum verdict direction(double change)
{
	return change > 0 ? VERDICT_WORSE : change < 0 ? VERDICT_BETTER : VERDICT_SAME;
}

static bool enough(const struct metric *metric, const struct benchmark *b, const char *side, struct difference *o)
{
	if (b->boot_count >= BOOTS_NEEDED && b->merged.n >= metric->windows_needed)
		return true;
	o->verdict = VERDICT_UNSURE;
	snprintf(o->why, sizeof(o->why), "%s has %zu boots and %ju values; %d and %ju are needed", side,
		 b->boot_count, (uintmax_t)b->merged.n, BOOTS_NEEDED, (uintmax_t)metric->windows_needed);
	return false;
}

static struct boots boots_of(const struct benchmark *b)
{
	return (struct boots){b->boots, b->boot_count, &b->merged.hist};
}

/* The U test is about where most values lie; for tails and minima the boots' values of the estimator are compared. */
static double p_value(const struct estimator *estimator, const struct boots *a, const struct boots *b)
{
	bool few_values = hist_total(a->merged) == a->count || hist_total(b->merged) == b->count;

	if (estimator->quantile == 0.5 && !few_values)
		return stats_mann_whitney_boots(a, b);
	return stats_welch_boots(estimator, a, b);
}

static void test(struct difference *o, const struct estimator *estimator, const struct benchmark *a,
		 const struct benchmark *b)
{
	struct boots from = boots_of(a), to = boots_of(b);

	o->interval = stats_change(estimator, &from, &to);
	o->p = p_value(estimator, &from, &to);
	o->superiority = stats_superiority(from.merged, to.merged);
	o->tested = true;
}

struct difference verdict_measure(const struct metric *metric, const struct estimator *estimator,
				  const struct benchmark *a, const struct benchmark *b)
{
	struct difference o = {.p = 1, .superiority = 0.5};

	o.a = a ? metric_value(metric, estimator, a) : 0;
	o.b = b ? metric_value(metric, estimator, b) : 0;
	if (!a || !b) {
		o.verdict = a ? VERDICT_MISSING : VERDICT_NEW;
		return o;
	}
	o.change = (int64_t)(o.b - o.a);
	o.percent = o.a ? 100 * (double)o.change / (double)o.a : 0;
	if (!metric->exact && enough(metric, a, "A", &o) && enough(metric, b, "B", &o))
		test(&o, estimator, a, b);
	return o;
}

bool verdict_has_both(const struct difference *difference)
{
	return difference->verdict != VERDICT_MISSING && difference->verdict != VERDICT_NEW;
}

static void decide_exact(struct difference *o, double threshold)
{
	double allowed = (double)o->a * threshold / 100;

	o->verdict = fabs((double)o->change) > allowed ? direction((double)o->change) : VERDICT_SAME;
}

/*
 * "Same" needs the whole interval within the threshold, "better" and "worse" need a change beyond the threshold, an
 * interval without zero and a small p value. What is left is not an answer but a call for more boots.
 */
static void decide_noisy(struct difference *o, double threshold)
{
	struct interval change = o->interval;

	if (change.low >= -threshold && change.high <= threshold) {
		o->verdict = VERDICT_SAME;
	} else if (fabs(o->percent) > threshold && o->p < p_needed && (change.low > 0 || change.high < 0)) {
		o->verdict = direction(o->percent);
	} else {
		o->verdict = VERDICT_UNSURE;
		snprintf(o->why, sizeof(o->why),
			 "change between %+.2f%% and %+.2f%%, threshold %.2f%%, p %.3g: boot more", change.low,
			 change.high, threshold, o->p);
	}
}

/* From nothing to something is a change of no number of percent: no threshold allows it, a test may doubt it. */
static void decide_from_zero(struct difference *o)
{
	if (!o->b) {
		o->verdict = VERDICT_SAME;
	} else if (o->p < p_needed) {
		o->verdict = VERDICT_WORSE;
	} else {
		o->verdict = VERDICT_UNSURE;
		snprintf(o->why, sizeof(o->why), "from 0 to %ju, p %.3g: boot more", (uintmax_t)o->b, o->p);
	}
}

void verdict_decide(struct difference *difference, const struct metric *metric, double threshold)
{
	if (!verdict_has_both(difference))
		return;
	if (metric->exact)
		decide_exact(difference, threshold);
	else if (difference->tested && !difference->a)
		decide_from_zero(difference);
	else if (difference->tested)
		decide_noisy(difference, threshold);
}
