/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a suite's cases must not be above, and which of them decide. */
#include "result/suite.h"

#include <stdio.h>
#include <string.h>

bool suite_read_limits(const json_t *object, struct limit *out, size_t *count, struct error *error)
{
	const char *metric;
	json_t *value;

	if (!json_object_size(object))
		return error_set(error, "\"limit\" is a number, \"goal\", or an object with one for each metric");
	json_object_foreach((json_t *)object, metric, value)
	{
		if (!suite_metric_known(metric))
			return error_set(error, "\"limit\": there is no \"%.60s\"", metric);
		if (!json_is_number(value) || json_number_value(value) < 0)
			return error_set(error, "\"limit\": \"%.60s\" must be a number, 0 or more", metric);
		if (*count == SUITE_METRICS_MAX)
			return error_set(error, "\"limit\" has more than %d metrics", SUITE_METRICS_MAX);
		snprintf(out[*count].metric, sizeof(out[*count].metric), "%s", metric);
		out[(*count)++].value = json_number_value(value);
	}
	return true;
}

bool suite_limit(const struct suite *suite, const char *name, const char *metric, double *limit)
{
	const struct suite_case *c = suite ? suite_find(suite, name) : NULL;

	for (size_t i = 0; c && i < c->limit_count; i++) {
		if (strcmp(c->limits[i].metric, metric))
			continue;
		*limit = c->limits[i].value;
		return true;
	}
	return false;
}

bool suite_gates(const struct suite *suite, const char *name)
{
	const struct suite_case *c = suite ? suite_find(suite, name) : NULL;

	return !c || !c->informs;
}

void suite_limit_goals(struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		struct suite_case *c = &suite->cases[i];
		double limit;

		if (c->has_goal && !suite_limit(suite, c->name, "instructions", &limit) &&
		    c->limit_count < SUITE_METRICS_MAX)
			c->limits[c->limit_count++] = (struct limit){"instructions", c->goal};
	}
}
