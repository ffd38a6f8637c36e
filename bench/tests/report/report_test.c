/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/table.h"
#include "report/report.h"

#include "build.h"

#include <string.h>

UNIT_TEST(table_text)
{
	static const char *const titles[] = {"name", ">value", "note", NULL};
	struct table *table = table_create(titles);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	table_cell(table, COLOUR_NONE, "a");
	table_cell(table, COLOUR_GOOD, "%d", 12345678);
	table_cell(table, COLOUR_NONE, "x|y");
	table_cell(table, COLOUR_NONE, "longer");
	table_cell(table, COLOUR_NONE, "1");
	table_cell(table, COLOUR_NONE, "%s", "");
	table_print(table, out, false);
	table_print_markdown(table, out);
	fclose(out);
	assert_string_equal(text, "name       value  note\n"
				  "a       12345678  x|y\n"
				  "longer         1\n"
				  "| name | value | note |\n"
				  "|---|---:|---|\n"
				  "| a | 12345678 | x\\|y |\n"
				  "| longer | 1 |  |\n");
	free(text);
	table_free(table);
}

UNIT_TEST(table_colours)
{
	static const char *const titles[] = {"n", NULL};
	struct table *table = table_create(titles);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	table_cell(table, COLOUR_BAD, "w");
	table_print(table, out, true);
	fclose(out);
	assert_string_equal(text, "\033[1mn\033[0m\n\033[31mw\033[0m\n");
	free(text);
	table_free(table);
}

static void fill(struct result *r, const char *name, uint64_t value)
{
	result_init(r, "qemu-icount-max", "ipc", "instructions");
	result_set_text(r, "date", "2024-01-01T00:00:00+00:00");
	result_set_text(r, "kernel_boot_line", "Hedron <\"&'> \033[2J");
	build_constant(r, name, value, 4);
	build_constant(r, "ipc/same", 5, 4);
	build_constant(r, "ipc/slow", value, 4);
	result_merge(r);
}

static void comparison_text(FILE *out, const struct comparison *c)
{
	report_comparison(out, c, NULL);
}

static void markdown_text(FILE *out, const struct comparison *c)
{
	report_markdown(out, c, NULL);
}

static char *print(void (*report)(FILE *out, const struct comparison *c))
{
	struct result a, b;
	struct comparison c;
	struct error error;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fill(&a, "ipc/old", 10);
	fill(&b, "ipc/new", 12);
	result_add_skip(&b, "ipc/old", "no <memory>");
	assert_true(compare_results(&c, &a, &b, NULL, &error));
	report(out, &c);
	fclose(out);
	compare_free(&c);
	result_free(&a);
	result_free(&b);
	return text;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("`%s` is not in:\n%s", part, text);
}

UNIT_TEST(junit)
{
	char *text = print(report_junit);

	has(text, "tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\"");
	has(text, "name=\"ipc/slow\"");
	has(text, "<failure message=\"10 became 12 (+2, +20.00%)");
	has(text, "<error message=\"no &lt;memory&gt;\"/>");
	has(text, "</testsuite>");
	free(text);
}

UNIT_TEST(comparison)
{
	char *text = print(comparison_text);

	has(text, "executed instructions per operation, minimum (exact)");
	has(text, "slow  10  12      +2  +20.00%         0%  10.00%  WORSE");
	has(text, "MISSING ipc/old: no <memory>");
	has(text, "4 cases: 1 same, 1 WORSE, 1 MISSING, 1 new.");
	assert_null(strchr(text, '\033'));
	free(text);
}

UNIT_TEST(markdown)
{
	char *text = print(markdown_text);

	has(text, "| slow | 10 | 12 | +2 | +20.00% | 0% | 10.00% | WORSE |");
	assert_null(strchr(text, '\033'));
	free(text);
}

static void changed_text(FILE *out, const struct comparison *c)
{
	struct report_style style = {.changed_only = true};

	report_comparison(out, c, &style);
}

UNIT_TEST(changed_only)
{
	char *text = print(changed_text);

	has(text, "slow  10  12      +2  +20.00%         0%  10.00%  WORSE");
	has(text, "4 cases: 1 same,");
	has(text, "geometric mean of the changes: +9.54%"); /* of 1 and 1.2 */
	assert_null(strstr(text, "same   5"));
	free(text);
}

/* Boots that differ make warnings: in a table, or all of them. */
static char *print_noisy(bool all)
{
	struct report_style style = {.all_warnings = all};
	struct result r;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	result_init(&r, "qemu-icount-max", "ipc", "instructions");
	build_constant(&r, "ipc/little", 100, 4);
	build_constant(&r, "ipc/little", 101, 4);
	build_constant(&r, "ipc/much", 100, 4);
	build_constant(&r, "ipc/much", 150, 4);
	result_merge(&r);
	report_result(out, &r, NULL, &style);
	fclose(out);
	result_free(&r);
	return text;
}

UNIT_TEST(warnings)
{
	char *text = print_noisy(false);

	has(text, "warning         cases  worst in  what it is there\n"
		  "not repeatable      2  much      not repeatable: the minimum is between 100 and 150");
	has(text, "2 warnings about 2 cases; `hbench show --warnings` prints each");
	assert_null(strstr(text, "between 100 and 101"));
	free(text);
	text = print_noisy(true);
	has(text, "warning ipc/little: not repeatable: the minimum is between 100 and 101");
	has(text, "warning ipc/much: not repeatable");
	assert_null(strstr(text, "worst in"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_text), cmocka_unit_test(table_colours), cmocka_unit_test(junit),
		cmocka_unit_test(comparison), cmocka_unit_test(markdown),      cmocka_unit_test(changed_only),
		cmocka_unit_test(warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
