/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/history.h"

#include "host/mem.h"
#include "result/metric.h"
#include "stats/change_points.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <stdlib.h>
#include <string.h>

struct loading {
	const char *name;
	struct history *list;
	size_t count;
};

static struct history *history_of(struct loading *l, const char *machine, const struct metric *metric)
{
	struct history *last = l->count ? &l->list[l->count - 1] : NULL;

	if (last && !strcmp(last->machine, machine) && last->metric == metric)
		return last;
	l->list = xreallocarray(l->list, l->count + 1, sizeof(*l->list));
	last = &l->list[l->count++];
	*last = (struct history){.name = xstrdup(l->name), .machine = xstrdup(machine), .metric = metric};
	return last;
}

static void add_point(void *context, const char *machine, const struct db_point *p)
{
	const struct metric *metric = metric_find(p->metric);
	struct history *h = metric ? history_of(context, machine, metric) : NULL;

	if (!h)
		return;
	h->points = xreallocarray(h->points, h->count + 1, sizeof(*h->points));
	h->points[h->count++] = (struct history_point){
		.date = xstrdup(p->date),
		.revision = xstrdup(p->revision),
		.kernel = xstrdup(p->kernel),
		.result_id = xstrdup(p->result_id),
		.value = p->value,
		.min = p->min,
		.p50 = p->p50,
		.p99 = p->p99,
		.max = p->max,
		.boots = p->boots,
	};
}

static void free_points(struct history_point *points, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(points[i].date);
		free(points[i].revision);
		free(points[i].kernel);
		free(points[i].result_id);
	}
}

static void keep_last(struct history *h, size_t last)
{
	size_t dropped = h->count > last ? h->count - last : 0;

	free_points(h->points, dropped);
	memmove(h->points, h->points + dropped, (h->count - dropped) * sizeof(*h->points));
	h->count -= dropped;
}

static void mark_outliers(struct history *h, const double *values)
{
	bool *outliers = xcalloc(h->count, sizeof(*outliers));

	change_outliers(values, h->count, outliers);
	for (size_t i = 0; i < h->count; i++)
		h->points[i].outlier = outliers[i];
	free(outliers);
}

/* Exact counts change when they change; noise has to be looked through. */
static void find_changes(struct history *h)
{
	double *values = xcalloc(h->count, sizeof(*values));

	h->changes = xcalloc(h->count, sizeof(*h->changes));
	for (size_t i = 0; i < h->count; i++)
		values[i] = h->points[i].value;
	if (!h->metric->exact) {
		h->change_count = change_points(values, h->count, h->changes);
		mark_outliers(h, values);
	}
	for (size_t i = 1; h->metric->exact && i < h->count; i++)
		if (values[i] != values[i - 1])
			h->changes[h->change_count++] = i;
	free(values);
}

struct history *histories_load(struct db *db, const char *machine, const char *name, size_t last, size_t *count,
			       struct error *error)
{
	struct loading l = {.name = name};

	if (!db_history(db, machine, name, add_point, &l, error)) {
		histories_free(l.list, l.count);
		return NULL;
	}
	for (size_t i = 0; i < l.count; i++) {
		keep_last(&l.list[i], last);
		find_changes(&l.list[i]);
	}
	*count = l.count;
	return l.list ? l.list : xcalloc(1, sizeof(*l.list));
}

void histories_free(struct history *histories, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free_points(histories[i].points, histories[i].count);
		free(histories[i].points);
		free(histories[i].changes);
		free(histories[i].machine);
		free(histories[i].name);
	}
	free(histories);
}

double history_level(const struct history *history, size_t from, size_t to)
{
	double *values, level;

	if (to <= from)
		return 0;
	values = xcalloc(to - from, sizeof(*values));
	for (size_t i = from; i < to; i++)
		values[i - from] = history->points[i].value;
	gsl_sort(values, 1, to - from);
	level = gsl_stats_median_from_sorted_data(values, 1, to - from);
	free(values);
	return level;
}

size_t history_segment_end(const struct history *history, size_t index)
{
	return index + 1 < history->change_count ? history->changes[index + 1] : history->count;
}

size_t history_segment_before(const struct history *history, size_t index)
{
	return index ? history->changes[index - 1] : 0;
}
