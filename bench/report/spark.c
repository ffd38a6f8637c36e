/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/spark.h"

#include <langinfo.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { LEVELS = 8, VALUES_MAX = 64 };

static const char *const blocks[LEVELS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii[LEVELS + 1] = {" ", ".", ".", ":", ":", "-", "=", "+", "#"};

static void draw(const double *levels, size_t count, char *out)
{
	const char *const *signs = strcmp(nl_langinfo(CODESET), "UTF-8") ? ascii : blocks;

	for (size_t i = 0; i < count; i++) {
		int level = (int)ceil(levels[i] * LEVELS);

		out = stpcpy(out, signs[level < 0 ? 0 : level > LEVELS ? LEVELS : level]);
	}
	*out = '\0';
}

/* Values of a bin are taken as spread evenly over it. */
static void add_bin(double *columns, const struct bin *bin, double from, double per_column)
{
	double at = (double)bin->lower, step = (double)bin->width / SPARK_WIDTH;

	for (int part = 0; part < SPARK_WIDTH; part++) {
		double column = floor((at + ((double)part + 0.5) * step - from) / per_column);

		if (column >= 0 && column < SPARK_WIDTH)
			columns[(size_t)column] += (double)bin->count / SPARK_WIDTH;
	}
}

void spark_sample(const struct sample *sample, char out[SPARK_TEXT_MAX])
{
	double columns[SPARK_WIDTH] = {0}, most = 0;
	double from = (double)hist_lower(&sample->hist, sample->min);
	double to = (double)(hist_lower(&sample->hist, sample->p99) + hist_width(&sample->hist, sample->p99));

	for (size_t i = 0; i < sample->hist.used; i++)
		add_bin(columns, &sample->hist.bins[i], from, (to - from) / SPARK_WIDTH);
	for (size_t i = 0; i < SPARK_WIDTH; i++)
		most = fmax(most, columns[i]);
	for (size_t i = 0; i < SPARK_WIDTH; i++)
		columns[i] = most > 0 ? columns[i] / most : 0;
	draw(columns, SPARK_WIDTH, out);
}

void spark_values(const double *values, size_t count, char out[SPARK_TEXT_MAX])
{
	double levels[VALUES_MAX], low = INFINITY, high = -INFINITY;
	size_t skipped = count > VALUES_MAX ? count - VALUES_MAX : 0;

	for (size_t i = skipped; i < count; i++) {
		low = fmin(low, values[i]);
		high = fmax(high, values[i]);
	}
	for (size_t i = skipped; i < count; i++)
		levels[i - skipped] =
			high > low ? (1 + (LEVELS - 1) * (values[i] - low) / (high - low)) / LEVELS : 0.5;
	draw(levels, count - skipped, out);
}
