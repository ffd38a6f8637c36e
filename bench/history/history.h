/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The results of one benchmark on one machine over time, and where they changed. */
#pragma once

#include "history/db.h"
#include "result/metric.h"

#include <stddef.h>

struct history_point {
	char *date, *revision, *kernel, *result_id;
	double value;
	uint64_t min, p50, p99, max;
	unsigned boots;
	bool outlier; /* far from the results around it, so no change by itself; exact counts have none */
};

/* A change that more results do not move any more, from before the points. */
struct history_change {
	const char *date, *revision;               /* of the first result after it */
	const char *date_before, *revision_before; /* of the last one before */
	double before, after;                      /* medians */
};

struct history {
	char *name, *machine;
	const struct metric *metric;
	struct history_point *points; /* oldest first */
	size_t count;
	size_t *changes; /* indices of the first point after each change */
	size_t change_count;
	struct history_change *earlier;
	size_t earlier_count;
	json_t *settled; /* whose texts the earlier changes have */
};

/*
 * Histories of a benchmark, one for each machine; their number in *count. machine: NULL for all. last: only so many
 * of the latest points. What was settled in an earlier look is not read again, and what this one settles is kept in
 * the database, if it can be written. NULL on error; to be freed with histories_free().
 */
struct history *histories_load(struct db *db, const char *machine, const char *name, size_t last, size_t *count,
			       struct error *error) must_check;
void histories_free(struct history *histories, size_t count);

/* Median of the points from one index to before another: an outlier does not move it. */
double history_level(const struct history *history, size_t from, size_t to);

/* Where the segment that begins at changes[index] ends; and where the one before it began. */
size_t history_segment_end(const struct history *history, size_t index);
size_t history_segment_before(const struct history *history, size_t index);
