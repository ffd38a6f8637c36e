/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of thresholds and nothing else: who wants other ones need not repeat what the cases of a suite mean. */
#include "host/json_file.h"
#include "host/mem.h"
#include "result/metric.h"
#include "result/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

struct taking {
	struct suite *suite;
	bool (*has)(const void *context, const char *name);
	const void *context;
};

/* "ipc/call" means all of "ipc/call/words:8". */
static bool covers(const char *name, const char *of_case)
{
	size_t len = strlen(name);

	return !strncmp(name, of_case, len) && (!of_case[len] || of_case[len] == '/');
}

/* Those of the file come before what the case had: the first of a metric counts. */
static bool put_first(struct suite_case *c, const json_t *thresholds, struct error *error)
{
	struct threshold old[SUITE_METRICS_MAX];
	size_t count = c->threshold_count;

	memcpy(old, c->thresholds, count * sizeof(*old));
	c->threshold_count = 0;
	if (!suite_read_thresholds(thresholds, c->thresholds, &c->threshold_count, error))
		return false;
	for (size_t i = 0; i < count && c->threshold_count < SUITE_METRICS_MAX; i++)
		c->thresholds[c->threshold_count++] = old[i];
	return true;
}

static struct suite_case *add_case(struct suite *suite, const char *name)
{
	struct suite_case *c;

	suite->cases = xreallocarray(suite->cases, suite->count + 1, sizeof(*c));
	c = &suite->cases[suite->count++];
	*c = (struct suite_case){.name = xstrdup(name), .meaning = xstrdup("")};
	return c;
}

static bool of_this_suite(const struct taking *t, const char *name, const json_t *thresholds, struct error *error)
{
	bool found = false;

	for (size_t i = 0; i < t->suite->count; i++) {
		if (!covers(name, t->suite->cases[i].name))
			continue;
		found = true;
		if (!put_first(&t->suite->cases[i], thresholds, error))
			return false;
	}
	if (found)
		return true;
	if (!t->has(t->context, name))
		return error_set(error, "there is no case \"%.200s\"", name);
	return put_first(add_case(t->suite, name), thresholds, error);
}

/* A file for several suites is right or wrong as a whole, whichever of them is judged. */
static bool of_another_suite(const char *name, const json_t *thresholds, struct error *error)
{
	struct threshold ignored[SUITE_METRICS_MAX];
	char *of_suite = xstrdup(name);
	struct suite other;
	bool found = false;
	size_t count = 0;

	of_suite[strcspn(of_suite, "/")] = '\0';
	if (suite_load(&other, of_suite, error))
		for (size_t i = 0; i < other.count; i++)
			found |= covers(name, other.cases[i].name);
	suite_free(&other);
	free(of_suite);
	if (!found)
		return error_set(error, "there is no case \"%.200s\"", name);
	return suite_read_thresholds(thresholds, ignored, &count, error);
}

static bool take_case(const struct taking *t, const char *name, const json_t *thresholds, struct error *error)
{
	size_t len = strcspn(name, "/");
	struct error why;
	bool good;

	if (strlen(t->suite->name) == len && !strncmp(t->suite->name, name, len))
		good = of_this_suite(t, name, thresholds, &why);
	else
		good = of_another_suite(name, thresholds, &why);
	return good || error_set(error, "%s", why.text);
}

static bool take(const struct taking *t, const json_t *root, struct error *error)
{
	static const char *const words[] = {"threshold", "cases", NULL};
	const json_t *cases = json_object_get(root, "cases");
	struct threshold all[SUITE_METRICS_MAX];
	const char *name;
	json_t *thresholds;
	size_t count = 0;

	if (!json_is_object(root))
		return error_set(error, "thresholds are an object with \"threshold\", \"cases\", or both");
	if (!suite_words_known(root, words, error) ||
	    !suite_read_thresholds(json_object_get(root, "threshold"), all, &count, error))
		return false;
	for (size_t i = 0; i < count; i++)
		suite_set_threshold(t->suite, all[i].metric, all[i].percent);
	json_object_foreach((json_t *)cases, name, thresholds)
	{
		if (!take_case(t, name, thresholds, error))
			return false;
	}
	return true;
}

bool suite_take_thresholds(struct suite *suite, const char *path, bool (*has)(const void *context, const char *name),
			   const void *context, struct error *error)
{
	const struct taking t = {suite, has, context};
	json_t *root = json_file_load(path, FILE_MAX, error);
	struct error why;
	bool good;

	if (!root)
		return false;
	good = take(&t, root, &why) || json_file_error(error, path, &why);
	json_decref(root);
	return good;
}

bool suite_thresholds_only(const char *path)
{
	struct error ignored;
	json_t *root = json_file_load(path, FILE_MAX, &ignored);
	bool only = json_is_object(root) && !json_object_get(root, "suite") &&
		    !json_is_array(json_object_get(root, "cases"));

	json_decref(root);
	return only;
}

void suite_set_threshold(struct suite *suite, const char *metric, double percent)
{
	size_t i = 0;

	while (i < suite->threshold_count && strcmp(suite->thresholds[i].metric, metric))
		i++;
	if (i == SUITE_METRICS_MAX)
		i = SUITE_METRICS_MAX - 1;
	else if (i == suite->threshold_count)
		suite->threshold_count++;
	snprintf(suite->thresholds[i].metric, sizeof(suite->thresholds[i].metric), "%s", metric);
	suite->thresholds[i].percent = percent;
}
