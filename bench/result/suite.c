/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result/suite.h"

#include "host/json_file.h"
#include "host/mem.h"
#include "host/resource.h"
#include "result/metric.h"
#include "result/name.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 4 << 20, CASES_MAX = 100000 };

/* One case being expanded into all combinations of its parameters. */
struct expansion {
	struct suite *suite;
	const char *machine; /* whose goals are wanted; NULL: of none in particular */
	json_t *object;      /* the case in the file */
	const char *keys[NAME_PARAMS_MAX];
	size_t key_count;
	const json_t *values[NAME_PARAMS_MAX]; /* the present combination */
};

const char *suite_folder(void)
{
	static char *found;
	const char *folder = getenv("HBENCH_SUITES");

	if (folder && *folder)
		return folder;
	if (!found)
		found = resource_path("suites", HBENCH_SUITE_DIR);
	return found;
}

/* A threshold or limit for what does not exist would never be looked at. */
bool suite_metric_known(const char *key)
{
	const char *dot = strchr(key, '.');
	char metric[32];

	snprintf(metric, sizeof(metric), "%.*s", (int)(dot ? dot - key : (ptrdiff_t)strlen(key)), key);
	return metric_find(metric) && (!dot || estimator_find(dot + 1));
}

bool suite_read_thresholds(const json_t *object, struct threshold *out, size_t *count, struct error *error)
{
	const char *metric;
	json_t *percent;

	json_object_foreach((json_t *)object, metric, percent)
	{
		struct threshold *t = &out[*count];

		if (*count == SUITE_METRICS_MAX || strlen(metric) >= sizeof(t->metric) || !json_is_number(percent) ||
		    json_number_value(percent) < 0)
			return error_set(error,
					 "\"threshold\" must give a percentage, 0 or more, for each of at most "
					 "%d metrics",
					 SUITE_METRICS_MAX);
		if (!suite_metric_known(metric))
			return error_set(error,
					 "\"threshold\": there is no \"%.60s\"; there are instructions, ticks and "
					 "picoseconds, and such as ticks.p99",
					 metric);
		strcpy(t->metric, metric);
		t->percent = json_number_value(percent);
		++*count;
	}
	return true;
}

bool suite_words_known(const json_t *object, const char *const *words, struct error *error)
{
	const char *word;
	json_t *value;

	json_object_foreach((json_t *)object, word, value)
	{
		const char *const *known = words;

		while (*known && strcmp(*known, word))
			known++;
		if (!*known)
			return error_set(error, "the word \"%.60s\" is not known here", word);
	}
	return true;
}

static char *value_text(const json_t *value)
{
	if (json_is_integer(value))
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return xstrdup(json_string_value(value));
}

static char *expanded_name(const struct expansion *e)
{
	char *name = xasprintf("%s/%s", e->suite->name, json_string_value(json_object_get(e->object, "case")));

	for (size_t i = 0; i < e->key_count; i++) {
		char *text = value_text(e->values[i]);
		char *longer = xasprintf("%s/%s:%s", name, e->keys[i], text);

		free(text);
		free(name);
		name = longer;
	}
	return name;
}

/* {"base": 190, "per": {"words": 2.4}}: grows with a parameter. */
static bool linear_goal(const struct expansion *e, const json_t *goal, double *out)
{
	const json_t *per = json_object_get(goal, "per");

	*out = json_number_value(json_object_get(goal, "base"));
	for (size_t i = 0; i < e->key_count; i++)
		*out += json_number_value(json_object_get(per, e->keys[i])) * json_number_value(e->values[i]);
	return json_is_number(json_object_get(goal, "base"));
}

/* {"at": {"words": {"1": 280, "16": 600}}}: one for each value of a parameter. */
static bool listed_goal(const struct expansion *e, const json_t *at, double *out)
{
	for (size_t i = 0; i < e->key_count; i++) {
		char *text = value_text(e->values[i]);
		const json_t *goal = json_object_get(json_object_get(at, e->keys[i]), text);

		free(text);
		if (json_is_number(goal)) {
			*out = json_number_value(goal);
			return true;
		}
	}
	return false;
}

/* Goals and limits have the same forms. */
static bool find_number(const struct expansion *e, const json_t *goal, double *out)
{
	*out = 0;
	if (json_is_number(goal)) {
		*out = json_number_value(goal);
		return true;
	}
	if (json_is_object(json_object_get(goal, "at")))
		return listed_goal(e, json_object_get(goal, "at"), out);
	return linear_goal(e, goal, out);
}

/* {"goal_on": {"bochs-ryzen": GOAL, "qemu-icount-epyc": null}}: machines with another goal than the rest, or none. */
static bool get_goal(const struct expansion *e, struct suite_case *c, struct error *error)
{
	const json_t *others = json_object_get(e->object, "goal_on");
	const json_t *own = e->machine ? json_object_get(others, e->machine) : NULL;

	c->has_goal = find_number(e, own ? own : json_object_get(e->object, "goal"), &c->goal);
	return !others || json_is_object(others) ||
	       error_set(error, "\"goal_on\" must give a goal, or null, for each of some machines");
}

/* A number as goals have them is in instructions; other metrics, and estimators, are named. */
static bool get_limits(const struct expansion *e, struct suite_case *c, struct error *error)
{
	const json_t *limit = json_object_get(e->object, "limit");
	bool is_goal = json_is_string(limit) && !strcmp(json_string_value(limit), "goal");
	double value = c->goal;

	if (!limit)
		return true;
	if (is_goal && !c->has_goal)
		return error_set(error, "\"limit\" is the goal, and there is none");
	if (!is_goal && !find_number(e, limit, &value)) {
		if (json_is_object(json_object_get(limit, "at")))
			return true; /* none for this value of the parameter */
		return suite_read_limits(limit, c->limits, &c->limit_count, error);
	}
	c->limits[c->limit_count++] = (struct limit){"instructions", value};
	return true;
}

static bool get_gated(const struct expansion *e, struct suite_case *c, struct error *error)
{
	const json_t *gated = json_object_get(e->object, "gated");

	c->informs = json_is_false(gated);
	return !gated || json_is_boolean(gated) || error_set(error, "\"gated\" must be true or false");
}

static bool add_case(struct expansion *e, struct error *error)
{
	struct suite *suite = e->suite;
	struct suite_case *c;

	if (suite->count == CASES_MAX)
		return error_set(error, "more than %d cases", CASES_MAX);
	suite->cases = xreallocarray(suite->cases, suite->count + 1, sizeof(*c));
	c = &suite->cases[suite->count++];
	*c = (struct suite_case){.name = expanded_name(e)};
	c->meaning = xstrdup(json_string_value(json_object_get(e->object, "meaning")));
	if (!get_goal(e, c, error) || !get_limits(e, c, error) || !get_gated(e, c, error))
		return false;
	return suite_read_thresholds(json_object_get(e->object, "threshold"), c->thresholds, &c->threshold_count,
				     error);
}

static bool expand(struct expansion *e, size_t depth, struct error *error)
{
	json_t *values, *value;
	size_t i;

	if (depth == e->key_count)
		return add_case(e, error);
	values = json_object_get(json_object_get(e->object, "params"), e->keys[depth]);
	if (!json_array_size(values))
		return error_set(error, "the parameter \"%s\" has no list of values", e->keys[depth]);
	json_array_foreach(values, i, value)
	{
		if (!json_is_integer(value) && !json_is_string(value))
			return error_set(error, "a value of \"%s\" is neither an integer nor a string",
					 e->keys[depth]);
		e->values[depth] = value;
		if (!expand(e, depth + 1, error))
			return false;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool load_case(struct suite *suite, const char *machine, json_t *object, struct error *error)
{
	struct expansion e = {.suite = suite, .machine = machine, .object = object};
	json_t *params = json_object_get(object, "params"), *value;
	const char *name = json_string_value(json_object_get(object, "case")), *key;
	struct error why;

	static const char *const words[] = {"case",      "meaning", "params", "goal", "goal_on",
					    "threshold", "limit",   "gated",  NULL};

	if (!name || !name_valid(name))
		return error_set(error, "a case has no \"case\" of a-z, 0-9 and _");
	if (!suite_words_known(object, words, &why))
		return error_set(error, "%s: %s", name, why.text);
	if (!json_string_value(json_object_get(object, "meaning")))
		return error_set(error, "%s has no \"meaning\"", name);
	if (json_object_size(params) > NAME_PARAMS_MAX)
		return error_set(error, "%s has more than %d parameters", name, NAME_PARAMS_MAX);
	json_object_foreach(params, key, value) e.keys[e.key_count++] = key;
	qsort(e.keys, e.key_count, sizeof(*e.keys), by_name);
	if (!expand(&e, 0, &why))
		return error_set(error, "%s: %s", name, why.text);
	return true;
}

static bool get_cpus(struct suite *suite, const json_t *cpus, struct error *error)
{
	if (!json_is_integer(cpus) || json_integer_value(cpus) < 1 || json_integer_value(cpus) > SUITE_CPUS_MAX)
		return error_set(error, "\"machine\": \"cpus\" must be a number from 1 to %d", SUITE_CPUS_MAX);
	suite->cpus = (unsigned)json_integer_value(cpus);
	return true;
}

/* {"cpus": 4, "target": "bochs"}; either may be missing. */
static bool get_machine(struct suite *suite, const json_t *machine, struct error *error)
{
	const json_t *cpus = json_object_get(machine, "cpus"), *target = json_object_get(machine, "target");

	suite->cpus = 1;
	if (!machine)
		return true;
	if (!cpus && !target)
		return error_set(error,
				 "\"machine\" must give a number of \"cpus\" from 1 to %d, a \"target\", or both",
				 SUITE_CPUS_MAX);
	if (target && !json_is_string(target))
		return error_set(error, "\"machine\": \"target\" must be the name of one");
	suite->target = target ? xstrdup(json_string_value(target)) : NULL;
	return !cpus || get_cpus(suite, cpus, error);
}

static bool load_json(struct suite *suite, const char *machine, const json_t *root, struct error *error)
{
	const char *name = json_string_value(json_object_get(root, "suite"));
	const char *title = json_string_value(json_object_get(root, "title"));
	static const char *const words[] = {"suite", "title", "machine", "threshold", "cases", NULL};
	json_t *object;
	size_t i;

	if (!suite_words_known(root, words, error))
		return false;
	if (!name || !name_valid(name) || !title)
		return error_set(error, "\"suite\" (of a-z, 0-9 and _) or \"title\" is missing");
	suite->name = xstrdup(name);
	suite->title = xstrdup(title);
	if (!get_machine(suite, json_object_get(root, "machine"), error) ||
	    !suite_read_thresholds(json_object_get(root, "threshold"), suite->thresholds, &suite->threshold_count,
				   error))
		return false;
	if (!json_array_size(json_object_get(root, "cases")))
		return error_set(error, "\"cases\" is missing or empty");
	json_array_foreach(json_object_get(root, "cases"), i, object)
	{
		if (!load_case(suite, machine, object, error))
			return false;
	}
	return true;
}

bool suite_load_file(struct suite *suite, const char *path, const char *machine, struct error *error)
{
	json_t *root = json_file_load(path, FILE_MAX, error);
	struct error why;
	bool good;

	*suite = (struct suite){0};
	if (!root)
		return false;
	good = load_json(suite, machine, root, &why) || json_file_error(error, path, &why);
	if (!good)
		suite_free(suite);
	json_decref(root);
	return good;
}

bool suite_load_for(struct suite *suite, const char *name, const char *machine, struct error *error)
{
	char *path;
	bool good;

	*suite = (struct suite){0};
	if (!name_valid(name))
		return error_set(error, "`%s` is not the name of a suite", name);
	path = xasprintf("%s/%s.json", suite_folder(), name);
	good = suite_load_file(suite, path, machine, error);
	free(path);
	return good;
}

bool suite_load(struct suite *suite, const char *name, struct error *error)
{
	return suite_load_for(suite, name, NULL, error);
}

static int is_suite(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 5, ".json");
}

char **suite_names(struct error *error)
{
	struct dirent **entries;
	int count = scandir(suite_folder(), &entries, is_suite, alphasort);
	char **names;

	if (count < 0) {
		error_store(error, "cannot read the folder of suites %s (HBENCH_SUITES names another)",
			    suite_folder());
		return NULL;
	}
	names = xcalloc((size_t)count + 1, sizeof(*names));
	for (int i = 0; i < count; i++) {
		names[i] = xstrdup(entries[i]->d_name);
		names[i][strlen(names[i]) - 5] = '\0';
		free(entries[i]);
	}
	free(entries);
	return names;
}

const struct suite_case *suite_find(const struct suite *suite, const char *name)
{
	for (size_t i = 0; i < suite->count; i++)
		if (!strcmp(suite->cases[i].name, name))
			return &suite->cases[i];
	return NULL;
}

static bool pick(const struct threshold *thresholds, size_t count, const char *metric, double *out)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(thresholds[i].metric, metric))
			continue;
		*out = thresholds[i].percent;
		return true;
	}
	return false;
}

double suite_threshold(const struct suite *suite, const char *name, const char *metric, double fallback)
{
	const struct suite_case *c = suite ? suite_find(suite, name) : NULL;
	double percent = fallback;

	if (c && pick(c->thresholds, c->threshold_count, metric, &percent))
		return percent;
	if (suite)
		pick(suite->thresholds, suite->threshold_count, metric, &percent);
	return percent;
}

void suite_goal_text(double goal, char out[32])
{
	snprintf(out, 32, fabs(goal - round(goal)) < 0.05 ? "%.0f" : "%.1f", goal);
}

void suite_free(struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		free(suite->cases[i].name);
		free(suite->cases[i].meaning);
	}
	free(suite->cases);
	free(suite->name);
	free(suite->title);
	free(suite->target);
	*suite = (struct suite){0};
}
