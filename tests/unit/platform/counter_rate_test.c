/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measurements with counters of a fake machine whose TSC runs at a known rate: what is right, and what each fault of
 * a counter and each interruption comes to.
 */
#include "unit.h"

#include "host.h"
#include "lib/bits.h"
#include "platform/counter_rate.h"

#define KHZ 2500000ull
#define LOOK_TICKS 2500 /* one microsecond: what a port access takes */
#define HICCUP (KHZ * 20)

static unsigned starts, stops, looks;
static u64 offset;         /* added to each count */
static u64 stuck_from;     /* TSC from which on the counter stands still */
static unsigned hiccup_at; /* number of a look in which the CPU is away for a while, 0: never */
static unsigned hiccup_every;
static unsigned glitch_at; /* number of the first look with a wrong count */
static unsigned glitches;
static unsigned invalid_at; /* number of a look that is invalid, and all after it */
static u64 pause_after;     /* ticks that are lost after each look, outside of it */

static bool start(struct counter *c)
{
	starts++;
	return c->place;
}

static bool look(const struct counter *c, struct counter_look *l)
{
	looks++;
	l->before = host_tsc;
	host_tsc += LOOK_TICKS / 2;
	l->count = (min_u64(host_tsc, stuck_from) * c->hz / (KHZ * 1000) + offset) & bits_low(c->bits);
	if (glitch_at && looks >= glitch_at && looks < glitch_at + glitches)
		l->count = (l->count + c->hz / 1000) & bits_low(c->bits); /* a millisecond ahead */
	if (looks == hiccup_at || (hiccup_every && looks % hiccup_every))
		host_tsc += HICCUP;
	host_tsc += LOOK_TICKS / 2;
	l->after = host_tsc;
	host_tsc += pause_after;
	return !invalid_at || looks < invalid_at;
}

static void stop(const struct counter *c)
{
	(void)c;
	stops++;
}

static struct counter fake(u64 hz, unsigned bits)
{
	return (struct counter){"fake", hz, bits, 1, 0, start, look, stop};
}

UNIT_FIXTURE(setup)
{
	host_reset(4 * MiB);
	starts = stops = looks = hiccup_at = hiccup_every = glitch_at = glitches = invalid_at = 0;
	offset = pause_after = 0;
	stuck_from = ~0ull;
	return 0;
}

static struct counter_rate measure(u64 hz, unsigned bits)
{
	struct counter c = fake(hz, bits);
	struct counter_rate r;

	counter_rate_measure(&c, &r, 1);
	assert_int_equal(starts, stops);
	return r;
}

static void assert_right(struct counter_rate r)
{
	assert_int_equal(r.verdict, COUNTER_GOOD);
	assert_true(r.ppm > 0 && r.ppm < 1000);
	assert_true(counter_rate_apart(r.khz, KHZ) <= r.ppm);
}

UNIT_TEST(test_right)
{
	static const struct {
		u64 hz;
		unsigned bits;
	} kinds[] = {{1193182, 16}, {3579545, 24}, {3579545, 32}, {14318179, 32}, {100000000, 32}, {1000000000, 32}};

	for (unsigned i = 0; i < array_size(kinds); i++) {
		setup(NULL);
		assert_right(measure(kinds[i].hz, kinds[i].bits));
		assert_int_equal(starts, 1);
		assert_true(host_tsc < KHZ * 11); /* milliseconds */
	}
}

UNIT_TEST(test_count_starts_over)
{
	for (u64 back = 1; back < 40000; back += 3000) { /* at each place of the measurement */
		setup(NULL);
		offset = (1 << 24) - back;
		assert_right(measure(3579545, 24));
	}
}

UNIT_TEST(test_absent)
{
	struct counter c = fake(3579545, 24);
	struct counter_rate r;

	c.place = 0;
	counter_rate_measure(&c, &r, 1);
	assert_int_equal(r.verdict, COUNTER_ABSENT);
	assert_int_equal(r.khz, 0);
	assert_int_equal(looks, 0);
	assert_int_equal(stops, 0);
	counter_rate_measure(NULL, NULL, 0);
}

UNIT_TEST(test_stuck_costs_little)
{
	stuck_from = 0;
	struct counter_rate r = measure(1193182, 16);
	assert_int_equal(r.verdict, COUNTER_STUCK);
	assert_int_equal(r.khz, 0);
	assert_true(host_tsc < KHZ * 2); /* 1000 microseconds of looks and a little */
	assert_int_equal(starts, 1);
}

UNIT_TEST(test_stops_in_the_middle)
{
	for (unsigned ms = 1; ms < 10; ms += 2) {
		setup(NULL);
		stuck_from = KHZ * ms;
		struct counter_rate r = measure(3579545, 24);
		assert_true(r.verdict == COUNTER_UNSTEADY || r.verdict == COUNTER_STUCK);
		assert_int_equal(r.khz, 0);
		assert_true(host_tsc < KHZ * 60);
	}
}

/* Each look in turn, those of the marks and those of the waiting: nothing comes of it. */
UNIT_TEST(test_hiccup_within_a_look)
{
	for (unsigned at = 1; at < 12000; at += at < 20 ? 1 : at % 97 + 13) {
		setup(NULL);
		hiccup_at = at;
		assert_right(measure(3579545, 24));
	}
}

/* Four of five looks are loose: the fifth counts. */
UNIT_TEST(test_hiccup_in_most_looks)
{
	hiccup_every = 5;
	assert_right(measure(14318179, 32));
}

/* The measurement is a long one, but both clocks know. */
UNIT_TEST(test_busy_host_between_looks)
{
	pause_after = KHZ / 2;
	assert_right(measure(3579545, 24));
	assert_true(starts == 1);
}

UNIT_TEST(test_every_look_is_loose)
{
	hiccup_every = 1000000;
	struct counter_rate r = measure(3579545, 24);
	assert_int_equal(r.verdict, COUNTER_UNSTEADY);
	assert_int_equal(r.khz, 0);
	assert_int_equal(starts, 3);
	assert_true(host_tsc < HICCUP * 200);
}

/* A wrong first mark makes the spans differ; the next round is right. */
UNIT_TEST(test_spans_have_to_agree)
{
	glitch_at = 1;
	glitches = 5;
	assert_right(measure(3579545, 24));
	assert_int_equal(starts, 2);
}

UNIT_TEST(test_invalid_look)
{
	for (unsigned at = 1; at < 10; at++) {
		setup(NULL);
		invalid_at = at;
		assert_int_equal(measure(1193182, 16).verdict, COUNTER_UNSTEADY);
		assert_int_equal(starts, 3);
	}
}

UNIT_TEST(test_nonsense_is_none)
{
	static const u64 hz[] = {1, 100, 400000000000}; /* 2.5 GHz would be far outside by these */

	for (unsigned i = 0; i < array_size(hz); i++) {
		struct counter c = fake(3579545, 24);
		struct counter_rate r;

		setup(NULL);
		c.hz = hz[i];
		counter_rate_measure(&c, &r, 1);
		assert_int_not_equal(r.verdict, COUNTER_GOOD);
		assert_int_equal(r.khz, 0);
	}
}

/* One that stands still does not keep the others from being right, whatever the order. */
UNIT_TEST(test_several_at_once)
{
	for (unsigned absent = 0; absent < 3; absent++) {
		setup(NULL);
		struct counter c[] = {fake(1193182, 16), fake(3579545, 24), fake(14318179, 32)};
		struct counter_rate r[3];

		c[absent].place = 0;
		counter_rate_measure(c, r, 3);
		for (unsigned i = 0; i < 3; i++)
			if (i == absent)
				assert_int_equal(r[i].verdict, COUNTER_ABSENT);
			else
				assert_right(r[i]);
		assert_true(host_tsc < KHZ * 11);
	}
}

UNIT_TEST(test_stuck_among_others)
{
	for (unsigned stuck = 0; stuck < 3; stuck++) {
		setup(NULL);
		struct counter c[] = {fake(1193182, 16), fake(3579545, 24), fake(14318179, 32)};
		struct counter_rate r[3];

		c[stuck].bits = 0; /* always reads as 0 */
		counter_rate_measure(c, r, 3);
		for (unsigned i = 0; i < 3; i++)
			if (i == stuck)
				assert_int_equal(r[i].verdict, COUNTER_STUCK);
			else
				assert_right(r[i]);
		assert_true(host_tsc < KHZ * 13);
	}
}

UNIT_TEST(test_apart)
{
	assert_int_equal(counter_rate_apart(1000, 1000), 0);
	assert_int_equal(counter_rate_apart(1000000, 1001000), 1000);
	assert_int_equal(counter_rate_apart(1001000, 1000000), 1000);
	assert_int_equal(counter_rate_apart(1, ~0u), ~0u);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(right),
		TEST(count_starts_over),
		TEST(absent),
		TEST(stuck_costs_little),
		TEST(stops_in_the_middle),
		TEST(hiccup_within_a_look),
		TEST(hiccup_in_most_looks),
		TEST(busy_host_between_looks),
		TEST(every_look_is_loose),
		TEST(spans_have_to_agree),
		TEST(invalid_look),
		TEST(nonsense_is_none),
		TEST(several_at_once),
		TEST(stuck_among_others),
		TEST(apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
