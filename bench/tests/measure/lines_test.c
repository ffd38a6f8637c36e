/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "measure/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen {
	char text[64];
	size_t count, last_len;
	bool last_cut;
};

static void on_line(void *context, const char *line, size_t len, bool cut)
{
	struct seen *seen = context;

	seen->count++;
	seen->last_len = len;
	seen->last_cut = cut;
	snprintf(seen->text, sizeof(seen->text), "%.*s", (int)(len < 60 ? len : 60), line);
}

static void feed(struct lines *lines, struct seen *seen, const char *text)
{
	lines_feed(lines, text, strlen(text), on_line, seen);
}

UNIT_TEST(joins_pieces)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	struct seen seen = {0};

	feed(lines, &seen, "hel");
	assert_int_equal(seen.count, 0);
	feed(lines, &seen, "lo\r\n\nwor");
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.last_len, 0);
	feed(lines, &seen, "ld");
	lines_finish(lines, on_line, &seen);
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.text, "world");
	lines_finish(lines, on_line, &seen);
	assert_int_equal(seen.count, 3);
	free(lines);
}

UNIT_TEST(strips_carriage_returns_at_the_end_only)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	struct seen seen = {0};

	feed(lines, &seen, "a\rb\r\r\n");
	assert_string_equal(seen.text, "a\rb");
	free(lines);
}

UNIT_TEST(cuts_endless_lines)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	struct seen seen = {0};

	for (int i = 0; i < 100000; i++)
		feed(lines, &seen, "0123456789");
	assert_int_equal(seen.count, 0);
	feed(lines, &seen, "\nshort\n");
	assert_int_equal(seen.count, 2);
	assert_false(seen.last_cut);
	assert_string_equal(seen.text, "short");
	for (int i = 0; i < LINES_MAX + 1; i++)
		feed(lines, &seen, "x");
	feed(lines, &seen, "\n");
	assert_true(seen.last_cut);
	assert_int_equal(seen.last_len, LINES_MAX);
	free(lines);
}

UNIT_TEST(keeps_zero_bytes)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	struct seen seen = {0};

	lines_feed(lines, "a\0b\n", 4, on_line, &seen);
	assert_int_equal(seen.last_len, 3);
	free(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_pieces),
		cmocka_unit_test(strips_carriage_returns_at_the_end_only),
		cmocka_unit_test(cuts_endless_lines),
		cmocka_unit_test(keeps_zero_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
