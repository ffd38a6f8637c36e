/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/compiler.h"
#include "stats/permutation.h"

#include <gsl/gsl_rng.h>
#include <math.h>

static double p_of(const double *values, size_t a, size_t b)
{
	struct permuted row = {values, a, b, 0};

	permutation_test(&row, 1);
	return row.p;
}

static void near(double got, double wanted)
{
	if (fabs(got - wanted) > 1e-9)
		fail_msg("%.12g instead of %.12g", got, wanted);
}

/* Two sides that do not overlap are the rarest of all divisions, as is the mirror image. */
UNIT_TEST(counted_by_hand)
{
	static const double apart[] = {1, 2, 3, 4, 5, 11, 12, 13, 14, 15}, three[] = {1, 2, 3, 11, 12, 13};
	static const double equal[] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7},
			    steps[] = {12, 12, 12, 12, 12, 13, 13, 13, 13, 13};
	static const double uneven[] = {1, 2, 3, 11, 12, 13, 14, 15, 16, 17};

	near(p_of(apart, 5, 5), 2.0 / 252);
	near(p_of(three, 3, 3), 2.0 / 20);
	near(p_of(equal, 5, 5), 1);
	near(p_of(steps, 5, 5), 2.0 / 252);
	near(p_of(uneven, 3, 7), 1.0 / 120);
	near(p_of(apart, 1, 9), 1);
	near(permutation_smallest_p(5, 5), 2.0 / 252);
	near(permutation_smallest_p(3, 7), 1.0 / 120);
	permutation_test(NULL, 0);
}

/* Of {1,2,4} and {3,5,6}, the t values of all 20 divisions: 4 are as large as 1.6, 2 of them mirror images. */
UNIT_TEST(overlap)
{
	static const double values[] = {1, 2, 4, 3, 5, 6};

	near(p_of(values, 3, 3), 4.0 / 20);
}

/* Boots of two states, in ten benchmarks, and nothing changed: a suite in a hundred may alarm, whatever the states.
 */
UNIT_TEST(states_of_boots)
{
	enum { SUITES = 1000, ROWS = 10, BOOTS = 10 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
	unsigned alarms = 0;

	for (unsigned suite = 0; suite < SUITES; suite++) {
		double values[ROWS][BOOTS];
		struct permuted rows[ROWS];
		unsigned found = 0;

		for (unsigned i = 0; i < ROWS; i++) {
			for (unsigned k = 0; k < BOOTS; k++)
				values[i][k] = (gsl_rng_uniform(rng) < 0.5 ? 1000 : 1100) + gsl_rng_uniform(rng);
			rows[i] = (struct permuted){values[i], BOOTS / 2, BOOTS / 2, 0};
		}
		permutation_test(rows, ROWS);
		for (unsigned i = 0; i < ROWS; i++)
			found += rows[i].p < 0.01;
		alarms += found > 0;
	}
	gsl_rng_free(rng);
	assert_in_range(alarms, 0, 18); /* 10 are expected; more than 18 in one of 100 tries */
}

/* One row that changed is found among others; they do not become suspicious by it. */
UNIT_TEST(one_of_many)
{
	static const double changed[] = {10, 11, 12, 13, 14, 15, 16, 30, 31, 32, 33, 34, 35, 36};
	static const double noise[] = {10, 15, 12, 11, 14, 16, 13, 12, 16, 10, 13, 14, 11, 15};
	struct permuted rows[20];

	for (size_t i = 0; i < array_size(rows); i++)
		rows[i] = (struct permuted){i == 7 ? changed : noise, 7, 7, 0};
	permutation_test(rows, array_size(rows));
	for (size_t i = 0; i < array_size(rows); i++)
		assert_true((rows[i].p < 0.01) == (i == 7));
}

/* Many boots: divisions are drawn, always the same ones. */
UNIT_TEST(drawn)
{
	double values[60];

	for (unsigned i = 0; i < 60; i++)
		values[i] = 100 + i * 7 % 13 + (i < 30 ? 0 : 5);
	assert_true(p_of(values, 30, 30) < 0.001);
	assert_true(p_of(values, 30, 30) == p_of(values, 30, 30));
	for (unsigned i = 30; i < 60; i++)
		values[i] -= 5;
	assert_true(p_of(values, 30, 30) > 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counted_by_hand), cmocka_unit_test(overlap), cmocka_unit_test(states_of_boots),
		cmocka_unit_test(one_of_many),     cmocka_unit_test(drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
