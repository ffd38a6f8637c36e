/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table-driven tests in a roottask; prints the TEST lines of docs/bench-protocol.md.
 *
 *	static void sm_counts(void) { ASSERT_EQ(hc_sm_up(sm), SUCCESS); }
 *	static const struct test tests[] = {TEST(sm_counts)};
 *	bool main(void) { return test_run("sm", tests, RT_ARRAY(tests)); }
 *
 * The first failure of a test counts. EXPECT* go on behind it; ASSERT* leave the test, that is, return from the
 * function they are in, unless the program knows better (TEST_LEAVE). A panic or an unhandled fault fails the running
 * test and ends the run.
 */
#pragma once

#include "rt/attr.h"
#include "rt/hypercall.h"

#include <stdbool.h>
#include <stddef.h>

struct test {
	const char *name;
	void (*fn)(void);
};

/* clang-format off */
#define TEST(fn) {#fn, fn}
/* clang-format on */

/* Runs all, or those whose names begin like one in "test=NAME,NAME..." on the command line. True if none failed. */
bool test_run(const char *suite, const struct test *tests, size_t n);

/* If set, called instead of each test's function, to surround it with preparation and cleaning up. */
extern void (*test_around)(void (*fn)(void));

void test_fail(const char *file, int line, const char *fmt, ...) RT_PRINTF(3, 4);
void test_skip(const char *why);
bool test_true(bool ok, const char *file, int line, const char *text);
bool test_equal(unsigned long got, unsigned long want, const char *file, int line, const char *text);
bool test_status(enum status got, enum status want, const char *file, int line, const char *text);
bool test_failed(void); /* has the running test failed or been skipped? */

/*
 * The call shall give the status `want`, or SUCCESS; the numbers shall be the same. All of these are true if it is
 * so.
 */
#define EXPECT(x) test_true(!!(x), __FILE__, __LINE__, #x)
#define EXPECT_EQ(got, want) test_equal((unsigned long)(got), (unsigned long)(want), __FILE__, __LINE__, #got)
#define EXPECT_ST(call, want) test_status((call), (want), __FILE__, __LINE__, #call)
#define EXPECT_OK(call) EXPECT_ST(call, SUCCESS)

/*
 * How ASSERT* and SKIP leave a test. A program whose tests run in a frame that can be left from any depth redefines
 * it.
 */
#define TEST_LEAVE return

#define ASSERT_TRUE_(ok)            \
	do {                        \
		if (!(ok))          \
			TEST_LEAVE; \
	} while (0)
#define ASSERT(x) ASSERT_TRUE_(EXPECT(x))
#define ASSERT_EQ(got, want) ASSERT_TRUE_(EXPECT_EQ(got, want))
#define ASSERT_ST(call, want) ASSERT_TRUE_(EXPECT_ST(call, want))
#define ASSERT_OK(call) ASSERT_TRUE_(EXPECT_OK(call))
#define SKIP(why)               \
	do {                    \
		test_skip(why); \
		TEST_LEAVE;     \
	} while (0)
