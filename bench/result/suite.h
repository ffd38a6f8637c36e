/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a suite measures, as its file in bench/suites says: cases, their meaning, goals and thresholds. */
#pragma once

#include "host/error.h"

#include <jansson.h>
#include <stddef.h>

enum { SUITE_METRICS_MAX = 12, SUITE_CPUS_MAX = 128 };

/* By how many percent a case may change in a metric before that counts. */
struct threshold {
	char metric[32];
	double percent;
};

/* What a case must not be above, whatever it was before. */
struct limit {
	char metric[32];
	double value;
};

struct suite_case {
	char *name;    /* "suite/case/param:value" */
	char *meaning; /* of the case; the same for all its parameters */
	bool has_goal;
	double goal; /* executed instructions */
	struct threshold thresholds[SUITE_METRICS_MAX];
	size_t threshold_count;
	struct limit limits[SUITE_METRICS_MAX];
	size_t limit_count;
	bool informs; /* it is shown, and decides nothing */
};

struct suite {
	char *name, *title;
	unsigned cpus; /* of the machine it wants; 1 unless the file says otherwise */
	char *target;  /* that it is measured on unless the user names one; NULL: the file names none */
	struct suite_case *cases;
	size_t count;
	struct threshold thresholds[SUITE_METRICS_MAX];
	size_t threshold_count;
};

/* The folder with the suites' files: $HBENCH_SUITES, else the one beside the sources, found from the program's place.
 */
const char *suite_folder(void);

/* Loads the suite of that name from the folder, with the goals of no machine in particular. */
bool suite_load(struct suite *suite, const char *name, struct error *error) must_check;

/* The same with the goals of a machine, where it has its own. */
bool suite_load_for(struct suite *suite, const char *name, const char *machine, struct error *error) must_check;

/* machine: NULL for none in particular. */
bool suite_load_file(struct suite *suite, const char *path, const char *machine, struct error *error) must_check;

/* Names of all suites in the folder, sorted, NULL-terminated; NULL on error. */
char **suite_names(struct error *error) must_check;

const struct suite_case *suite_find(const struct suite *suite, const char *name);

/* The threshold of a case in a metric: its own, else the suite's, else fallback. */
double suite_threshold(const struct suite *suite, const char *name, const char *metric, double fallback);

/* The limit of a case in a metric, or a metric's estimator ("ticks.p99"); false when there is none. */
bool suite_limit(const struct suite *suite, const char *name, const char *metric, double *limit);

/* False for the cases that inform only. */
bool suite_gates(const struct suite *suite, const char *name);

/* Makes a limit of each goal, for cases that have none of their own. */
void suite_limit_goals(struct suite *suite);

/* Reads {"ticks.p99": 3000, ...} into a list, of which *count are used. */
bool suite_read_limits(const json_t *object, struct limit *out, size_t *count, struct error *error) must_check;

/* "ticks" or "ticks.p99": is there such a metric, and such an estimator? */
bool suite_metric_known(const char *key);

/* A goal as text: with a decimal place only when it has one. */
void suite_goal_text(double goal, char out[32]);

/*
 * Takes thresholds over from a file that has nothing else, {"threshold": {"ticks": 1}, "cases": {"ipc/null": {...}}}:
 * the first for all cases that have none of their own, the others for one case, or all parameters of it. The file may
 * name cases of several suites. `has` knows cases that no suite does, of the results that are to be judged. False
 * when the file has a word, or names a case, that nobody knows.
 */
bool suite_take_thresholds(struct suite *suite, const char *path, bool (*has)(const void *context, const char *name),
			   const void *context, struct error *error) must_check;

/* True for such a file, false for the file of a suite and for what cannot be read. */
bool suite_thresholds_only(const char *path);

/* Sets the threshold of the cases that have none of their own. */
void suite_set_threshold(struct suite *suite, const char *metric, double percent);

/* A list of thresholds, {"ticks": 2, "ticks.p99": 10}, added to those that are there. */
bool suite_read_thresholds(const json_t *object, struct threshold *out, size_t *count,
			   struct error *error) must_check;

/* False when an object has a member that is not among the words (NULL at the end). */
bool suite_words_known(const json_t *object, const char *const *words, struct error *error) must_check;

void suite_free(struct suite *suite);
