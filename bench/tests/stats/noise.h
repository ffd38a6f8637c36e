/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boots of an imaginary machine: what its windows take, by a model of the noise that real ones have. */
#pragma once

#include "build.h"

#include <gsl/gsl_randist.h>
#include <math.h>

enum { NOISE_WINDOWS = 40 };

struct noise {
	const char *name, *what;
	double windows, boots;  /* deviation of a window, and of a boot's level, of the logarithm */
	double mode, mode_boot; /* size of a second peak, or of a second state that whole boots are in ... */
	double mode_share;      /* ... and how often that is */
	double drift, warm_up;  /* of the machine, per boot; of the first windows of each boot */
	double tail;            /* share of windows that an SMI lengthens */
	unsigned step;          /* ticks from one value of the counter to the next */
};

/* The models of the table in docs/statistics.md. */
static const struct noise noises[] = {
	{"log-normal, weak", "windows 1%, boots 0.3%", .windows = 0.01, .boots = 0.003},
	{"log-normal", "windows 4%, boots 1%", .windows = 0.04, .boots = 0.01},
	{"log-normal, strong", "windows 10%, boots 2%", .windows = 0.1, .boots = 0.02},
	{"placement", "two peaks 8% apart, each boot mixes them anew", .windows = 0.01, .boots = 0.003, .mode = 0.08,
	 .mode_share = 0.3},
	{"drift and warm-up", "0.05% a boot, and 20% that fades in the first windows", .windows = 0.02,
	 .boots = 0.005, .drift = 0.0005, .warm_up = 0.2},
	{"SMI tails", "3% of the windows take up to ten times as long", .windows = 0.02, .boots = 0.007,
	 .tail = 0.03},
	{"bistable boots", "every third boot is 3% slower", .windows = 0.01, .boots = 0.003, .mode_boot = 0.03,
	 .mode_share = 0.33},
	{"rare state", "every sixth boot is 4% slower", .windows = 0.01, .boots = 0.003, .mode_boot = 0.04,
	 .mode_share = 0.17},
	{"coarse counter", "the counter goes in steps of 24 ticks", .windows = 0.03, .boots = 0.005, .step = 24},
};

/* The n-th boot of a case that takes `base` ticks. */
static inline struct sample noise_boot(const struct noise *m, double base, unsigned n, gsl_rng *rng)
{
	uint64_t values[NOISE_WINDOWS];
	double level = base * exp(gsl_ran_gaussian(rng, m->boots)) * (1 + m->drift * n);
	double share = m->mode > 0 ? gsl_ran_beta(rng, 4 * m->mode_share, 4 * (1 - m->mode_share)) : 0;

	if (m->mode_boot > 0 && gsl_rng_uniform(rng) < m->mode_share)
		level *= 1 + m->mode_boot;
	for (unsigned i = 0; i < NOISE_WINDOWS; i++) {
		double t = level * exp(gsl_ran_gaussian(rng, m->windows)) * (1 + m->warm_up * exp(-(double)i / 4));

		if (gsl_rng_uniform(rng) < share)
			t *= 1 + m->mode;
		if (gsl_rng_uniform(rng) < m->tail)
			t *= 1 + 9 * gsl_rng_uniform(rng);
		values[i] = (uint64_t)t;
		if (m->step) /* where between two steps a window begins is up to chance */
			values[i] = (uint64_t)((t + m->step * gsl_rng_uniform(rng)) / m->step) * m->step;
	}
	return build_sample(values, NOISE_WINDOWS);
}
