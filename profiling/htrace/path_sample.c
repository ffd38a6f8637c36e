/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path_sample.h"

#include "host/mem.h"

#include <stdlib.h>

#define COARSER (HIST_BITS - 3) /* the kernel has 8 bins for each power of two */

/* The bins of several CPUs in one; those of one CPU may have been at 2^32 and begun again. */
static void add(struct trace_path *sum, uint64_t bins[TRACE_BINS], const struct trace_path *path)
{
	sum->count += path->count;
	sum->sum += path->sum;
	for (unsigned i = 0; i < TRACE_COUNTERS_MAX; i++)
		sum->counters[i] += path->counters[i];
	for (unsigned i = 0; i < TRACE_BINS; i++)
		bins[i] += path->bins[i];
}

static void make_hist(struct hist *hist, const uint64_t bins[TRACE_BINS])
{
	*hist = (struct hist){.bins = xcalloc(TRACE_BINS, sizeof(*hist->bins)), .coarser = COARSER};
	for (unsigned i = 0; i < TRACE_BINS; i++) {
		uint64_t low = trace_bin_low(i), next = i + 1 < TRACE_BINS ? trace_bin_low(i + 1) : 0;

		if (bins[i])
			hist->bins[hist->used++] = (struct bin){low, next - low, bins[i]};
	}
}

static void make_sample(struct sample *s, const struct trace_path *sum, const uint64_t bins[TRACE_BINS])
{
	*s = (struct sample){.sum = sum->sum, .batch = 1};
	make_hist(&s->hist, bins);
	s->n = hist_total(&s->hist);
	if (!s->n)
		return;
	s->min = s->hist.bins[0].lower;
	s->max = s->hist.bins[s->hist.used - 1].lower + s->hist.bins[s->hist.used - 1].width - 1;
	s->p50 = hist_quantile(&s->hist, 0.5);
	s->p90 = hist_quantile(&s->hist, 0.9);
	s->p99 = hist_quantile(&s->hist, 0.99);
	s->p999 = hist_quantile(&s->hist, 0.999);
}

bool path_sample(struct path_sample *out, const struct trace *trace, unsigned path, unsigned cpu)
{
	uint64_t bins[TRACE_BINS] = {0};
	struct trace_path sum = {0};

	*out = (struct path_sample){0};
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		if ((cpu == HEDRON_CPU_MAX || cpu == i) && trace->cpus[i].paths)
			add(&sum, bins, &trace->cpus[i].paths[path]);
	if (!sum.count)
		return false;
	make_sample(&out->sample, &sum, bins);
	out->mean = (double)sum.sum / (double)sum.count;
	for (unsigned i = 0; i < TRACE_COUNTERS_MAX; i++)
		out->counters[i] = (double)sum.counters[i] / (double)sum.count;
	return true;
}

void path_sample_free(struct path_sample *sample)
{
	sample_free(&sample->sample);
}
