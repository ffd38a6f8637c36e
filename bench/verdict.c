/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict.h"

#include "stats.h"

#include <math.h>
#include <string.h>

enum { BOOTS_NEEDED = 3, WINDOWS_NEEDED = 100 };

static const double p_needed = 0.01;

/* Bins of a histogram are up to 3.1% wide: the U test cannot see less, so ticks have a threshold above that. */
static const struct metric metrics[] = {
	{"instructions", "executed instructions per operation", "minimum", "exact", true, 0},
	{"ticks", "time-stamp counter ticks per operation", "mean of the boots' medians", "with noise", false, 4},
};

static const char *const names[VERDICT_COUNT] = {
	[VERDICT_SAME] = "same",       [VERDICT_BETTER] = "better",
	[VERDICT_WORSE] = "WORSE",     [VERDICT_UNSURE] = "not enough data",
	[VERDICT_MISSING] = "MISSING", [VERDICT_NEW] = "new",
};

const struct metric *metric_find(const char *name)
{
	for (size_t i = 0; i < array_size(metrics); i++)
		if (!strcmp(metrics[i].name, name))
			return &metrics[i];
	return NULL;
}

uint64_t metric_value(const struct metric *metric, const struct benchmark *benchmark)
{
	if (metric->exact)
		return benchmark->merged.min;
	return (uint64_t)llround(stats_mean_median(benchmark->boots, benchmark->boot_count));
}

const char *verdict_name(enum verdict verdict)
{
	return names[verdict];
}

static enum verdict direction(double change)
{
	return change > 0 ? VERDICT_WORSE : change < 0 ? VERDICT_BETTER : VERDICT_SAME;
}

static void decide_exact(struct outcome *o, double threshold)
{
	double allowed = (double)o->a * threshold / 100;

	o->verdict = fabs((double)o->change) > allowed ? direction((double)o->change) : VERDICT_SAME;
}

static bool enough_repetitions(const struct benchmark *b, const char *side, struct outcome *o)
{
	if (b->boot_count >= BOOTS_NEEDED && b->merged.n >= WINDOWS_NEEDED)
		return true;
	o->verdict = VERDICT_UNSURE;
	snprintf(o->why, sizeof(o->why), "%s has %zu boots and %ju values; %d and %d are needed", side, b->boot_count,
		 (uintmax_t)b->merged.n, BOOTS_NEEDED, WINDOWS_NEEDED);
	return false;
}

/*
 * "Same" needs the whole interval within the threshold, "better" and "worse" need a change beyond the threshold, an
 * interval without zero and a small p value. What is left is not an answer but a call for more boots.
 */
static void decide_noisy(struct outcome *o, const struct benchmark *a, const struct benchmark *b, double threshold)
{
	if (!enough_repetitions(a, "A", o) || !enough_repetitions(b, "B", o))
		return;
	struct interval change = stats_change(a->boots, a->boot_count, b->boots, b->boot_count);
	double p = stats_mann_whitney(&a->merged.hist, &b->merged.hist);

	if (change.low >= -threshold && change.high <= threshold) {
		o->verdict = VERDICT_SAME;
	} else if (fabs(o->percent) > threshold && p < p_needed && (change.low > 0 || change.high < 0)) {
		o->verdict = direction(o->percent);
	} else {
		o->verdict = VERDICT_UNSURE;
		snprintf(o->why, sizeof(o->why),
			 "change between %+.2f%% and %+.2f%%, threshold %.2f%%, p %.3g: boot more", change.low,
			 change.high, threshold, p);
	}
}

struct outcome verdict_decide(const struct metric *metric, const struct benchmark *a, const struct benchmark *b,
			      double threshold)
{
	struct outcome o = {0};

	o.a = a ? metric_value(metric, a) : 0;
	o.b = b ? metric_value(metric, b) : 0;
	if (!a || !b) {
		o.verdict = a ? VERDICT_MISSING : VERDICT_NEW;
		return o;
	}
	o.change = (int64_t)(o.b - o.a);
	o.percent = o.a ? 100 * (double)o.change / (double)o.a : 0;
	if (metric->exact)
		decide_exact(&o, threshold);
	else
		decide_noisy(&o, a, b, threshold);
	return o;
}
