/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/test.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/fmt.h"
#include "rt/panic.h"

static struct {
	const char *suite, *name; /* name: of the running test, else null */
	bool failed, skipped;
	unsigned passes, failures, skips;
} run;

void (*test_around)(void (*fn)(void));

bool test_failed(void)
{
	return run.failed || run.skipped;
}

/* Other ECs may report, too, so a line is one write, and of several failures the first is told. */
void test_fail(const char *file, int line, const char *fmt, ...)
{
	char what[300];
	va_list ap;

	if (!run.name || __atomic_exchange_n(&run.failed, true, __ATOMIC_RELAXED))
		return;
	va_start(ap, fmt);
	rt_vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	rt_printf("TEST %s/%s: FAIL %s:%d %s\n", run.suite, run.name, file, line, what);
}

void test_skip(const char *why)
{
	if (test_failed())
		return;
	run.skipped = true;
	rt_printf("TEST %s/%s: SKIP %s\n", run.suite, run.name, why);
}

bool test_true(bool ok, const char *file, int line, const char *text)
{
	if (!ok)
		test_fail(file, line, "expected %s", text);
	return ok;
}

bool test_equal(unsigned long got, unsigned long want, const char *file, int line, const char *text)
{
	if (got != want)
		test_fail(file, line, "%s: expected %#lx, got %#lx", text, want, got);
	return got == want;
}

bool test_status(enum status got, enum status want, const char *file, int line, const char *text)
{
	if (got != want)
		test_fail(file, line, "%s: expected %s, got %s", text, rt_status(want), rt_status(got));
	return got == want;
}

static void run_one(const struct test *t)
{
	run.name = t->name;
	run.failed = run.skipped = false;
	if (test_around)
		test_around(t->fn);
	else
		t->fn();
	if (run.failed) {
		run.failures++;
	} else if (run.skipped) {
		run.skips++;
	} else {
		run.passes++;
		rt_printf("TEST %s/%s: PASS\n", run.suite, run.name);
	}
	run.name = NULL;
}

static void finish(void)
{
	rt_printf("TEST-END %u %u %u\n", run.passes, run.failures, run.skips);
}

static void panicked(const char *text)
{
	if (run.name) {
		test_fail("panic", 0, "%s", text);
		run.failures++;
	}
	finish();
}

bool test_run(const char *suite, const struct test *tests, size_t n)
{
	run.suite = suite;
	rt_panic_hook = panicked;
	for (size_t i = 0; i < n; i++)
		if (rt_arg_selects("test", tests[i].name))
			run_one(&tests[i]);
	finish();
	rt_panic_hook = NULL;
	return !run.failures;
}
