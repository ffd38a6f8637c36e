/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The measuring loop. What it prints is in bench_report.c. */
#include "bench_internal.h"

#define CALIBRATION_BATCHES 16
#define CALIBRATION_WINDOWS 256
#define CALIBRATION_AGREE 4 /* batches that must find the same minimum */

static struct {
	const char *why; /* of the first failure of the running case */
	enum status got, want;
	bool wrong_status;
} verdict;

void bench_expect(enum status got, enum status want)
{
	if (got == want || verdict.why || verdict.wrong_status)
		return;
	verdict.wrong_status = true;
	verdict.got = got;
	verdict.want = want;
}

void bench_fail(const char *why)
{
	if (!verdict.wrong_status && !verdict.why)
		verdict.why = why;
}

/* Never inlined, like the windows of the cases. */
static __attribute__((noinline)) uint64_t empty_window(void)
{
	return BENCH((void)0);
}

static uint64_t least(uint64_t (*window)(void), unsigned n, uint64_t *most)
{
	uint64_t min = UINT64_MAX;

	while (n--) {
		uint64_t t = window();

		min = t < min ? t : min;
		*most = t > *most ? t : *most;
	}
	return min;
}

static struct bench_calibration calibrate(void)
{
	struct bench_calibration c = {.overhead = UINT64_MAX};
	uint64_t min[CALIBRATION_BATCHES], ignored = 0;
	unsigned agree = 0;

	least(empty_window, CALIBRATION_WINDOWS, &ignored);
	for (unsigned i = 0; i < CALIBRATION_BATCHES; i++) {
		min[i] = least(empty_window, CALIBRATION_WINDOWS, &c.overhead_max);
		c.overhead = min[i] < c.overhead ? min[i] : c.overhead;
	}
	for (unsigned i = 0; i < CALIBRATION_BATCHES; i++)
		agree += min[i] == c.overhead;
	c.stable = agree >= CALIBRATION_AGREE;
	return c;
}

/* Shell sort: no recursion, and fast enough for BENCH_WINDOWS_MAX. */
static void sort(uint64_t *v, unsigned n)
{
	static const unsigned gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};

	for (unsigned g = 0; g < RT_ARRAY(gaps); g++) {
		for (unsigned i = gaps[g]; i < n; i++) {
			uint64_t x = v[i];
			unsigned j = i;

			for (; j >= gaps[g] && v[j - gaps[g]] > x; j -= gaps[g])
				v[j] = v[j - gaps[g]];
			v[j] = x;
		}
	}
}

static void measure(const struct bench_case *c, struct bench_sample *s)
{
	unsigned batch = c->batch ? c->batch : 1;

	for (unsigned i = 0; i < BENCH_WARMUP; i++)
		c->window();
	for (unsigned i = 0; i < s->n; i++) {
		uint64_t t = c->window();

		s->values[i] = t > s->overhead ? (t - s->overhead) / batch : 0;
	}
	sort(s->values, s->n);
}

static const char *failure(const struct bench_case *c, char *text, size_t size)
{
	const char *wrong = c->valid ? c->valid() : NULL;

	if (verdict.wrong_status) {
		rt_snprintf(text, size, "status %s instead of %s", rt_status(verdict.got), rt_status(verdict.want));
		return text;
	}
	return verdict.why ? verdict.why : wrong;
}

static bool run_one(const struct bench_case *c, unsigned index, struct bench_sample *s)
{
	const char *why, *skip = c->setup ? c->setup(c->values ? c->values[index] : (long)index) : NULL;
	char text[80];

	verdict.why = NULL;
	verdict.wrong_status = false;
	if (!skip)
		measure(c, s);
	why = skip ? NULL : failure(c, text, sizeof(text));
	if (c->teardown)
		c->teardown();

	if (skip)
		bench_report_skip(c, index, skip);
	else if (why)
		bench_report_fail(c, index, why);
	else
		bench_report_sample(c, index, s);
	return !why;
}

static bool wanted(const struct bench_case *c)
{
	const char *only = rt_arg_text("case");
	size_t n = 0;

	while (only && only[n] && only[n] != ' ')
		n++;
	return !n || !strncmp(c->name, only, n);
}

bool bench_run(const char *suite, const struct bench_case *cases, size_t n)
{
	static uint64_t values[BENCH_WINDOWS_MAX];
	struct bench_calibration cal;
	bool ok;

	bench_report_run(suite);
	cal = calibrate();
	bench_report_calibration(&cal);
	ok = cal.stable;
	for (size_t i = 0; i < n; i++) {
		const struct bench_case *c = &cases[i];
		unsigned long windows = rt_arg("windows", c->windows ? c->windows : BENCH_WINDOWS);
		struct bench_sample s = {cal.overhead, (unsigned)rt_min(windows ? windows : 1, BENCH_WINDOWS_MAX),
					 values};

		for (unsigned p = 0; wanted(c) && p < (c->count ? c->count : 1); p++)
			ok &= run_one(c, p, &s);
	}
	bench_report_end();
	return ok;
}
