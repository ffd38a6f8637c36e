/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/verdict.h"

#include "result/metric.h"
#include "stats/permutation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDE_LEAST = 3 };

const double verdict_p_needed = 0.01;

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

/* Less than three boots have no scatter to speak of; and of few boots, no division is rare enough. */
static bool enough(const struct metric *metric, const struct benchmark *a, const struct benchmark *b,
		   struct difference *o)
{
	const struct benchmark *fewer = a->boot_count < b->boot_count ? a : b;
	const struct benchmark *poorer = a->merged.n < b->merged.n ? a : b;

	if (fewer->boot_count >= SIDE_LEAST && poorer->merged.n >= metric->windows_needed &&
	    permutation_smallest_p(a->boot_count, b->boot_count) < verdict_p_needed)
		return true;
	o->verdict = VERDICT_UNSURE;
	o->boots = POWER_BOOTS_BEGIN;
	snprintf(o->why, sizeof(o->why),
		 "%zu and %zu boots, %s has %ju values; %d a side and %ju are needed, and %d boots are a good number "
		 "to "
		 "begin with",
		 a->boot_count, b->boot_count, poorer == a ? "A" : "B", (uintmax_t)poorer->merged.n,
		 POWER_BOOTS_LEAST, (uintmax_t)metric->windows_needed, POWER_BOOTS_BEGIN);
	return false;
}

static struct boots boots_of(const struct benchmark *b)
{
	return (struct boots){b->boots, b->boot_count, &b->merged.hist};
}

/* Both sides may be off by the doubt that the counter's steps leave, in opposite directions. */
static double step_percent(const struct estimator *estimator, const struct benchmark *a, const struct benchmark *b,
			   double whole)
{
	double doubt = estimator_doubt(estimator, &a->merged) + estimator_doubt(estimator, &b->merged);

	return whole > 0 ? 100 * doubt / whole : 0;
}

static double superiority(const struct sample *a, const struct sample *b)
{
	const struct sample both[] = {*a, *b};
	uint64_t per = sample_common_per(both, 2);
	struct sample from = sample_given_per(a, per), to = sample_given_per(b, per);
	double answer = stats_superiority(&from.hist, &to.hist);

	sample_free(&from);
	sample_free(&to);
	return answer;
}

static void test(struct difference *o, const struct estimator *estimator, const struct benchmark *a,
		 const struct benchmark *b)
{
	struct boots from = boots_of(a), to = boots_of(b);
	struct change change = stats_change(estimator, &from, &to);
	double step = step_percent(estimator, a, b, change.a);

	o->percent = change.a > 0 ? change.percent : 0;
	o->interval = (struct interval){change.interval.low - step, change.interval.high + step};
	o->spread = (struct spread){change.spread_a, change.spread_b, a->boot_count, b->boot_count, step, 1,
				    verdict_p_needed};
	o->superiority = superiority(&a->merged, &b->merged);
	o->tested = true;
}

struct difference verdict_measure(const struct metric *metric, const struct estimator *estimator,
				  const struct benchmark *a, const struct benchmark *b)
{
	struct difference o = {.p = 1, .superiority = 0.5};

	o.a = a ? metric_value(metric, estimator, a) : 0;
	o.b = b ? metric_value(metric, estimator, b) : 0;
	o.from = a ? metric_number(metric, estimator, a) : 0;
	o.to = b ? metric_number(metric, estimator, b) : 0;
	if (!a || !b) {
		o.verdict = a ? VERDICT_MISSING : VERDICT_NEW;
		return o;
	}
	o.change = (int64_t)(o.b - o.a);
	o.percent = o.from > 0 ? 100 * (metric->exact ? (double)o.change : o.to - o.from) / o.from : 0;
	if (!metric->exact && enough(metric, a, b, &o))
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

	o->smallest = o->a ? 100 * (floor(allowed) + 1) / (double)o->a : 0;
	o->verdict = fabs((double)o->change) > allowed ? direction((double)o->change) : VERDICT_SAME;
}

/* Not every doubt is one that more boots take away: says what would. */
static void call_for_more(struct difference *o, double threshold)
{
	size_t boots = power_boots(&o->spread, threshold, o->percent), used = 0;
	struct spread fine = o->spread;

	fine.step = 0;
	snprintf(o->why, sizeof(o->why),
		 "change between %+.2f%% and %+.2f%%, threshold %.6g%%, p %.3g: ", o->interval.low, o->interval.high,
		 threshold, o->p);
	used = strlen(o->why);
	o->boots = boots > POWER_BOOTS_MOST ? 0 : boots;
	if (o->boots)
		snprintf(o->why + used, sizeof(o->why) - used, "%zu boots a side would settle it", boots);
	else if (power_boots(&fine, threshold, o->percent) <= POWER_BOOTS_MOST)
		snprintf(o->why + used, sizeof(o->why) - used,
			 "the counter's steps hide %.2f%%; more boots do not help, more operations in a window do",
			 o->spread.step);
	else
		snprintf(o->why + used, sizeof(o->why) - used,
			 "boots scatter too much (%.1f%%) for this threshold: more than %d of them would be needed",
			 fmax(o->spread.a, o->spread.b), POWER_BOOTS_MOST);
}

/*
 * "Same" says that the change is smaller than the threshold: the whole interval lies within. "Better" and "worse" say
 * that there is a change, by an interval without zero and a small p value, which may be as large as the threshold.
 * What is left is not an answer.
 */
static void decide_noisy(struct difference *o, double threshold)
{
	struct interval change = o->interval;

	o->smallest = power_smallest_change(&o->spread, threshold);
	if (change.low >= -threshold && change.high <= threshold) {
		o->verdict = VERDICT_SAME;
	} else if (o->p < verdict_p_needed && (change.low > 0 || change.high < 0)) {
		o->verdict = direction(o->percent);
	} else {
		o->verdict = VERDICT_UNSURE;
		call_for_more(o, threshold);
	}
}

/* From nothing to something is a change of no number of percent: no threshold allows it, a test may doubt it. */
static void decide_from_zero(struct difference *o)
{
	if (!(o->to > 0)) {
		o->verdict = VERDICT_SAME;
	} else if (o->p < verdict_p_needed) {
		o->verdict = VERDICT_WORSE;
	} else {
		o->verdict = VERDICT_UNSURE;
		snprintf(o->why, sizeof(o->why), "from 0 to %.4g, p %.3g: %d boots a side would settle it", o->to,
			 o->p, POWER_BOOTS_BEGIN);
		o->boots = POWER_BOOTS_BEGIN;
	}
}

void verdict_decide(struct difference *difference, const struct metric *metric, double threshold)
{
	if (!verdict_has_both(difference))
		return;
	if (metric->exact)
		decide_exact(difference, threshold);
	else if (difference->tested && !(difference->from > 0))
		decide_from_zero(difference);
	else if (difference->tested)
		decide_noisy(difference, threshold);
}
