/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: to wait and to measure by, and to write into files. */
#pragma once

/* Seconds on a clock that never goes back; only differences mean something. */
double clock_seconds(void);

/* The date for files: SOURCE_DATE_EPOCH when it is set, else now; ISO 8601, UTC. */
void clock_date(char out[32]);
