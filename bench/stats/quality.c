/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/quality.h"

#include "result/metric.h"
#include "result/name.h"
#include "stats/modes.h"
#include "stats/stats.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * An outlier is more than ten standard deviations above the median (estimated from the MAD, as for a normal
 * distribution) and at least as much as an interrupt takes. Only firmware takes longer than smi_us.
 */
static const double outlier_deviations = 10, mad_to_deviation = 1.4826, interrupt_us = 2, smi_us = 50;

struct report {
	const struct result *result;
	const struct benchmark *benchmark;
	void (*warn)(void *context, const struct quality_warning *warning);
	void *context;
};

const char *quality_name(enum quality_kind kind)
{
	static const char *const names[QUALITY_KINDS] = {
		[QUALITY_MODES] = "several modes",         [QUALITY_OUTLIERS] = "windows far out",
		[QUALITY_FIRMWARE] = "firmware",           [QUALITY_BOOTS] = "boots differ",
		[QUALITY_TREND] = "values grow, shrink",   [QUALITY_REPEATABLE] = "not repeatable",
		[QUALITY_SKEW] = "counters of CPUs apart", [QUALITY_DRIFT] = "counters of CPUs drift",
	};

	return names[kind];
}

static void warn(const struct report *r, enum quality_kind kind, double weight, const char *fmt, ...)
	printf_like(4, 5);

static void warn(const struct report *r, enum quality_kind kind, double weight, const char *fmt, ...)
{
	char text[QUALITY_TEXT_MAX];
	struct quality_warning warning = {kind, r->benchmark->name, weight, text};
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->warn(r->context, &warning);
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : (double)part;
}

/* An exact metric that changes from boot to boot is not what it claims to be. */
static void check_repeatable(const struct report *r)
{
	const struct benchmark *b = r->benchmark;
	uint64_t high = 0;

	for (size_t k = 0; k < b->boot_count; k++)
		high = b->boots[k].min > high ? b->boots[k].min : high;
	if (high != b->merged.min)
		warn(r, QUALITY_REPEATABLE, share(high - b->merged.min, b->merged.min),
		     "not repeatable: the minimum is between %ju and %ju, depending on the boot",
		     (uintmax_t)b->merged.min, (uintmax_t)high);
}

static void check_modes(const struct report *r)
{
	struct mode modes[MODES_MAX];
	size_t count = modes_find(&r->benchmark->merged.hist, modes);
	double most = 0;
	char text[200] = "";

	if (count < 2)
		return;
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%ju (%.0f%%)", i ? ", " : "",
			 (uintmax_t)sample_whole_ticks(&r->benchmark->merged, modes[i].place), 100 * modes[i].mass);
		most = fmax(most, modes[i].mass);
	}
	warn(r, QUALITY_MODES, 1 - most, "%zu modes: %s: a median stands for none of them", count, text);
}

/* By which a number of the sample becomes the ticks of what was timed. */
static double operations_per_value(const struct sample *s)
{
	return (double)s->batch / (double)(s->per ? s->per : 1);
}

static void check_outliers(const struct report *r)
{
	const struct sample *s = &r->benchmark->merged;
	double per_us = (double)json_integer_value(json_object_get(r->result->context, "tsc_khz")) / 1000;
	double reach = outlier_deviations * mad_to_deviation * (double)stats_mad(&s->hist) * operations_per_value(s);
	double least = fmax(reach, interrupt_us * per_us) / operations_per_value(s);
	uint64_t limit = s->p50 + (uint64_t)ceil(least);
	uint64_t count = hist_between(&s->hist, limit, UINT64_MAX);
	double longest = per_us > 0 ? (double)(s->max - s->p50) * operations_per_value(s) / per_us : 0;

	if (count)
		warn(r, QUALITY_OUTLIERS, share(count, s->n),
		     "%ju of %ju windows are far out, the longest by %.0f us: %s; p99.9 and max are theirs",
		     (uintmax_t)count, (uintmax_t)s->n, longest,
		     longest > smi_us ? "firmware (SMIs), or the machine is shared" : "interrupts");
}

static void check_boots(const struct report *r, const struct metric *metric)
{
	const struct benchmark *b = r->benchmark;
	struct boots boots = {b->boots, b->boot_count, &b->merged.hist};
	double low = INFINITY, high = 0;

	for (size_t i = 0; i < b->boot_count; i++) {
		low = fmin(low, sample_ticks(&b->boots[i], b->boots[i].p50));
		high = fmax(high, sample_ticks(&b->boots[i], b->boots[i].p50));
	}
	if (high - low > low * metric->threshold / 100 && stats_kruskal_wallis(&boots) < 0.001)
		warn(r, QUALITY_BOOTS, low > 0 ? (high - low) / low : 0,
		     "boots differ more than their windows do: medians from %.10g to %.10g; more boots help, more "
		     "windows do not",
		     low, high);
}

/* Windows with system-management interrupts stay in all figures; what they would be without is told. */
static void check_smi(const struct report *r)
{
	const struct sample *s = &r->benchmark->merged;
	struct hist clean;

	if (!s->smi.used)
		return;
	clean = hist_copy(&s->hist);
	hist_subtract(&clean, &s->smi);
	warn(r, QUALITY_FIRMWARE, share(hist_total(&s->smi), s->n),
	     "%ju of %ju windows were interrupted by the firmware (SMI): p99.9 is %ju with them and %ju without",
	     (uintmax_t)hist_total(&s->smi), (uintmax_t)s->n, (uintmax_t)sample_whole_ticks(s, s->p999),
	     (uintmax_t)sample_whole_ticks(s, hist_quantile(&clean, 0.999)));
	hist_free(&clean);
}

/* A trend within most boots: the machine warms up, or the case leaves something behind. */
static void check_order(const struct report *r)
{
	const struct benchmark *b = r->benchmark;
	size_t trends = 0;
	bool up = false;

	for (size_t i = 0; i < b->boot_count; i++)
		trends += stats_trend(b->boots[i].order, b->boots[i].order_count, &up) < 0.001;
	if (trends && 2 * trends > b->boot_count)
		warn(r, QUALITY_TREND, share(trends, b->boot_count),
		     "values %s during a boot: the first windows and the last are not of the same thing",
		     up ? "grow" : "shrink");
}

void quality_check(const struct result *result, const struct benchmark *benchmark, const struct metric *metric,
		   void (*warn_user)(void *context, const struct quality_warning *warning), void *context)
{
	struct report r = {result, benchmark, warn_user, context};

	if (metric->exact) {
		check_repeatable(&r);
		return;
	}
	check_modes(&r);
	if (!name_of_counter(benchmark->name)) /* events do not say how long something took */
		check_outliers(&r);
	check_smi(&r);
	check_order(&r);
	check_boots(&r, metric);
}

static uint64_t count_of(const struct result *result, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(result->context, key));
}

void quality_check_result(const struct result *result,
			  void (*warn_user)(void *context, const struct quality_warning *warning), void *context)
{
	const struct benchmark all = {.name = (char *)result_text(result, "suite")};
	const struct report r = {result, &all, warn_user, context};
	uint64_t skew = count_of(result, "tsc_skew"), drift = count_of(result, "tsc_drift");

	if (skew)
		warn(&r, QUALITY_SKEW, (double)skew,
		     "the time-stamp counters of CPUs are at least %ju ticks apart: what is timed across CPUs is "
		     "wrong "
		     "by that",
		     (uintmax_t)skew);
	if (drift)
		warn(&r, QUALITY_DRIFT, (double)drift,
		     "the time-stamp counters of CPUs drifted by at least %ju ticks during a boot: nothing timed "
		     "across "
		     "CPUs can be believed",
		     (uintmax_t)drift);
}
