/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's printf against the C library's: all combinations of flags, width, precision, length and conversion. */
#include "unit.h"

#include <limits.h>
#include <stdio.h>

#include "lib/format.h"

static char got[256], wanted[256];

/* Formats with both; texts and lengths must agree. */
#define SAME(...)                                                                     \
	do {                                                                          \
		int length = snprintf(wanted, sizeof(wanted), __VA_ARGS__);           \
		assert_int_equal(format_text(got, sizeof(got), __VA_ARGS__), length); \
		assert_string_equal(got, wanted);                                     \
	} while (0)

#define IS(text, ...)                                                                       \
	do {                                                                                \
		assert_int_equal(format_text(got, sizeof(got), __VA_ARGS__), strlen(text)); \
		assert_string_equal(got, text);                                             \
	} while (0)

static const char *const flags[] = {"", "-", "0", "#", "#0", "-#"};
static const char *const widths[] = {"", "1", "7", "25"};
static const char *const precisions[] = {"", ".", ".1", ".6", ".22"};

typedef void (*spec_fn)(const char *flags, const char *width, const char *precision);

static void for_all_specs(spec_fn fn)
{
	for (unsigned f = 0; f < array_size(flags); f++)
		for (unsigned w = 0; w < array_size(widths); w++)
			for (unsigned p = 0; p < array_size(precisions); p++)
				fn(flags[f], widths[w], precisions[p]);
}

static const u64 numbers[] = {
	0,           1,
	9,           10,
	15,          16,
	127,         128,
	255,         256,
	32767,       32768,
	65535,       65536,
	0x12345678,  INT32_MAX,
	0x80000000,  UINT32_MAX,
	0x100000000, 0x123456789abcdef0,
	INT64_MAX,   0x8000000000000000,
	UINT64_MAX,
};

static void check_conversion(const char *spec, char conversion)
{
	static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z"};

	for (unsigned l = 0; l < array_size(lengths); l++)
		for (unsigned n = 0; n < array_size(numbers); n++) {
			char fmt[64];
			snprintf(fmt, sizeof(fmt), "<%s%s%c>", spec, lengths[l], conversion);
			if (l < 3)
				SAME(fmt, (unsigned)numbers[n]);
			else
				SAME(fmt, numbers[n]);
		}
}

static void check_integers(const char *flag, const char *width, const char *precision)
{
	char spec[32];

	snprintf(spec, sizeof(spec), "%%%s%s%s", flag, width, precision);
	for (const char *c = strchr(flag, '#') ? "xX" : "diuxX"; *c; c++)
		check_conversion(spec, *c);
}

UNIT_TEST(test_integers)
{
	for_all_specs(check_integers);
}

static void check_strings(const char *flag, const char *width, const char *precision)
{
	char fmt[32];

	if (strchr(flag, '0') || strchr(flag, '#'))
		return; /* without a meaning for strings */
	snprintf(fmt, sizeof(fmt), "<%%%s%s%ss>", flag, width, precision);
	SAME(fmt, "");
	SAME(fmt, "x");
	SAME(fmt, "0123456789");
	snprintf(fmt, sizeof(fmt), "<%%%s%sc>", flag, width);
	SAME(fmt, 'x');
}

UNIT_TEST(test_strings)
{
	for_all_specs(check_strings);
}

UNIT_TEST(test_star)
{
	for (int width = -12; width <= 12; width++)
		for (int precision = -2; precision <= 8; precision++) {
			SAME("<%*.*s>", width, precision, "hello");
			SAME("<%*.*d>", width, precision, -42);
			SAME("<%.*s|%*u>", precision, "abc", width, 7u);
		}
}

/* %.*s is how text without a NUL is printed: the sanitizer watches what is read. */
UNIT_TEST(test_unterminated_string)
{
	const char text[4] = {'A', 'P', 'I', 'C'};
	IS("[APIC]", "[%.*s]", 4, text);
	IS("[APIC]", "[%.4s]", text);
}

UNIT_TEST(test_pointer)
{
	SAME("%p", (void *)0xdeadbeef);
	SAME("<%20p>", (void *)0xffffffff80000000);
	SAME("<%-20p>", (void *)1);
	IS("0x0", "%p", NULL);
}

UNIT_TEST(test_null_string)
{
	const char *volatile none = NULL;
	IS("<(null)>", "<%s>", none);
}

UNIT_TEST(test_percent_and_text)
{
	SAME("%s", "");
	SAME("100%%");
	SAME("a%db%sc%xd", 1, "2", 3u);
}

UNIT_TEST(test_unknown_conversions_are_copied)
{
	static const char *const same[] = {"%y", "%", "a%", "%5", "%-08.3lq!", "%.", "%l", "%hhhhh", "%99999999999y"};

	for (unsigned i = 0; i < array_size(same); i++)
		IS(same[i], same[i], 0);
}

/* A buffer that is too small: the text is cut, the end is a NUL, the length is that of the whole, nothing beyond is
 * written. */
UNIT_TEST(test_truncation)
{
	for (size_t size = 0; size < 20; size++) {
		memset(got, '~', sizeof(got));
		assert_int_equal(format_text(got, size, "%s-%d", "hello", 12345), 11);
		snprintf(wanted, size ? size : 1, "hello-12345");
		if (size)
			assert_string_equal(got, wanted);
		for (size_t i = size < 12 ? size : 12; i < sizeof(got); i++)
			assert_int_equal(got[i], '~');
	}
	assert_int_equal(format_text(NULL, 0, "%d", 12345), 5);
}

/* Widths out of all proportion cost a bounded amount of time and no memory. */
UNIT_TEST(test_huge_width)
{
	const char *volatile huge = "%999999999999999999d", *volatile precise = "%.999999999999999999d";
	volatile int most = INT_MIN; /* the compiler warns of what it can see */

	assert_true(format_text(got, sizeof(got), huge, 1) < 1000000);
	assert_int_equal(strlen(got), sizeof(got) - 1);
	assert_true(format_text(got, sizeof(got), precise, 1) < 1000000);
	assert_int_equal(strlen(got), sizeof(got) - 1);
	assert_true(format_text(got, sizeof(got), "%*d", most, 1) < 1000000);
	assert_int_equal(got[0], '1');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_star),
		cmocka_unit_test(test_unterminated_string),
		cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_null_string),
		cmocka_unit_test(test_percent_and_text),
		cmocka_unit_test(test_unknown_conversions_are_copied),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_huge_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
