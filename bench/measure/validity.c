/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/validity.h"

#include "result/metric.h"

#include <math.h>
#include <string.h>

static double number(const struct result *result, const char *key)
{
	return json_number_value(json_object_get(result->context, key));
}

/* Turbo or saving of power: the same number of cycles takes another number of ticks. */
static bool check_core_clock(const struct result *result, const struct session *session, struct error *error)
{
	double before = number(result, "core_clock_permille"), now = (double)session->calibration.clock;

	if (before > 0 && now > 0 && fabs(now - before) > before / 50)
		return error_set(
			error,
			"the core ran at %.1f%% of the counter's rate and in the first boot at %.1f%%: turn off "
			"turbo and frequency scaling in the firmware",
			now / 10, before / 10);
	return true;
}

/* An empty measurement costs the same in each boot, or what is taken off is wrong. */
static bool check_calibration(const struct result *result, const struct session *session, struct error *error)
{
	double before = number(result, "timer_overhead"), now = (double)session->calibration.overhead;
	double rate = number(result, "tsc_khz"), rate_now = (double)session->run.tsc_khz;

	if (fabs(now - before) > fmax(8, before / 4))
		return error_set(error,
				 "an empty measurement takes %.0f ticks and took %.0f in the first boot: turn off "
				 "frequency scaling and whatever else runs on the machine",
				 now, before);
	if (fabs(rate_now - rate) > rate / 100)
		return error_set(error, "the time-stamp counter runs at %.0f kHz and ran at %.0f in the first boot",
				 rate_now, rate);
	return check_core_clock(result, session, error);
}

bool validity_check(const struct result *result, const struct session *session, const char *metric,
		    struct error *error)
{
	const struct metric *known = metric_find(metric);

	if (!known || known->exact)
		return true;
	if (!strncmp(session->run.frequency, "not held", 8))
		return error_set(error,
				 "the frequency was to be held still and is %s; leave the word `frequency=` out",
				 session->run.frequency);
	return !result->context || check_calibration(result, session, error);
}
