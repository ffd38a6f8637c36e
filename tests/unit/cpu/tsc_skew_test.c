/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TSCs of two CPUs compared: one that asks, and one that a test plays while the asker waits. */
#include "unit.h"

#include "arch/cpu.h"
#include "platform/fake_log.h"
#include "host.h"

#define N 5

static s64 offset;               /* of the other CPU's TSC */
static unsigned deaf, awake;     /* so many waits pass without an answer; from then on it answers */
static unsigned last, slow_from; /* numbers of questions: none beyond is answered; those from there on are slow */
static bool answering;
static u64 fake_tsc(void);
static void fake_relax(void);

#define arch_tsc() fake_tsc()
#define arch_relax() fake_relax()
#include "cpu/tsc_skew.c"

static u64 fake_tsc(void)
{
	host_tsc += 20;
	return host_tsc + (u64)(answering ? offset : 0);
}

/* The asker waits: the other one's turn. Each transfer of a line takes 100 ticks. */
static void fake_relax(void)
{
	unsigned number = talks[N].question - INVITED, way = number >= slow_from ? 50000 : 100;

	host_tsc += way;
	if (awake++ < deaf || number > last)
		return;
	answering = true;
	answer_once(N);
	answering = false;
	host_tsc += way;
}

UNIT_FIXTURE(setup)
{
	host_reset(4 * MiB);
	fake_log_start();
	host_tsc = 1000000;
	offset = 0;
	bound = 0;
	deaf = awake = 0;
	last = slow_from = QUESTIONS + 1;
	memset(talks, 0, sizeof(talks));
	return 0;
}

static void compare(void)
{
	tsc_skew_invite(N);
	tsc_skew_compare(N);
	assert_false(answer_once(N)); /* let go */
}

UNIT_TEST(test_equal)
{
	compare();
	assert_true(tsc_skew_bound() > 0 && tsc_skew_bound() <= 400);
	assert_true(fake_log_empty());
}

/* The fake machine has 1 GHz: a microsecond is 1000 ticks. */
UNIT_TEST(test_apart)
{
	static const s64 offsets[] = {1500, -1500, 1000000, -1000000, (s64)1 << 40, -((s64)1 << 40)};

	for (unsigned i = 0; i < array_size(offsets); i++) {
		setup(NULL);
		host_tsc = (u64)1 << 41;
		offset = offsets[i];
		compare();
		u64 far = (u64)(offset < 0 ? -offset : offset);
		assert_true(tsc_skew_bound() >= far && tsc_skew_bound() <= far + 400);
		assert_true(fake_log_has(offset > 0 ? "that of CPU 5 is ahead by at least"
						    : "that of CPU 5 is behind by at least"));
	}
}

UNIT_TEST(test_less_than_the_bound_is_no_matter)
{
	static const s64 offsets[] = {900, -900};

	for (unsigned i = 0; i < array_size(offsets); i++) {
		setup(NULL);
		offset = offsets[i];
		compare();
		assert_true(tsc_skew_bound() >= 900 && fake_log_empty());
	}
}

/* The other CPU was away for most of the questions: the best answer counts. */
UNIT_TEST(test_slow_answers_do_not_widen)
{
	deaf = 2000; /* of the first question */
	compare();
	assert_true(tsc_skew_bound() <= 400);
	setup(NULL);
	slow_from = 3;
	compare();
	assert_true(tsc_skew_bound() <= 400);
	assert_true(fake_log_empty());
}

UNIT_TEST(test_nobody_answers)
{
	u64 begin = host_tsc;

	deaf = ~0u;
	compare();
	assert_true(tsc_skew_bound() == ~0ull);
	assert_true(host_tsc - begin <= 1000000 + 1000); /* a millisecond */
	assert_true(fake_log_empty());

	deaf = 0; /* the next one does; what is not known stays unknown */
	compare();
	assert_true(tsc_skew_bound() == ~0ull);
}

/* A CPU that starts again must not be taken for one that has answered already. */
UNIT_TEST(test_again)
{
	compare();
	offset = 5000;
	compare();
	assert_true(tsc_skew_bound() >= 5000 && tsc_skew_bound() <= 5400);
	assert_true(fake_log_has("ahead"));
}

UNIT_TEST(test_answer_of_an_earlier_start)
{
	last = 1;
	compare();
	assert_true(tsc_skew_bound() <= 400);
	last = 0;
	compare();
	assert_true(tsc_skew_bound() == ~0ull);
}

UNIT_TEST(test_not_invited)
{
	tsc_skew_answer(N); /* returns */
	tsc_skew_invite(N);
	tsc_skew_answer(N - 1);
	tsc_skew_answer(N + 1);
	tsc_skew_answer(0);
	assert_true(answer_once(N)); /* waits for a question, and does not answer what was not asked */
	assert_int_equal(talks[N].answered, 0);
}

/* Others are waiting meanwhile, and go on waiting. */
UNIT_TEST(test_several_wait)
{
	tsc_skew_invite(N - 1);
	tsc_skew_invite(N + 1);
	compare();
	assert_true(tsc_skew_bound() <= 400);
	assert_true(answer_once(N - 1) && answer_once(N + 1));
	tsc_skew_compare(N + 1); /* which this test does not play */
	assert_false(answer_once(N + 1));
	assert_true(answer_once(N - 1));
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(equal),
		TEST(apart),
		TEST(less_than_the_bound_is_no_matter),
		TEST(slow_answers_do_not_widen),
		TEST(nobody_answers),
		TEST(again),
		TEST(answer_of_an_earlier_start),
		TEST(not_invited),
		TEST(several_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
