/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "samples.h"

#include "host/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void samples_name(const struct view *view, const struct trace_record *r, char out[128])
{
	const struct symbol *symbol = view_symbol(view, r->extra, r->a);

	if (symbol)
		snprintf(out, 128, "%s", symbol->name);
	else
		snprintf(out, 128, "0x%jx", (uintmax_t)r->a);
	for (char *c = out; *c; c++)
		if (*c <= ' ' || *c == ';' || *c > '~')
			*c = '?'; /* they divide frames and counts in what other tools read */
}

unsigned samples_thread(const struct view *view, const struct trace_record *r, char name[16])
{
	unsigned number = view_object(view, OBJECT_EC, r->b);

	if (r->extra == TRACE_MODE_GUEST) {
		strcpy(name, "guest");
		return SAMPLES_GUEST;
	}
	if (view_object(view, OBJECT_IDLE, r->b))
		strcpy(name, "idle");
	else
		snprintf(name, 16, number ? "EC%u" : "none", number);
	return number ? number : SAMPLES_NONE;
}

static int by_name(const void *a, const void *b)
{
	const struct sample_row *x = a, *y = b;

	if (x->mode != y->mode)
		return x->mode < y->mode ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_count(const void *a, const void *b)
{
	const struct sample_row *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return by_name(a, b);
}

/* Neighbours of the same name become one. */
static size_t fold(struct sample_row *rows, size_t count)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (used && !by_name(&rows[used - 1], &rows[i]))
			rows[used - 1].count++;
		else
			rows[used++] = rows[i];
	return used;
}

void samples_count(struct sample_rows *out, const struct view *view)
{
	*out = (struct sample_rows){0};
	for (size_t i = 0; i < view->count; i++)
		out->total += view->events[i].r->event == TRACE_SAMPLE;
	out->rows = xcalloc(out->total, sizeof(*out->rows));
	for (size_t i = 0; i < view->count; i++) {
		const struct trace_record *r = view->events[i].r;
		struct sample_row *row = &out->rows[out->count];

		if (r->event != TRACE_SAMPLE)
			continue;
		*row = (struct sample_row){.mode = r->extra, .count = 1};
		samples_name(view, r, row->name);
		out->count++;
	}
	qsort(out->rows, out->count, sizeof(*out->rows), by_name);
	out->count = fold(out->rows, out->count);
	qsort(out->rows, out->count, sizeof(*out->rows), by_count);
}

void samples_free(struct sample_rows *out)
{
	free(out->rows);
	*out = (struct sample_rows){0};
}
