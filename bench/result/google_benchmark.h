/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Google Benchmark's JSON, both ways. Result files are of its schema already, but with one entry for all boots and
 * counts for times; an export has an entry for each boot, real nanoseconds where ticks are time, and the aggregates.
 */
#pragma once

#include "host/error.h"
#include "result/result.h"

/* To be released with json_decref(). */
json_t *google_export(const struct result *result);

/*
 * Makes a result of files that a program with Google Benchmark wrote, in picoseconds; each repetition counts as a
 * boot. What failed or skipped itself is no repetition, but a reason in the result. machine: NULL for the first
 * file's host_name.
 */
bool google_import(struct result *result, char *const *paths, size_t count, const char *suite, const char *machine,
		   struct error *error) must_check;
