/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stats/permutation.h"

#include "host/mem.h"

#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Up to 7 boots a side every division is looked at; with more, as many as tell 1% from 1.3%. */
enum { DIVISIONS_MAX = 4000, DIVISIONS_DRAWN = 4999 };

/* Sums that are equal but for the order in which they were added up. */
static const double rounding = 1e-9;

/* A row, prepared: values are taken from the first one, so that equal ones are 0 and sums keep their digits. */
struct row {
	double *values;
	size_t a_count, b_count;
	double sum, squares;
	double observed; /* |t| */
	size_t as_large; /* divisions */
};

/* Which of the boots are in B; A's come first. */
struct division {
	bool *in_b;
	size_t a_count, b_count; /* of the row with the most */
};

/* Squares about the mean; 0 when they are but the rounding of equal values. */
static double scatter(double sum, double squares, double n)
{
	double about = squares - sum * sum / n;

	return about > 1e-12 * squares ? about : 0;
}

/* |t| when the boots are divided like this; 0 when the division leaves a side without a variance. */
static double statistic(const struct row *row, const struct division *d)
{
	double sum = 0, squares = 0, nb = 0, n = (double)(row->a_count + row->b_count);

	for (size_t i = 0; i < row->a_count + row->b_count; i++) {
		size_t boot = i < row->a_count ? i : d->a_count + i - row->a_count;

		if (!d->in_b[boot])
			continue;
		sum += row->values[i];
		squares += row->values[i] * row->values[i];
		nb++;
	}
	double na = n - nb;

	if (na < 2 || nb < 2)
		return 0;
	double difference = fabs(sum / nb - (row->sum - sum) / na);
	double variance = scatter(sum, squares, nb) / (nb * (nb - 1)) +
			  scatter(row->sum - sum, row->squares - squares, na) / (na * (na - 1));

	if (variance > 0)
		return difference / sqrt(variance);
	return difference * difference > 1e-12 * row->squares ? INFINITY : 0;
}

/* Rows come with the largest statistic first. Each is measured against itself and those behind it. */
static void look(struct row *rows, size_t count, const struct division *d)
{
	double most = 0;

	for (size_t i = count; i-- > 0;) {
		most = fmax(most, statistic(&rows[i], d));
		rows[i].as_large += most >= rows[i].observed * (1 - rounding);
	}
}

static bool *observed_division(const struct division *d)
{
	for (size_t i = 0; i < d->a_count + d->b_count; i++)
		d->in_b[i] = i >= d->a_count;
	return d->in_b;
}

/* The next way to choose B's boots: the last of them that can moves on, and those behind it follow. */
static bool next_division(const struct division *d)
{
	size_t n = d->a_count + d->b_count, behind = 0, i = n;

	while (i > 0 && d->in_b[i - 1])
		i--;
	behind = n - i;
	while (i > 0 && !d->in_b[i - 1])
		i--;
	if (!i)
		return false;
	d->in_b[i - 1] = false;
	for (size_t k = i; k < n; k++)
		d->in_b[k] = k <= i + behind;
	return true;
}

static void draw_division(const struct division *d, gsl_rng *rng)
{
	for (size_t i = d->a_count + d->b_count - 1; i > 0; i--) {
		size_t other = gsl_rng_uniform_int(rng, i + 1);
		bool held = d->in_b[i];

		d->in_b[i] = d->in_b[other];
		d->in_b[other] = held;
	}
}

static double divisions_of(size_t a_count, size_t b_count)
{
	return round(exp(gsl_sf_lnchoose((unsigned)(a_count + b_count), (unsigned)a_count)));
}

double permutation_smallest_p(size_t a_count, size_t b_count)
{
	/* With as many on both sides, the mirror image of a division is as good as itself. */
	return (a_count == b_count ? 2 : 1) / divisions_of(a_count, b_count);
}

static size_t look_at_all(struct row *rows, size_t count, const struct division *d)
{
	size_t looks = 0;

	/* Chosen so that next_division() passes through all: B's boots as far to the front as they go. */
	for (size_t i = 0; i < d->a_count + d->b_count; i++)
		d->in_b[i] = i < d->b_count;
	do {
		look(rows, count, d);
		looks++;
	} while (next_division(d));
	return looks;
}

/* The division that was observed is one of them. */
static size_t look_at_some(struct row *rows, size_t count, const struct division *d)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);

	gsl_rng_set(rng, 1);
	observed_division(d);
	look(rows, count, d);
	for (size_t i = 0; i < DIVISIONS_DRAWN; i++) {
		draw_division(d, rng);
		look(rows, count, d);
	}
	gsl_rng_free(rng);
	return DIVISIONS_DRAWN + 1;
}

static struct row prepare(const struct permuted *p)
{
	size_t n = p->a_count + p->b_count;
	struct row row = {
		.values = xcalloc(n + 1, sizeof(*row.values)), .a_count = p->a_count, .b_count = p->b_count};

	for (size_t i = 0; i < n; i++) {
		row.values[i] = p->values[i] - p->values[0];
		row.sum += row.values[i];
		row.squares += row.values[i] * row.values[i];
	}
	return row;
}

static struct division widest(const struct permuted *rows, size_t count)
{
	struct division d = {0};

	for (size_t i = 0; i < count; i++) {
		d.a_count = rows[i].a_count > d.a_count ? rows[i].a_count : d.a_count;
		d.b_count = rows[i].b_count > d.b_count ? rows[i].b_count : d.b_count;
	}
	d.in_b = xcalloc(d.a_count + d.b_count + 1, sizeof(*d.in_b));
	return d;
}

/* Indices of rows, the largest statistic first. */
static size_t *order_of(const struct row *rows, size_t count)
{
	double *keys = xcalloc(count, sizeof(*keys));
	size_t *order = xcalloc(count, sizeof(*order));

	for (size_t i = 0; i < count; i++)
		keys[i] = -rows[i].observed;
	gsl_sort_index(order, keys, 1, count);
	free(keys);
	return order;
}

void permutation_test(struct permuted *rows, size_t count)
{
	struct row *unsorted, *sorted;
	struct division d;
	size_t *order, looks;
	double least = 0;

	if (!count)
		return;
	d = widest(rows, count);
	unsorted = xcalloc(count, sizeof(*unsorted));
	sorted = xcalloc(count, sizeof(*sorted));
	observed_division(&d);
	for (size_t i = 0; i < count; i++) {
		unsorted[i] = prepare(&rows[i]);
		unsorted[i].observed = statistic(&unsorted[i], &d);
	}
	order = order_of(unsorted, count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = unsorted[order[i]];
	looks = divisions_of(d.a_count, d.b_count) > DIVISIONS_MAX ? look_at_some(sorted, count, &d)
								   : look_at_all(sorted, count, &d);
	for (size_t i = 0; i < count; i++) {
		least = fmax(least, sorted[i].observed > 0 ? (double)sorted[i].as_large / (double)looks : 1);
		rows[order[i]].p = least;
		free(sorted[i].values);
	}
	free(order);
	free(sorted);
	free(unsorted);
	free(d.in_b);
}
