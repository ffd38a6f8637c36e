/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu/tsc_skew.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "platform/console.h"

#include <hedron/hip.h>

#define QUESTIONS 10
#define COMPARE_US 1000 /* a question takes less than one of them */
#define WARN_US 1

/* What the asker and one other CPU say to each other; of each CPU its own, so one that is late does no harm to
 * others. `question` is the asker's, the rest the other CPU's. */
static struct talk {
	aligned(64) u32 question; /* its number, INVITED before the first; LET_GO: none are to come */
	u32 answered;             /* the question to which the stamp belongs */
	u64 stamp;
} talks[HEDRON_CPU_MAX];

enum { LET_GO, INVITED, FIRST_QUESTION };

static u64 bound;

/* TSC of the other CPU minus ours is in here. */
struct interval {
	s64 low, high;
};

void tsc_skew_invite(unsigned n)
{
	__atomic_store_n(&talks[n].answered, LET_GO, __ATOMIC_RELAXED);
	__atomic_store_n(&talks[n].question, INVITED, __ATOMIC_RELEASE);
}

/* Answers the question that there is, if it is a new one. False: there will be no more. */
static bool answer_once(unsigned n)
{
	struct talk *t = &talks[n];
	u32 question = __atomic_load_n(&t->question, __ATOMIC_ACQUIRE);

	if (question >= FIRST_QUESTION && question != t->answered) {
		t->stamp = arch_tsc();
		__atomic_store_n(&t->answered, question, __ATOMIC_RELEASE);
	}
	return question != LET_GO;
}

void tsc_skew_answer(unsigned n)
{
	while (answer_once(n))
		arch_relax();
}

/* Narrows the interval; false: no answer by then. */
static bool ask(struct talk *t, u32 question, u64 end, struct interval *i)
{
	u64 before = arch_tsc();

	__atomic_store_n(&t->question, question, __ATOMIC_RELEASE);
	while (__atomic_load_n(&t->answered, __ATOMIC_ACQUIRE) != question) {
		if (arch_tsc() > end)
			return false;
		arch_relax();
	}
	s64 low = (s64)(t->stamp - arch_tsc()), high = (s64)(t->stamp - before);
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
	u32 question = FIRST_QUESTION;

	while (question < FIRST_QUESTION + QUESTIONS && ask(&talks[n], question, end, &i))
		question++;
	__atomic_store_n(&talks[n].question, LET_GO, __ATOMIC_RELEASE);
	if (question > FIRST_QUESTION)
		judge(n, &i);
	else
		bound = ~0ull;
}

u64 tsc_skew_bound(void)
{
	return bound;
}
