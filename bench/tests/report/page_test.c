/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/mem.h"
#include "report/html.h"
#include "report/report_page.h"

#include "build.h"

#include <ctype.h>
#include <string.h>

static char *page_text;

static void make_page(const struct report_section *sections, size_t count)
{
	size_t size;
	FILE *out;

	free(page_text);
	out = open_memstream(&page_text, &size);
	assert_non_null(out);
	report_page(out, sections, count);
	fclose(out);
}

static void has(const char *part)
{
	if (!strstr(page_text, part))
		fail_msg("`%s` is not in:\n%s", part, page_text);
}

static void lacks(const char *part)
{
	if (strstr(page_text, part))
		fail_msg("`%s` is in the page", part);
}

static bool is_void(const char *name, size_t len)
{
	static const char *const names[] = {"meta", "input", "br"};

	for (size_t i = 0; i < array_size(names); i++)
		if (strlen(names[i]) == len && !strncmp(name, names[i], len))
			return true;
	return false;
}

/* Each element that begins ends, in the right order. */
static void is_balanced(void)
{
	char stack[64][16];
	size_t depth = 0;

	for (const char *at = strchr(page_text, '<'); at; at = strchr(at + 1, '<')) {
		bool end = at[1] == '/';
		const char *name = at + 1 + end, *close = strchr(at, '>');
		size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

		if (!isalpha((unsigned char)*name))
			continue; /* the document type; comparisons in the script */
		assert_non_null(close);
		if (end) {
			assert_true(depth > 0);
			depth--;
			if (strlen(stack[depth]) != len || strncmp(stack[depth], name, len))
				fail_msg("%s ends at: %.60s", stack[depth], at);
		} else if (close[-1] != '/' && !is_void(name, len)) {
			assert_true(depth < 64 && len < 16);
			snprintf(stack[depth++], 16, "%.*s", (int)len, name);
		}
	}
	assert_int_equal(depth, 0);
}

/* The page needs no other file and no network. */
static void is_self_contained(void)
{
	static const char *const parts[] = {"http:", "https:", "src=", "@import", "url(", "<link"};

	for (size_t i = 0; i < array_size(parts); i++)
		lacks(parts[i]);
}

static void start(struct result *r)
{
	result_init(r, "nuc11", "ipc", "ticks");
	result_set_text(r, "date", "2024-01-01T00:00:00+00:00");
	result_set_text(r, "kernel_boot_line", "<script>alert('x')</script> & \"more\"");
	result_set_text(r, "microcode", "0xa4");
	result_set_number(r, "tsc_khz", 2000000);
	result_set_number(r, "boots", 5);
}

UNIT_TEST(one_result)
{
	struct report_section page = {0};
	struct result r;

	start(&r);
	build_noisy(&r, "ipc/null", 1000, 30, 5, 1);
	build_constant(&r, "ipc/other/words:8", 40, 64);
	result_add_skip(&r, "ipc/third", "no <memory>");
	result_merge(&r);
	page.result = &r;
	make_page(&page, 1);
	is_balanced();
	is_self_contained();
	has("<title>ipc on nuc11</title>");
	has("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;more&quot;");
	lacks("<script>alert");
	has("0xa4");
	has("<svg");
	has("Each of 64 windows took exactly 40.");
	has("id=\"case-0-ipc-other-words-8\"");
	has("href=\"#case-0-ipc-other-words-8\"");
	has("ipc/third: no &lt;memory&gt;");
	result_free(&r);
}

UNIT_TEST(two_results)
{
	struct report_section page = {0};
	struct comparison c;
	struct result a, b;
	struct error error;

	start(&a);
	start(&b);
	build_noisy(&a, "ipc/null", 1000, 30, 5, 1);
	build_noisy(&b, "ipc/null", 1200, 30, 5, 2);
	build_noisy(&a, "ipc/gone", 1000, 30, 5, 1);
	build_noisy(&b, "ipc/new", 1000, 30, 5, 1);
	result_merge(&a);
	result_merge(&b);
	assert_true(compare_results(&c, &a, &b, NULL, &error));
	page.result = &b;
	page.comparison = &c;
	make_page(&page, 1);
	is_balanced();
	is_self_contained();
	has("<span class=\"bad\">WORSE </span>");
	has("class=\"area a\"");
	has("class=\"area b\"");
	has("MISSING");
	has("Baseline (A)");
	struct report_section both[] = {page, page};

	both[1].index = 1;
	make_page(both, 2);
	is_balanced();
	has("<title>2 results of hbench</title>");
	has("href=\"#result-1\"");
	has("id=\"result-1\"");
	has("id=\"case-1-ipc-null\"");
	compare_free(&c);
	result_free(&a);
	result_free(&b);
}

UNIT_TEST(with_history)
{
	char folder[] = "/tmp/hbench-page-XXXXXX", *path;
	struct report_section page = {0};
	struct result r;
	struct error error;

	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/h.db", folder);
	page.db = db_open(path, &error);
	assert_non_null(page.db);
	for (unsigned day = 10; day < 30; day++) {
		char date[40];

		result_init(&r, "m", "ipc", "instructions");
		snprintf(date, sizeof(date), "2024-01-%02uT00:00:00+00:00", day);
		result_set_text(&r, "date", date);
		build_constant(&r, "ipc/null", day < 20 ? 40 : 41, 64);
		result_merge(&r);
		assert_true(db_store(page.db, &r, NULL, &error));
		if (day < 29)
			result_free(&r);
	}
	page.result = &r;
	make_page(&page, 1);
	is_balanced();
	has("class=\"series\"");
	has("class=\"change\"");
	has("41, 2024-01-29");
	db_close(page.db);
	result_free(&r);
	remove(path);
	remove(folder);
	free(path);
}

UNIT_FIXTURE(tear_down)
{
	free(page_text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_result),
		cmocka_unit_test(two_results),
		cmocka_unit_test(with_history),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
