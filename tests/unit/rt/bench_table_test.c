/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of a suite on screens of all sizes: no row is too long, no page too high, and every case is there. */
#include "unit.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>

#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/exit.h"
#include "rt/hip.h"
#include "rt/screen.h"

#define CASES 64
#define PAGES_MAX 70

static struct hip information = {.freq_tsc = 1000000};
static struct {
	unsigned columns, rows;
	unsigned page;              /* counts how often it was cleared */
	char text[PAGES_MAX][8192]; /* of each page; before the first it is what was shown while the suite ran */
	uint64_t tsc, ticks;        /* ticks: after how many the look at the pages ends */
	jmp_buf end;
} screen;

static uint64_t fake_rdtsc(void)
{
	screen.tsc += 1000000000;
	if (screen.page >= PAGES_MAX - 1)
		longjmp(screen.end, 1);
	return screen.tsc;
}

#define rt_rdtsc fake_rdtsc
#include "rt/bench/bench_table.c"
#include "rt/fmt.c"

/* The rest of the runtime, as far as it is needed here. */
const struct hip *rt_hip = &information;
void (*rt_exit_hook)(void);
unsigned rt_screen_columns(void)
{
	return screen.columns;
}
unsigned rt_screen_rows(void)
{
	return screen.rows;
}
void rt_show_clear(void)
{
	screen.page++;
	screen.text[screen.page][0] = '\0';
}
void rt_show(const char *fmt, ...)
{
	size_t used = strlen(screen.text[screen.page]);
	va_list ap;

	assert_true(screen.columns);
	va_start(ap, fmt);
	rt_vsnprintf(screen.text[screen.page] + used, sizeof(screen.text[0]) - used, fmt, ap);
	va_end(ap);
}

static const char *name_of(unsigned n)
{
	static char name[64];

	snprintf(name, sizeof(name), "case_number_%u/words:%u", n, n * n);
	return name;
}

static void run_suite(unsigned columns, unsigned rows)
{
	memset(&screen, 0, sizeof(screen));
	rt_exit_hook = NULL;
	screen.columns = columns;
	screen.rows = rows;
	bench_table_begin("suite", CASES);
	for (unsigned n = 0; n < CASES; n++)
		if (n == 7)
			bench_table_word(name_of(n), "skip",
					 "this machine has one CPU only, and this takes as many words as do not fit");
		else if (n == 9)
			bench_table_word(name_of(n), "fail", "no");
		else
			bench_table_number(name_of(n), n * 1234567ull, n * 12345678901ull, n * 1000000ull);
	bench_table_end();
}

/* Turns all pages until they begin anew. */
static void read_on(void)
{
	if (rt_exit_hook && !setjmp(screen.end))
		rt_exit_hook();
}

static void fits(const char *text, unsigned rows)
{
	unsigned lines = 0;

	while (*text) {
		size_t length = strcspn(text, "\n");
		assert_true(length <= screen.columns);
		assert_int_equal(text[length], '\n');
		text += length + 1;
		lines++;
	}
	assert_true(lines <= rows);
}

static bool shown(const char *what)
{
	for (unsigned page = 1; page <= screen.page; page++)
		if (strstr(screen.text[page], what))
			return true;
	return false;
}

UNIT_TEST(fits_every_screen)
{
	static const unsigned sizes[][2] = {{80, 15},  {80, 14},  {100, 21}, {120, 28}, {160, 30},
					    {239, 45}, {240, 45}, {480, 90}, {40, 10}};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		run_suite(sizes[i][0], sizes[i][1]);
		fits(screen.text[0], ~0u);
		read_on();
		for (unsigned page = 1; page <= screen.page; page++)
			fits(screen.text[page], sizes[i][1] - 1);
		for (unsigned n = 0; n < CASES; n++) {
			char wanted[70];
			snprintf(wanted, sizeof(wanted), "%s ", name_of(n));
			assert_true(sizes[i][0] < 50 || shown(wanted));
		}
	}
}

UNIT_TEST(progress)
{
	run_suite(80, 15);
	assert_non_null(strstr(screen.text[0], "suite: 64 cases\n"));
	assert_non_null(strstr(screen.text[0], "\n  1/64 case_number_0/words:0 "));
	assert_non_null(strstr(screen.text[0], "   1234.5 12345678     1000\n"));
	assert_non_null(strstr(screen.text[0], "  skip: this machine has"));
}

UNIT_TEST(whole_table)
{
	run_suite(240, 45);
	assert_null(rt_exit_hook); /* all of it is there */
	assert_int_equal(screen.page, 1);
	assert_non_null(strstr(screen.text[1], "suite has ended: 62 measured, 1 failed, 1 skipped; min, p50\n"));
	assert_non_null(strstr(screen.text[1], "case_number_7/words:49        skip"));
	assert_non_null(strstr(screen.text[1], "case_number_9/words:81        fail"));
}

UNIT_TEST(pages)
{
	run_suite(80, 15);
	assert_non_null(strstr(screen.text[1], "; page 1 of 5\n"));
	read_on();
	assert_non_null(strstr(screen.text[2], "; page 1 of 5\n"));
	assert_non_null(strstr(screen.text[3], "; page 2 of 5\n"));
	assert_non_null(strstr(screen.text[6], "; page 5 of 5\n"));
	assert_non_null(strstr(screen.text[7], "; page 1 of 5\n"));
}

UNIT_TEST(numbers)
{
	static const struct {
		uint64_t thousandths;
		const char *text;
	} cases[] = {{0, "        0"},           {1, "      0.0"},         {1999, "      1.9"},
		     {99999999, "  99999.9"},    {100000999, "   100000"}, {99999999999, " 99999999"},
		     {100000000000, "     100M"}};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[20];
		add_number(text, cases[i].thousandths);
		assert_string_equal(text, cases[i].text);
	}
}

/* As on machines without a screen: nothing is shown, which rt_show() would notice. */
UNIT_TEST(no_screen)
{
	run_suite(0, 0);
	assert_null(rt_exit_hook);
}

UNIT_TEST(more_than_fit)
{
	run_suite(120, 28);
	bench_table_begin("suite", 2 * ROWS_MAX);
	for (unsigned n = 0; n < 2 * ROWS_MAX; n++)
		bench_table_number(name_of(n), n, n, n);
	bench_table_end();
	assert_non_null(strstr(screen.text[2], "640 measured"));
	assert_non_null(strstr(screen.text[2], "some are left out"));
	fits(screen.text[2], 27);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fits_every_screen), cmocka_unit_test(progress),
					   cmocka_unit_test(whole_table),       cmocka_unit_test(pages),
					   cmocka_unit_test(numbers),           cmocka_unit_test(no_screen),
					   cmocka_unit_test(more_than_fit)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
