/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table-driven tests in a roottask; prints the TEST lines of docs/bench-protocol.md.
 *
 *	static void sm_counts(void) { CHECK_EQ(hc_sm_up(sm), SUCCESS); }
 *	static const struct test tests[] = {TEST(sm_counts)};
 *	bool main(void) { return test_run("sm", tests, RT_ARRAY(tests)); }
 *
 * The first failure of a test counts; CHECK* leave the function, which must return void, EXPECT* do not. A panic or
 * an unhandled fault fails the running test and ends the run.
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

#define EXPECT(x) test_true(!!(x), __FILE__, __LINE__, #x)
#define EXPECT_EQ(got, want) test_equal((unsigned long)(got), (unsigned long)(want), __FILE__, __LINE__, #got)
#define EXPECT_ST(call, want) test_status((call), (want), __FILE__, __LINE__, #call)
#define EXPECT_OK(call) EXPECT_ST(call, SUCCESS)

#define TEST_OR_RETURN(x)       \
	do {                    \
		if (!(x))       \
			return; \
	} while (0)
#define CHECK(x) TEST_OR_RETURN(EXPECT(x))
#define CHECK_EQ(got, want) TEST_OR_RETURN(EXPECT_EQ(got, want))
#define CHECK_ST(call, want) TEST_OR_RETURN(EXPECT_ST(call, want))
#define CHECK_OK(call) TEST_OR_RETURN(EXPECT_OK(call))
#define SKIP(why)               \
	do {                    \
		test_skip(why); \
		return;         \
	} while (0)
