/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/estimator.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define QUANTILE(name, q, meaning)                                                     \
	{                                                                              \
#name, "mean of the boots' " meaning, q, offsetof(struct sample, name) \
	}

/* Not told by the roottask. */
#define OF_HISTOGRAM SIZE_MAX

static const struct estimator all[] = {
	QUANTILE(min, 0, "minima"),
	{"p1", "mean of the boots' 1st percentiles", 0.01, OF_HISTOGRAM},
	QUANTILE(p50, 0.5, "medians"),
	QUANTILE(p90, 0.9, "90th percentiles"),
	QUANTILE(p99, 0.99, "99th percentiles"),
	QUANTILE(p999, 0.999, "99.9th percentiles"),
	QUANTILE(max, 1, "maxima"),
};

const struct estimator *const estimators[] = {&all[0], &all[1], &all[2], &all[3], &all[4], &all[5], &all[6], NULL};

const struct estimator *estimator_find(const char *name)
{
	for (size_t i = 0; i < array_size(all); i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

/* In the sample's unit. */
static uint64_t number_of(const struct estimator *estimator, const struct sample *sample)
{
	uint64_t value;

	if (estimator->offset != OF_HISTOGRAM)
		return *(const uint64_t *)((const char *)sample + estimator->offset);
	value = hist_quantile(&sample->hist, estimator->quantile);
	return value < sample->min ? sample->min : value > sample->max ? sample->max : value;
}

uint64_t estimator_count(const struct estimator *estimator, const struct sample *sample)
{
	return number_of(estimator, sample) / (sample->per ? sample->per : 1);
}

/* The bin that holds the median, and what is known around it. */
struct middle {
	const struct bin *bin, *before, *behind; /* before, behind: NULL at an end */
	double below;                            /* values in bins before it */
	bool dense;                              /* bins are wider than the counter's steps */
};

static bool touch(const struct bin *bin, const struct bin *next)
{
	return bin && next && bin->lower + bin->width == next->lower;
}

static double bin_value(const struct bin *bin)
{
	return (double)bin->lower + (double)(bin->width - 1) / 2;
}

static struct middle middle_of(const struct sample *s)
{
	const struct hist *h = &s->hist;
	uint64_t lower = hist_lower(h, s->p50);
	struct middle m = {0};
	size_t i = 0;

	for (; i + 1 < h->used && h->bins[i].lower < lower; i++)
		m.below += (double)h->bins[i].count;
	m.bin = &h->bins[i];
	m.before = i ? m.bin - 1 : NULL;
	m.behind = i + 1 < h->used ? m.bin + 1 : NULL;
	m.dense = m.bin->width > 1 && (touch(m.before, m.bin) || touch(m.bin, m.behind));
	return m;
}

/*
 * The longest steps of time-stamp counters are some dozens of ticks. Two places farther apart than that are paths of
 * the code, unless a third one lies as far beyond; and what few values take is an outlier.
 */
static const double step_most = 128, outliers_share = 0.05;

static double gap(const struct middle *m, const struct bin *neighbour, double total)
{
	if (!neighbour || (double)neighbour->count < outliers_share * total)
		return INFINITY;
	return fabs(bin_value(m->bin) - bin_value(neighbour));
}

/* The way of the counter from one value to the next: a tick, unless the values around the median show that it is
 * more.
 */
static double step_of(const struct middle *m, double total)
{
	double down = gap(m, m->before, total), up = gap(m, m->behind, total), least = fmin(down, up);
	bool regular = isfinite(down) && isfinite(up) && fabs(down - up) <= (double)m->bin->width;

	return !m->dense && isfinite(least) && (regular || least <= step_most) ? least : 1;
}

/*
 * The median of the mid-distribution function (Ma, Genton and Parzen, 2011): values that are equal count half below
 * and half above their place, and the line to the place a step away says where one half of all is.
 */
static double middle_value(const struct sample *s)
{
	struct middle m = middle_of(s);
	double count = (double)m.bin->count, at = m.below + count / 2, half = (double)s->n / 2,
	       value = (double)s->p50;
	const struct bin *other = half < at ? m.before : m.behind;
	double step = step_of(&m, (double)s->n);

	if (m.dense || !other || fabs(bin_value(other) - bin_value(m.bin)) > step + (double)m.bin->width)
		return value;
	return value + step * (half - at) / ((count + (double)other->count) / 2);
}

double estimator_value(const struct estimator *estimator, const struct sample *sample)
{
	double value = estimator->quantile == 0.5 && sample->hist.used ? middle_value(sample)
								       : (double)number_of(estimator, sample);

	return value / (double)(sample->per ? sample->per : 1);
}

/*
 * Where between two steps a window begins is up to chance, so the shares of two values tell what lies between them.
 * Only what nearly always says the same may be locked to the counter, and be anywhere up to half a step away.
 */
static const double share_averaged = 0.95;

double estimator_doubt(const struct estimator *estimator, const struct sample *sample)
{
	if (estimator->quantile != 0.5 || !sample->hist.used)
		return 0;
	struct middle m = middle_of(sample);
	double total = (double)hist_total(&sample->hist), share = (double)m.bin->count / total;
	double step = step_of(&m, total);

	step /= (double)(sample->per ? sample->per : 1);
	return share > share_averaged ? step / 2 * (share - share_averaged) / (1 - share_averaged) : 0;
}

double estimator_mean(const struct estimator *estimator, const struct sample *boots, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += estimator_value(estimator, &boots[i]);
	return count ? sum / (double)count : 0;
}
