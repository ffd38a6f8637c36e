/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/threshold_options.h"

#include "cmd/verbs.h"
#include "host/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is to be judged. */
struct judged {
	const struct result *baseline, *result;
};

static bool measured(const struct result *r, const char *name)
{
	return r && (result_find(r, name) || result_skip_reason(r, name));
}

static bool judged_has(const void *context, const char *name)
{
	const struct judged *j = context;

	return measured(j->baseline, name) || measured(j->result, name);
}

/* A threshold for what is not there would never be looked at: whoever wrote it means another case. */
static bool suite_fits(const struct suite *suite, const struct judged *j, const char *path, struct error *error)
{
	struct suite storage = {0};
	const struct suite *standard = verb_suite_of(j->baseline, &storage);
	char unknown[700] = "";

	for (size_t i = 0; i < suite->count; i++) {
		const char *name = suite->cases[i].name;
		size_t used = strlen(unknown);

		if (suite->cases[i].threshold_count && !(standard && suite_find(standard, name)) &&
		    !judged_has(j, name))
			snprintf(unknown + used, sizeof(unknown) - used, " %s", name);
	}
	suite_free(&storage);
	if (strcmp(suite->name, result_text(j->baseline, "suite")))
		return error_set(error, "%s is of the suite %s and the baseline of %s", path, suite->name,
				 result_text(j->baseline, "suite"));
	return !*unknown || error_set(error, "%s has thresholds for cases that do not exist:%s", path, unknown);
}

/* The suite of the results; one without cases when it is not known here. */
static void load_standard(const struct judged *j, struct suite *storage)
{
	if (!verb_suite_of(j->baseline, storage))
		*storage = (struct suite){.name = xstrdup(result_text(j->baseline, "suite")), .title = xstrdup("")};
}

static bool take_file(const char *path, const struct judged *j, struct suite *storage, struct error *error)
{
	if (suite_thresholds_only(path)) {
		load_standard(j, storage);
		return suite_take_thresholds(storage, path, judged_has, j, error);
	}
	return suite_load_file(storage, path, result_text(j->baseline, "machine"), error) &&
	       suite_fits(storage, j, path, error);
}

static bool percent_of(const char *text, double *percent)
{
	char *end;

	*percent = strtod(text, &end);
	return end != text && !*end && isfinite(*percent) && *percent >= 0;
}

bool threshold_options_suite(const struct threshold_options *options, const struct result *baseline,
			     const struct result *result, struct suite *storage, const struct suite **suite,
			     struct error *error)
{
	const struct judged j = {baseline, result};
	double percent = 0;

	*storage = (struct suite){0};
	*suite = NULL;
	if (options->percent && !percent_of(options->percent, &percent))
		return error_set(error, "--threshold: `%.60s` is not a number of percent", options->percent);
	if (!options->file && !options->percent) {
		*suite = verb_suite_of(baseline, storage);
		return true;
	}
	if (!options->file)
		load_standard(&j, storage);
	else if (!take_file(options->file, &j, storage, error))
		return false;
	if (options->percent)
		suite_set_threshold(storage, result_text(baseline, "metric"), percent);
	*suite = storage;
	return true;
}
