/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The measuring loop. What it prints is in bench_report.c. */
#include "rt/bench/bench.h"

#include "rt/bench/bench_frequency.h"
#include "rt/bench/bench_machine.h"
#include "rt/bench/bench_place.h"
#include "rt/bench/bench_report.h"
#include "rt/bench/bench_skew.h"
#include "rt/bench/bench_table.h"
#include "rt/bench/bench_values.h"
#include "rt/cmdline.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/size.h"
#include "rt/thread.h"
#include "rt/trace/trace.h"

static struct {
	const char *why; /* of the first failure of the running case */
	enum status got, want;
	bool wrong_status;
} verdict;

static struct bench_subject running; /* for a panic; without a case if none is running */

static struct {
	const char *name;
	const struct bench_case *const *tables;
	struct rt_ec ec; /* which runs the cases */
	sel_t done;      /* a semaphore: it has run all of them */
	bool exact;      /* a tick is an instruction */
	bool ok;
	uint64_t overhead; /* of an empty window */
	unsigned count;    /* cases to be measured */
} suite;

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

const char *bench_needed(enum status got, const char *call)
{
	if (got == OOM)
		return "the kernel has no memory for it";
	if (got == BAD_HYP)
		return "the kernel does not know this hypercall";
	bench_expect(got, SUCCESS);
	return call;
}

/* The instruction does nothing; Bochs's debugger stops at it, QEMU's at a breakpoint on the symbol. */
__attribute__((naked, noinline)) void bench_mark(void)
{
	__asm__ volatile("xchg %bx, %bx\n\tret");
}

/* Keeps the least value of each group of windows, in the order of time, which shows whether they drift. To be called
 * before the values are sorted. */
static void keep_order(struct bench_sample *s)
{
	for (unsigned group = 0; group < BENCH_ORDER; group++) {
		unsigned from = s->n * group / BENCH_ORDER, to = s->n * (group + 1) / BENCH_ORDER;

		s->order[group] = bench_values_least(&s->values[from], to > from ? to - from : 1);
	}
}

/*
 * A window during which the count of SMIs grew is marked and not left out: the reader decides. The count is read
 * outside of the timed part, because reading it is a hypercall.
 */
static void mark_smi(struct bench_sample *s, uint64_t value, unsigned long *count)
{
	unsigned long now = *count;

	if (!s->smi_known || !bench_machine_smi_count(&now) || now == *count)
		return;
	*count = now;
	if (s->smi_count < BENCH_SMI_MAX)
		s->smi[s->smi_count++] = value;
}

static uint64_t one_window(const struct bench_subject *subject, uint64_t overhead)
{
	uint64_t number = subject->way->window(subject->c);

	return number > overhead ? number - overhead : 0;
}

/*
 * Windows that are added up to one value. Where time is measured, the counter goes in steps, and a thousandth of a
 * value must be a tick or more: a window of 12 ticks says 12 or 13, a hundred of them say 1237. Where instructions
 * are counted, one window tells all.
 */
static unsigned windows_per_value(uint64_t ticks, unsigned most)
{
	unsigned windows = 1;

	while (!suite.exact && windows < most && windows * ticks < BENCH_TICKS_LEAST)
		windows *= 2;
	return windows;
}

/* A time is not divided by its operations, because that would round: the sample says how many there are (`per`). */
static uint64_t value_of(const struct bench_subject *subject, const struct bench_sample *s, unsigned windows)
{
	uint64_t sum = 0;

	while (windows--)
		sum += one_window(subject, s->overhead);
	return s->per > 1 ? sum : sum / s->batch;
}

static void measure(const struct bench_subject *subject, struct bench_sample *s)
{
	unsigned batch = subject->c->batch ? subject->c->batch : 1, windows;
	unsigned long smi = 0;
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < BENCH_WARMUP; i++)
		least = rt_min(least, one_window(subject, s->overhead));
	windows = windows_per_value(least, subject->way->sum_max);
	s->batch = batch * windows;
	s->per = suite.exact ? 1 : s->batch;
	s->smi_count = 0;
	s->smi_known = bench_machine_smi_count(&smi);
	for (unsigned i = 0; i < s->n; i++) {
		s->values[i] = value_of(subject, s, windows);
		mark_smi(s, s->values[i], &smi);
	}
	keep_order(s);
	bench_values_sort(s->values, s->n);
	bench_values_sort(s->smi, s->smi_count);
}

/*
 * One more window between two marks, for profiling/pathcost.py. Caches are as warm as for the windows that are
 * measured, and what is traced contains the two reads of the time.
 */
static void run_marked(const struct bench_case *c)
{
	bench_mark();
	c->window();
	bench_mark();
}

/* What went wrong in the case, or null. The text may be put into text[size]. */
static const char *failure(char *text, size_t size)
{
	if (!verdict.wrong_status)
		return verdict.why;
	rt_snprintf(text, size, "status %s instead of %s%s%s", rt_status(verdict.got), rt_status(verdict.want),
		    verdict.why ? ": " : "", verdict.why ? verdict.why : "");
	return text;
}

static void measure_this_way(const struct bench_subject *subject, struct bench_sample *s)
{
	const struct bench_way *way = subject->way;
	uint64_t usual = s->overhead;

	if (way->overhead)
		s->overhead = way->overhead();
	measure(subject, s);
	s->overhead = usual;
	if (rt_arg("trace", 0) && !way->param)
		run_marked(subject->c);
}

/* The result, if not null, is why the case cannot be measured. */
static const char *attempt(const struct bench_subject *subject, struct bench_sample *s)
{
	const struct bench_case *c = subject->c;
	unsigned index = subject->index;
	const char *skip = c->setup ? c->setup(c->values ? c->values[index] : (long)index) : NULL;

	if (skip) {
		verdict.why = verdict.wrong_status ? skip : NULL;
	} else {
		measure_this_way(subject, s);
		if (c->valid)
			bench_fail(c->valid());
	}
	if (c->teardown)
		c->teardown();
	return skip;
}

/* attempt() between the beginning and the end of the way. */
static const char *attempt_way(const struct bench_subject *subject, struct bench_sample *s)
{
	const struct bench_way *way = subject->way;
	const char *skip = way->begin ? way->begin() : NULL;

	if (skip)
		return skip;
	skip = attempt(subject, s);
	if (way->end)
		way->end();
	return skip;
}

static bool run_one(const struct bench_subject *subject, struct bench_sample *s)
{
	const char *skip, *why;
	char text[120];

	verdict.why = NULL;
	verdict.wrong_status = false;
	running = *subject;
	bench_subject_name(subject, true, text, sizeof(text));
	trace_case_begin(text);
	skip = attempt_way(subject, s);
	trace_case_end();
	why = failure(text, sizeof(text));
	if (why)
		bench_report_fail(subject, why);
	else if (skip)
		bench_report_skip(subject, skip);
	else
		bench_report_sample(subject, s);
	running.c = NULL;
	return !why;
}

/* Can the way be had where time is measured? Then nobody has to ask for it. */
static bool offered(const struct bench_way *way)
{
	if (!way->beside_time || !bench_machine_measures_time() || way->begin())
		return false;
	way->end();
	return true;
}

/* `ways=` names all but the usual one. */
static bool wanted(const struct bench_subject *subject)
{
	const struct bench_way *way = subject->way;
	char name[120];

	if (way->param && !(rt_arg_text("ways") ? rt_arg_selects("ways", way->value) : offered(way)))
		return false;
	bench_subject_name(subject, true, name, sizeof(name));
	return rt_arg_selects("case", name);
}

/* Each case of the suite, with each value of its parameter, in each way, if it is wanted. */
static void for_each_wanted(void (*fn)(const struct bench_subject *subject))
{
	for (const struct bench_case *const *table = suite.tables; *table; table++)
		for (const struct bench_case *c = *table; c->name; c++)
			for (unsigned index = 0; index < (c->count ? c->count : 1); index++)
				for (const struct bench_way *const *way = bench_ways; *way; way++) {
					struct bench_subject subject = {.c = c, .index = index, .way = *way};

					if (wanted(&subject))
						fn(&subject);
				}
}

static void count_subject(RT_UNUSED const struct bench_subject *subject)
{
	suite.count++;
}

static void run_subject(const struct bench_subject *subject)
{
	static uint64_t values[BENCH_WINDOWS_MAX];
	const struct bench_case *c = subject->c;
	unsigned long windows = rt_arg("windows", c->windows ? c->windows : BENCH_WINDOWS);
	struct bench_sample s = {.overhead = suite.overhead, .values = values};

	s.n = (unsigned)rt_min(windows ? windows : 1, BENCH_WINDOWS_MAX);
	suite.ok &= run_one(subject, &s);
}

static void panicked(const char *text)
{
	if (running.c)
		bench_report_fail(&running, text);
	bench_report_end(0);
	bench_table_end();
}

static void run_tables(void)
{
	struct bench_calibration cal;
	struct bench_skew skew = {0};
	char frequency[64];

	bench_machine_init();
	bench_frequency_hold(BENCH_PRIO, frequency);
	for_each_wanted(count_subject);
	bench_table_begin(suite.name, suite.count);
	bench_report_run(suite.name, trace_prepare(), frequency);
	cal = bench_calibrate();
	cal.clock = bench_machine_clock();
	if (bench_machine_measures_time())
		skew = bench_skew_measure(BENCH_PRIO);
	bench_report_calibration(&cal, &skew);
	suite.ok = cal.stable;
	suite.overhead = cal.overhead;
	suite.exact = bench_counts_instructions();
	trace_on();
	for_each_wanted(run_subject);
	trace_off();
	trace_send();
	bench_frequency_release();
	bench_report_end(bench_skew_drift(BENCH_PRIO));
	bench_table_end();
}

/* An unused block on the stack moves the stack of all that is measured (bench_place.h). For all the compiler knows,
 * the asm uses it. */
static void run_suite(RT_UNUSED void *arg)
{
	char *moved = __builtin_alloca(bench_place_stack() + 16);

	__asm__ volatile("" : : "r"(moved) : "memory");
	run_tables();
	RT_MUST(hc_sm_up(suite.done));
}

struct utcb *bench_utcb(void)
{
	return suite.ec.utcb;
}

bool bench_run(const char *name, const struct bench_case *const *tables)
{
	suite.name = name;
	suite.tables = tables;
	suite.ec.cpu = rt_cpu;
	bench_place();
	rt_panic_hook = panicked;
	RT_MUST(rt_sm(&suite.done, 0));
	RT_MUST(rt_thread(&suite.ec, BENCH_PRIO, run_suite, NULL));
	RT_MUST(hc_sm_down(suite.done));
	rt_panic_hook = NULL;
	return suite.ok;
}
