/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each CPU reads its counter in a loop. Two reads that are far apart had something between them that was neither this
 * program nor the kernel: SMIs of the firmware, a hypervisor, a machine's management. The question is that of Linux's
 * hwlatdetect.
 */
#include "probe.h"

#include "rt/bench/workers.h"
#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/hip.h"
#include "rt/size.h"

enum { BINS = 11 }; /* from 1 us on, each twice as wide as the one before; the last is open */

static struct {
	uint64_t ticks, from;  /* how long; what counts */
	unsigned long from_ns; /* the same, as it was asked for */
} question;

static struct {
	uint64_t most;
	unsigned long count, bins[BINS];
	unsigned long smis;
	bool smis_known;
} seen[HEDRON_CPU_MAX] __attribute__((aligned(64)));

static unsigned bin_of(uint64_t ticks)
{
	unsigned bin = 0;

	for (uint64_t us = ticks * 1000 / rt_hip->freq_tsc; us > 1 && bin < BINS - 1; us /= 2)
		bin++;
	return bin;
}

static uint64_t watch(unsigned self)
{
	unsigned long smis_before = 0, smis_after = 0;
	uint64_t end, last;

	workers_meet();
	seen[self].smis_known = probe_smi_begin(&smis_before);
	last = rt_rdtsc();
	end = last + question.ticks;
	while (last < end) {
		uint64_t now = rt_rdtsc(), gap = now - last;

		last = now;
		if (gap < question.from)
			continue;
		seen[self].count++;
		seen[self].bins[bin_of(gap)]++;
		seen[self].most = gap > seen[self].most ? gap : seen[self].most;
	}
	if (seen[self].smis_known && probe_smi_end(&smis_after))
		seen[self].smis = smis_after - smis_before;
	return 0;
}

/* Nanoseconds. */
static uint64_t ns(uint64_t ticks)
{
	return ticks * 1000000 / rt_hip->freq_tsc;
}

/* Of all CPUs, in nanoseconds. */
static struct bench_bin sizes[BINS];

/* The first bin has all that is too short for the second, and the last one whatever is longer. */
static void add_up(uint64_t longest)
{
	for (unsigned bin = 0; bin < BINS; bin++) {
		uint64_t lower = bin ? 1000ul << bin : 0;

		sizes[bin] = (struct bench_bin){.lower = lower, .width = bin ? lower : 2000};
		for (unsigned n = 0; n < workers_count; n++)
			sizes[bin].count += seen[n].bins[bin];
	}
	if (longest >= sizes[BINS - 1].lower + sizes[BINS - 1].width)
		sizes[BINS - 1].width = longest + 1 - sizes[BINS - 1].lower;
}

static void show_sizes(void)
{
	for (unsigned bin = 0; bin < BINS; bin++)
		if (sizes[bin].count)
			probe_say("  %s %4u us: %lu", bin + 1 < BINS ? "below" : "above",
				  bin + 1 < BINS ? 2u << bin : 1u << bin, sizes[bin].count);
}

static void judge_smis(unsigned long seconds)
{
	unsigned long most = 0;
	bool known = false;

	for (unsigned n = 0; n < workers_count; n++) {
		known |= seen[n].smis_known;
		most = seen[n].smis > most ? seen[n].smis : most;
	}
	if (!known)
		probe_state(PROBE_FACT, "smis", "not counted", "the CPU does not count SMIs");
	else if (most)
		probe_amount(PROBE_DOUBT, "smis", most,
			     "%lu SMIs in %lu s: firmware takes the CPUs away (legacy USB, management)", most,
			     seconds);
	else
		probe_amount(PROBE_FACT, "smis", 0, "no SMI");
}

static void judge(unsigned long seconds, unsigned long count, uint64_t longest, unsigned cpu)
{
	add_up(ns(longest));
	if (count) {
		show_sizes();
		probe_amount(longest > question.from * 20 ? PROBE_DOUBT : PROBE_NOTE, "interruptions", count,
			     "%lu interruptions in %lu s on %u CPUs, the longest of %lu us on CPU %u", count, seconds,
			     workers_count, ns(longest) / 1000, cpu);
		probe_sizes(sizes, BINS);
	} else {
		probe_amount(PROBE_FACT, "interruptions", 0, "no interruption in %lu s", seconds);
	}
	probe_amount(PROBE_FACT, "longest_interruption_ns", ns(longest), "the longest took %lu ns", ns(longest));
}

void probe_interruptions(void)
{
	unsigned long seconds = rt_arg("seconds", 60), count = 0;
	uint64_t most = 0;
	unsigned worst = 0;

	seconds = rt_min(seconds, 24 * 3600);
	question.ticks = seconds * rt_hip->freq_tsc * 1000;
	question.from_ns = rt_arg("from_ns", 1000);
	question.from = (question.from_ns * rt_hip->freq_tsc + 999999) / 1000000;
	probe_heading("interruptions");
	probe_say("watching %u CPUs for %lu s...", workers_count, seconds);
	workers_do_all(workers_count, watch);
	for (unsigned n = 0; n < workers_count; n++) {
		count += seen[n].count;
		if (seen[n].most > most) {
			most = seen[n].most;
			worst = workers_cpu(n);
		}
	}
	probe_amount(PROBE_FACT, "watched_s", seconds, "%lu of %lu ns or more", count, question.from_ns);
	judge(seconds, count, most, worst);
	judge_smis(seconds);
}
