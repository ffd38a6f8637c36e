/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/table.h"

#include "host/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cell {
	char *text;
	enum colour colour;
};

struct table {
	const char *const *titles;
	size_t columns;
	struct cell *cells;
	size_t count;
};

static const char *const codes[] = {
	[COLOUR_NONE] = "",          [COLOUR_GOOD] = "\033[32m", [COLOUR_BAD] = "\033[31m",
	[COLOUR_DOUBT] = "\033[33m", [COLOUR_DIM] = "\033[2m",
};

struct table *table_create(const char *const *titles)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->titles = titles;
	while (titles[table->columns])
		table->columns++;
	return table;
}

void table_cell(struct table *table, enum colour colour, const char *fmt, ...)
{
	struct cell *cell;
	va_list args;

	table->cells = xreallocarray(table->cells, table->count + 1, sizeof(*cell));
	cell = &table->cells[table->count++];
	cell->colour = colour;
	va_start(args, fmt);
	if (vasprintf(&cell->text, fmt, args) < 0)
		cell->text = xstrdup("");
	va_end(args);
}

static bool right(const struct table *table, size_t column)
{
	return table->titles[column][0] == '>';
}

static const char *title(const struct table *table, size_t column)
{
	return table->titles[column] + right(table, column);
}

/* Columns a text takes on a terminal: all but the later bytes of a UTF-8 character. */
static size_t shown(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static int width(const struct table *table, size_t column)
{
	size_t widest = shown(title(table, column));

	for (size_t i = column; i < table->count; i += table->columns) {
		size_t len = shown(table->cells[i].text);

		widest = len > widest ? len : widest;
	}
	return (int)widest;
}

static void print_cell(const struct table *table, FILE *out, size_t column, bool last, const char *text,
		       const char *code)
{
	const char *gap = column ? "  " : "";
	int room = width(table, column) - (int)shown(text);

	fprintf(out, "%s%s%*s%s%*s%s", gap, code, right(table, column) ? room : 0, "", text,
		right(table, column) || last ? 0 : room, "", *code ? "\033[0m" : "");
}

/* Number of columns up to the last that says something: lines do not end in blanks. */
static size_t filled(const struct table *table, size_t row)
{
	size_t columns = table->columns;

	while (columns && !*table->cells[row * table->columns + columns - 1].text)
		columns--;
	return columns;
}

static void print_row(const struct table *table, FILE *out, size_t row, bool coloured)
{
	const struct cell *cells = &table->cells[row * table->columns];
	size_t columns = filled(table, row);

	for (size_t i = 0; i < columns; i++)
		print_cell(table, out, i, i + 1 == columns, cells[i].text, coloured ? codes[cells[i].colour] : "");
	fputc('\n', out);
}

void table_print(const struct table *table, FILE *out, bool coloured)
{
	for (size_t i = 0; i < table->columns; i++)
		print_cell(table, out, i, i + 1 == table->columns, title(table, i), coloured ? "\033[1m" : "");
	fputc('\n', out);
	for (size_t row = 0; row < table->count / table->columns; row++)
		print_row(table, out, row, coloured);
}

static void print_escaped(FILE *out, const char *text)
{
	for (; *text; text++)
		fprintf(out, strchr("|*_`<\\", *text) ? "\\%c" : "%c", *text);
}

void table_print_markdown(const struct table *table, FILE *out)
{
	for (size_t i = 0; i < table->columns; i++)
		fprintf(out, "| %s ", title(table, i));
	fputs("|\n", out);
	for (size_t i = 0; i < table->columns; i++)
		fputs(right(table, i) ? "|---:" : "|---", out);
	fputs("|\n", out);
	for (size_t i = 0; i < table->count; i++) {
		fputs("| ", out);
		print_escaped(out, table->cells[i].text);
		fputs((i + 1) % table->columns ? " " : " |\n", out);
	}
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

bool table_wants_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return isatty(fileno(out)) && !(term && !strcmp(term, "dumb"));
}
