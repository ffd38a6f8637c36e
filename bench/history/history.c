/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history/history.h"

#include "host/mem.h"
#include "result/metric.h"
#include "stats/change_points.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loading {
	struct history *list;
	size_t count;
	const char *name;
};

static void add_series(void *context, const char *machine, const char *metric)
{
	struct loading *l = context;
	const struct metric *known = metric_find(metric);

	if (!known)
		return;
	l->list = xreallocarray(l->list, l->count + 1, sizeof(*l->list));
	l->list[l->count++] =
		(struct history){.name = xstrdup(l->name), .machine = xstrdup(machine), .metric = known};
}

static void add_point(void *context, const struct db_point *p)
{
	struct history *h = context;

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

/* Drops all points but the last ones. A change needs a point before it to be told with. */
static void keep_last(struct history *h, size_t last)
{
	size_t dropped = h->count > last ? h->count - last : 0, kept = 0;

	free_points(h->points, dropped);
	memmove(h->points, h->points + dropped, (h->count - dropped) * sizeof(*h->points));
	h->count -= dropped;
	for (size_t i = 0; i < h->change_count; i++)
		if (h->changes[i] > dropped)
			h->changes[kept++] = h->changes[i] - dropped;
	h->change_count = kept;
}

static void mark_outliers(struct history *h, const double *values)
{
	bool *outliers = xcalloc(h->count, sizeof(*outliers));

	change_outliers(values, h->count, outliers);
	for (size_t i = 0; i < h->count; i++)
		h->points[i].outlier = outliers[i];
	free(outliers);
}

/* What is remembered of a change that does not move any more. */
static json_t *change_to_json(const struct history *h, size_t from, size_t at, size_t to)
{
	const struct history_point *before = &h->points[at - 1], *after = &h->points[at];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:f}", "result", after->result_id, "date", after->date,
			 "revision", after->revision, "date_before", before->date, "revision_before",
			 before->revision, "before", history_level(h, from, at), "after", history_level(h, at, to));
}

static const char *text_of(const json_t *change, const char *key)
{
	const char *text = json_string_value(json_object_get(change, key));

	return text ? text : "";
}

static struct history_change earlier_of(const json_t *change)
{
	return (struct history_change){
		.date = text_of(change, "date"),
		.revision = text_of(change, "revision"),
		.date_before = text_of(change, "date_before"),
		.revision_before = text_of(change, "revision_before"),
		.before = json_number_value(json_object_get(change, "before")),
		.after = json_number_value(json_object_get(change, "after")),
	};
}

/* Settled changes are from before the points, or among them and before those that may still move. */
static void place_settled(struct history *h)
{
	size_t i, at = 0, room = h->change_count + json_array_size(h->settled) + 1, placed = 0;
	size_t *all = xcalloc(room, sizeof(*all));
	const json_t *change;

	h->earlier = xcalloc(room, sizeof(*h->earlier));
	json_array_foreach(h->settled, i, change)
	{
		size_t found = at;

		while (found < h->count && strcmp(h->points[found].result_id, text_of(change, "result")))
			found++;
		if (found < h->count && found)
			all[placed++] = at = found;
		else
			h->earlier[h->earlier_count++] = earlier_of(change);
	}
	for (i = 0; i < h->change_count; i++)
		all[placed++] = h->changes[i];
	free(h->changes);
	h->changes = all;
	h->change_count = placed;
}

/* Looks at window after window from a point on; where the last one begins. Its changes may move, those before not. */
static size_t walk(struct history *h, const double *values, size_t from)
{
	size_t window[CHANGE_WINDOW], found, next;

	do {
		change_window(values + from, h->count - from, window, &found, &next);
		for (size_t i = 0; i < found; i++) {
			size_t at = from + window[i],
			       end = i + 1 < found ? from + window[i + 1] : from + CHANGE_WINDOW;

			if (!next)
				h->changes[h->change_count++] = at;
			else
				json_array_append_new(h->settled,
						      change_to_json(h, i ? from + window[i - 1] : from, at,
								     end < h->count ? end : h->count));
		}
		from += next;
	} while (next);
	return from;
}

static size_t index_of(const struct history *h, const struct db_place *place)
{
	size_t at = 0;

	while (at < h->count && strcmp(h->points[at].result_id, place->result))
		at++;
	return at < h->count ? at : 0;
}

/* A database that cannot be written does no harm: the next look takes longer. */
static void keep_settled(struct db *db, const struct history *h, const struct db_settled *before, size_t moved,
			 size_t at)
{
	struct db_settled settled = {.results = before->results + moved};
	struct error ignored;

	snprintf(settled.next.measured, sizeof(settled.next.measured), "%s", h->points[at].date);
	snprintf(settled.next.result, sizeof(settled.next.result), "%s", h->points[at].result_id);
	settled.changes = json_dumps(h->settled, JSON_COMPACT);
	if (!settled.changes || !db_settle(db, h->machine, h->metric->name, h->name, &settled, &ignored))
		error_store(&ignored, "not kept");
	free(settled.changes);
}

/* Noise has to be looked through. */
static void find_noisy_changes(struct db *db, struct history *h, const struct db_settled *settled)
{
	double *values = xcalloc(h->count + 1, sizeof(*values));
	size_t from = index_of(h, &settled->next), now;

	for (size_t i = 0; i < h->count; i++)
		values[i] = h->points[i].value;
	now = walk(h, values, from);
	if (now > from)
		keep_settled(db, h, settled, now - from, now);
	mark_outliers(h, values);
	free(values);
}

/* Exact counts change when they change. */
static void find_exact_changes(struct history *h)
{
	for (size_t i = 1; i < h->count; i++)
		if (h->points[i].value != h->points[i - 1].value)
			h->changes[h->change_count++] = i;
}

static bool is_before(const struct db_place *a, const struct db_place *b)
{
	int order = strcmp(a->measured, b->measured);

	return order < 0 || (!order && strcmp(a->result, b->result) < 0);
}

static bool load_points(struct db *db, struct history *h, size_t last, struct db_settled *settled,
			struct error *error)
{
	struct db_place view;

	if (!db_latest(db, h->machine, h->metric->name, h->name, last, &view, error))
		return false;
	if (!h->metric->exact && !db_settled(db, h->machine, h->metric->name, h->name, settled, error))
		return false;
	if (!h->metric->exact && is_before(&settled->next, &view))
		view = settled->next;
	return db_history(db, h->machine, h->metric->name, h->name, &view, add_point, h, error);
}

static bool load(struct db *db, struct history *h, size_t last, struct error *error)
{
	struct db_settled settled = {0};

	if (!load_points(db, h, last, &settled, error)) {
		free(settled.changes);
		return false;
	}
	h->settled = settled.changes ? json_loads(settled.changes, 0, NULL) : NULL;
	if (!json_is_array(h->settled)) {
		json_decref(h->settled);
		h->settled = json_array();
	}
	h->changes = xcalloc(h->count + json_array_size(h->settled) + 1, sizeof(*h->changes));
	if (h->metric->exact)
		find_exact_changes(h);
	else
		find_noisy_changes(db, h, &settled);
	keep_last(h, last);
	place_settled(h);
	free(settled.changes);
	return true;
}

struct history *histories_load(struct db *db, const char *machine, const char *name, size_t last, size_t *count,
			       struct error *error)
{
	struct loading l = {.name = name};
	bool good = db_series(db, machine, name, add_series, &l, error);

	for (size_t i = 0; good && i < l.count; i++)
		good = load(db, &l.list[i], last, error);
	if (!good) {
		histories_free(l.list, l.count);
		return NULL;
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
		free(histories[i].earlier);
		json_decref(histories[i].settled);
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
