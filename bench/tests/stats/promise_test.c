/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The promise of stats/power.h, kept: for each model of noise, suites are measured with the number of boots that
 * hbench asked for beforehand. What comes out is the table of docs/statistics.md:
 *
 *   hbench_promise_test          looks at a few suites, and whether the table says what they say
 *   hbench_promise_test --long   makes the table anew and prints it
 */
#include "test.h"

#include "stats/compare.h"

#include "noise.h"

#include <stdio.h>
#include <string.h>

enum { CASES = 4, PILOT = POWER_BOOTS_BEGIN, SUITES_SHORT = 32, SUITES_LONG = 200 };

/* The default, in percent: also the change that has to be found. */
static const double threshold = 2;

struct kept {
	unsigned suites;
	double boots;                            /* sum of those that were asked for */
	unsigned alarms, found, same, undecided; /* suites; of those without, with, with, and without a change */
};

/* Every second boot of one machine: the other side takes turns with this one. */
static struct result measure(const struct noise *m, size_t boots, double factor, unsigned first, gsl_rng *rng)
{
	struct result r;

	result_init(&r, "m", "ipc", "ticks");
	for (unsigned i = 0; i < boots; i++)
		for (unsigned c = 0; c < CASES; c++) {
			struct sample s = noise_boot(m, 200 * (1 + 3 * c) * (c ? 1 : factor), first + 2 * i, rng);
			char name[20];

			snprintf(name, sizeof(name), "ipc/c%u", c);
			result_add(&r, name, &s);
		}
	result_merge(&r);
	return r;
}

static struct comparison compare(const struct result *a, const struct result *b)
{
	struct comparison c;
	struct error error;

	assert_true(compare_results(&c, a, b, NULL, &error));
	assert_true(c.pairs[0].threshold == threshold);
	return c;
}

/* What hbench says about boots of one kernel, before anything else is measured. */
static size_t boots_asked_for(const struct noise *m, gsl_rng *rng)
{
	struct result a = measure(m, PILOT, 1, 0, rng), b = measure(m, PILOT, 1, 1, rng);
	struct comparison c = compare(&a, &b);
	size_t boots = c.boots;

	compare_free(&c);
	result_free(&a);
	result_free(&b);
	return boots;
}

static void try_suite(struct kept *k, const struct noise *m, gsl_rng *rng)
{
	size_t boots = boots_asked_for(m, rng);
	struct result a = measure(m, boots, 1, 0, rng), b = measure(m, boots, 1, 1, rng);
	struct result slower = measure(m, boots, 1 + threshold / 100, 1, rng);
	struct comparison nothing = compare(&a, &b), something = compare(&a, &slower);

	assert_in_range(boots, POWER_BOOTS_LEAST, POWER_BOOTS_MOST);
	k->suites++;
	k->boots += (double)boots;
	k->alarms += nothing.tally[VERDICT_WORSE] + nothing.tally[VERDICT_BETTER] > 0;
	k->undecided += nothing.tally[VERDICT_UNSURE] > 0;
	k->found += something.pairs[0].difference.verdict == VERDICT_WORSE;
	k->same += something.pairs[0].difference.verdict == VERDICT_SAME;
	compare_free(&nothing);
	compare_free(&something);
	result_free(&a);
	result_free(&b);
	result_free(&slower);
}

static struct kept try_suites(const struct noise *m, unsigned suites)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
	struct kept k = {0};

	gsl_rng_set(rng, 1);
	for (unsigned i = 0; i < suites; i++)
		try_suite(&k, m, rng);
	gsl_rng_free(rng);
	return k;
}

static double percent(unsigned part, const struct kept *k)
{
	return 100 * (double)part / k->suites;
}

static void print_row(const struct noise *m, const struct kept *k)
{
	printf("| %s | %s | %.0f | %.1f%% | %.1f%% | %.1f%% | %.1f%% |\n", m->name, m->what, k->boots / k->suites,
	       percent(k->alarms, k), percent(k->found, k), percent(k->same, k), percent(k->undecided, k));
	fflush(stdout);
}

/* The numbers of a model's row, in the order of print_row(). */
static void documented(const struct noise *m, double out[5])
{
	FILE *in = fopen(TEST_DOCS "/statistics.md", "re");
	char line[512], begin[200];

	assert_non_null(in);
	snprintf(begin, sizeof(begin), "| %s | %s | ", m->name, m->what);
	while (fgets(line, sizeof(line), in)) {
		if (strncmp(line, begin, strlen(begin)))
			continue;
		assert_int_equal(sscanf(line + strlen(begin), "%lf | %lf%% | %lf%% | %lf%% | %lf%% |", &out[0],
					&out[1], &out[2], &out[3], &out[4]),
				 5);
		fclose(in);
		return;
	}
	fail_msg("docs/statistics.md has no row that begins with `%s`", begin);
}

/* A share of a few suites is that of the table, as far as chance goes: four deviations, of 1% at least. */
static void agrees(const struct noise *m, const char *what, unsigned part, const struct kept *k, double wanted)
{
	double share = wanted / 100, deviation = sqrt(fmax(share * (1 - share), 0.01) / k->suites);

	if (fabs(percent(part, k) / 100 - share) > 4 * deviation)
		fail_msg("%s: %s in %.1f%% of the suites, and the table says %.1f%%", m->name, what, percent(part, k),
			 wanted);
}

/* Of all models together there are suites enough to hold them to the promise itself. */
static void add(struct kept *sum, const struct kept *k)
{
	sum->suites += k->suites;
	sum->alarms += k->alarms;
	sum->found += k->found;
	sum->same += k->same;
	sum->undecided += k->undecided;
}

UNIT_TEST(promise)
{
	struct kept sum = {0};

	for (size_t i = 0; i < array_size(noises); i++) {
		const struct noise *m = &noises[i];
		struct kept k = try_suites(m, SUITES_SHORT);
		double wanted[5];

		documented(m, wanted);
		assert_true(wanted[1] <= 1 && wanted[2] >= 95 && wanted[3] <= 1);
		assert_true(fabs(k.boots / k.suites - wanted[0]) < 0.25 * wanted[0] + 1);
		agrees(m, "a false alarm", k.alarms, &k, wanted[1]);
		agrees(m, "the change was found", k.found, &k, wanted[2]);
		agrees(m, "the change was called the same", k.same, &k, wanted[3]);
		agrees(m, "no change was not settled", k.undecided, &k, wanted[4]);
		add(&sum, &k);
	}
	assert_true(percent(sum.alarms, &sum) <= 1 && percent(sum.found, &sum) >= 95);
	assert_true(percent(sum.same, &sum) <= 1 && percent(sum.undecided, &sum) <= 5 * CASES);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(promise)};

	if (argc < 2 || strcmp(argv[1], "--long"))
		return cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < array_size(noises); i++) {
		struct kept k = try_suites(&noises[i], SUITES_LONG);

		print_row(&noises[i], &k);
	}
	return 0;
}
