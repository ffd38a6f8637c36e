/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/tsc_skew.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "platform/console.h"

#include <hedron/hip.h>

#define QUESTIONS 10
#define COMPARE_US 1000 /* a question takes less than one of them */
#define WARN_US 1

/* Who is asked, and the number of the question; 0: nobody. A CPU goes as soon as it finds something else than its
 * own. */
static aligned(64) u32 question;

/* Each CPU has its own: one that is late does no harm to the next one. */
static struct answer {
	u64 stamp;
	u32 question; /* that the stamp belongs to */
} answers[HEDRON_CPU_MAX];

static u64 bound;

/* TSC of the other CPU minus ours is in here. */
struct interval {
	s64 low, high;
};

#define NUMBER_SHIFT 8
_Static_assert(QUESTIONS < 1 << NUMBER_SHIFT, "questions fit");

static u32 question_word(unsigned n, u32 number)
{
	return (n + 1) << NUMBER_SHIFT | number;
}

void tsc_skew_invite(unsigned n)
{
	__atomic_store_n(&answers[n].question, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&question, question_word(n, 0), __ATOMIC_RELEASE);
}

/* Answers the question that there is, if it is a new one. False: there will be no more. */
static bool answer_once(unsigned n)
{
	struct answer *a = &answers[n];
	u32 word = __atomic_load_n(&question, __ATOMIC_ACQUIRE);

	if (word >> NUMBER_SHIFT != n + 1)
		return false;
	if (word != question_word(n, 0) && word != a->question) {
		a->stamp = arch_tsc();
		__atomic_store_n(&a->question, word, __ATOMIC_RELEASE);
	}
	return true;
}

void tsc_skew_answer(unsigned n)
{
	while (answer_once(n))
		arch_relax();
}

/* Narrows the interval; false: no answer by then. */
static bool ask(unsigned n, u32 number, u64 end, struct interval *i)
{
	const struct answer *a = &answers[n];
	u32 word = question_word(n, number);
	u64 before = arch_tsc();

	__atomic_store_n(&question, word, __ATOMIC_RELEASE);
	while (__atomic_load_n(&a->question, __ATOMIC_ACQUIRE) != word) {
		if (arch_tsc() > end)
			return false;
		arch_relax();
	}
	s64 low = (s64)(a->stamp - arch_tsc()), high = (s64)(a->stamp - before);
	i->low = low > i->low ? low : i->low;
	i->high = high < i->high ? high : i->high;
	return true;
}

static u64 distance(s64 v)
{
	return (u64)(v < 0 ? -v : v);
}

static void judge(unsigned n, const struct interval *i)
{
	u64 least = i->low > 0 ? distance(i->low) : i->high < 0 ? distance(i->high) : 0;

	bound = max_u64(bound, max_u64(distance(i->low), distance(i->high)));
	if (least > (u64)arch_tsc_khz() * WARN_US / 1000)
		log_warn("TSC: that of CPU %u is %s by at least %lu ticks", n, i->low > 0 ? "ahead" : "behind",
			 least);
}

void tsc_skew_compare(unsigned n)
{
	struct interval i = {INT64_MIN / 2, INT64_MAX / 2};
	u64 end = arch_tsc() + (u64)arch_tsc_khz() * COMPARE_US / 1000;
	u32 number = 1;

	while (number <= QUESTIONS && ask(n, number, end, &i))
		number++;
	__atomic_store_n(&question, 0, __ATOMIC_RELEASE);
	if (number > 1)
		judge(n, &i);
	else
		bound = ~0ull;
}

u64 tsc_skew_bound(void)
{
	return bound;
}
