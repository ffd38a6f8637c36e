/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locking: none, only the EC that runs the benchmarks reports; the pages are turned when it has ended. */
#include "rt/bench/bench_table.h"

#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/exit.h"
#include "rt/fmt.h"
#include "rt/hip.h"
#include "rt/screen.h"
#include "rt/size.h"
#include "rt/string.h"

enum {
	ROWS_MAX = 320,
	NAME_MAX = 64,
	TEXT_MAX = 240, /* of a row of the screen: rt_show() takes a little more */
	NUMBER = 9,     /* characters of a number, with the blank before it */
	GAP = 2,        /* between two columns of the table */
	PAGE_SECONDS = 8,
};

struct row {
	char name[NAME_MAX];
	const char *word; /* instead of the numbers, or null */
	uint64_t least, middle;
};

static struct {
	const char *suite;
	unsigned expected, count, failed, skipped;
	struct row rows[ROWS_MAX];
} table;

/* How the table lies on the screen. */
struct layout {
	unsigned cases;
	unsigned name;    /* characters of a name */
	unsigned columns; /* of cases */
	unsigned height;  /* cases in each of them */
	unsigned pages;
};

static unsigned screen_columns(void)
{
	return (unsigned)rt_min(rt_screen_columns(), TEXT_MAX - 1);
}

/* With a digit behind the point where there is room for it, in millions where there is none. */
static void add_number(char *to, uint64_t thousandths)
{
	uint64_t whole = thousandths / 1000;
	char text[24];

	if (thousandths % 1000 && whole < 100000)
		rt_snprintf(text, sizeof(text), "%lu.%lu", whole, thousandths / 100 % 10);
	else if (whole < 100000000)
		rt_snprintf(text, sizeof(text), "%lu", whole);
	else
		rt_snprintf(text, sizeof(text), "%luM", whole / 1000000);
	rt_snprintf(to, NUMBER + 1, "%*s", NUMBER, text);
}

/* A name of exactly `width` characters: blanks behind it, or its end cut off, which a tilde shows. */
static void add_name(char *to, const char *name, unsigned width)
{
	rt_snprintf(to, width + 1, "%-*s", (int)width, name);
	if (strlen(name) > width)
		to[width - 1] = '~';
}

/* A name and two numbers, or a word. */
static void add_row(char *to, const struct row *r, unsigned name)
{
	add_name(to, r->name, name);
	if (r->word) {
		rt_snprintf(to + name, 2 * NUMBER + 1, "%*s%*s", NUMBER, r->word, NUMBER, "");
		return;
	}
	add_number(to + name, r->least);
	add_number(to + name + NUMBER, r->middle);
}

static struct row *new_row(const char *name)
{
	struct row *r = &table.rows[rt_min(table.count, ROWS_MAX - 1)];

	table.count++;
	*r = (struct row){0};
	rt_snprintf(r->name, sizeof(r->name), "%s", name);
	return r;
}

/* How far the run is, and a name that leaves room for `rest` characters. Returns how long that is. */
static unsigned begin_progress(char *to, const char *name, unsigned rest)
{
	unsigned room = screen_columns(), head;

	rt_snprintf(to, TEXT_MAX, "%3u/%u ", table.count, table.expected);
	head = (unsigned)strlen(to);
	room = room > head + rest ? room - head - rest : 1;
	room = (unsigned)rt_min(room, NAME_MAX - 16);
	add_name(to + head, name, room);
	return head + room;
}

void bench_table_number(const char *name, uint64_t least, uint64_t middle, uint64_t most)
{
	struct row *r = new_row(name);
	char text[TEXT_MAX + NAME_MAX];
	unsigned used;

	r->least = least;
	r->middle = middle;
	if (!screen_columns())
		return;
	used = begin_progress(text, name, 3 * NUMBER);
	add_number(text + used, least);
	add_number(text + used + NUMBER, middle);
	add_number(text + used + 2 * NUMBER, most);
	rt_show("%s\n", text);
}

void bench_table_word(const char *name, const char *what, const char *why)
{
	struct row *r = new_row(name);
	char text[TEXT_MAX + NAME_MAX];
	unsigned columns = screen_columns(), used;

	r->word = what;
	if (!strcmp(what, "fail"))
		table.failed++;
	else
		table.skipped++;
	if (!columns)
		return;
	used = begin_progress(text, name, 3 * NUMBER);
	rt_snprintf(text + used, columns > used ? columns - used + 1 : 1, "  %s: %s", what, why);
	rt_show("%s\n", text);
}

void bench_table_begin(const char *suite, unsigned cases)
{
	char text[TEXT_MAX + NAME_MAX];
	unsigned used;

	table.suite = suite;
	table.expected = cases;
	table.count = table.failed = table.skipped = 0;
	if (!screen_columns())
		return;
	used = begin_progress(text, "ticks of the TSC", 3 * NUMBER);
	rt_snprintf(text + used, 3 * NUMBER + 1, "%*s%*s%*s", NUMBER, "min", NUMBER, "p50", NUMBER, "max");
	rt_show("%s: %u cases\n%s\n", suite, cases, text);
}

/* The title, and the row below the last that is written, are not the table's. */
static struct layout lay_out(void)
{
	unsigned columns = screen_columns(), rows = rt_screen_rows(), longest = 1;
	struct layout l = {.cases = (unsigned)rt_min(table.count, ROWS_MAX), .height = rows > 3 ? rows - 2 : 1};

	for (unsigned i = 0; i < l.cases; i++)
		if (strlen(table.rows[i].name) > longest)
			longest = (unsigned)strlen(table.rows[i].name);
	l.name = columns > 2 * NUMBER ? (unsigned)rt_min(longest, columns - 2 * NUMBER) : 1;
	l.columns = (columns + GAP) / (l.name + 2 * NUMBER + GAP);
	l.columns = l.columns ? l.columns : 1;
	l.pages = (l.cases + l.columns * l.height - 1) / (l.columns * l.height);
	return l;
}

static void show_title(unsigned page, unsigned pages)
{
	unsigned numbers = table.count - table.failed - table.skipped;
	char text[TEXT_MAX];

	rt_snprintf(text, screen_columns() + 1, "%s has ended: %u measured, %u failed, %u skipped; min, p50%s",
		    table.suite, numbers, table.failed, table.skipped,
		    table.count > ROWS_MAX ? "; some are left out" : "");
	if (pages > 1) {
		unsigned used = (unsigned)strlen(text);
		rt_snprintf(text + used, screen_columns() - used + 1, "; page %u of %u", page + 1, pages);
	}
	rt_show("%s\n", text);
}

/* The cases of a page stand below each other, column by column; the columns of the last page are as long as need be.
 */
static void show_page(struct layout l, unsigned page)
{
	unsigned first = page * l.columns * l.height, here = (unsigned)rt_min(l.cases - first, l.columns * l.height);
	unsigned height = (here + l.columns - 1) / l.columns, width = l.name + 2 * NUMBER + GAP;
	char text[TEXT_MAX + NAME_MAX];

	rt_show_clear();
	show_title(page, l.pages);
	for (unsigned y = 0; y < height; y++) {
		memset(text, ' ', sizeof(text));
		for (unsigned at = y, used = 0; at < here; at += height, used += width) {
			if (used)
				text[used - GAP] = ' '; /* where the text before has ended */
			add_row(text + used, &table.rows[first + at], l.name);
		}
		rt_show("%s\n", text);
	}
}

/* Who reads has some seconds for each page. */
static void turn_pages(void)
{
	struct layout l = lay_out();

	for (unsigned page = 0;; page = (page + 1) % l.pages) {
		show_page(l, page);
		for (uint64_t start = rt_rdtsc(); rt_rdtsc() - start < PAGE_SECONDS * 1000ul * rt_hip->freq_tsc;)
			rt_pause();
	}
}

void bench_table_end(void)
{
	struct layout l = lay_out();

	if (!screen_columns())
		return;
	show_page(l, 0);
	if (l.pages > 1)
		rt_exit_hook = turn_pages;
}
