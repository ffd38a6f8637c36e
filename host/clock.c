/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/clock.h"

#include "host/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void clock_date(char out[32])
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t when = time(NULL);
	struct tm tm;
	char *end;

	if (epoch && *epoch) {
		errno = 0;
		long long value = strtoll(epoch, &end, 10);

		if (!errno && !*end && value >= 0)
			when = (time_t)value;
		else
			complain("SOURCE_DATE_EPOCH is not a number of seconds, so the present time is used");
	}
	if (!gmtime_r(&when, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%S+00:00", &tm))
		snprintf(out, 32, "1970-01-01T00:00:00+00:00");
}
