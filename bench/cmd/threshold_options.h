/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of verbs that compare: by how much a case may change. */
#pragma once

#include "host/verb.h"
#include "result/result.h"
#include "result/suite.h"

struct threshold_options {
	const char *percent, *file;
};

#define OPTIONS_THRESHOLD(t)                                                                                         \
	{"threshold",                                                                                                \
	 0,                                                                                                          \
	 OPTION_TEXT,                                                                                                \
	 "PERCENT",                                                                                                  \
	 "By how much a case may change that has no threshold of its own; for times 2 unless the suite says "        \
	 "otherwise",                                                                                                \
	 &(t).percent,                                                                                               \
	 0,                                                                                                          \
	 0,                                                                                                          \
	 ""},                                                                                                        \
	{                                                                                                            \
		"thresholds", 0, OPTION_TEXT, "FILE",                                                                \
			"Take thresholds from this file, {\"threshold\": {\"ticks\": 1}, \"cases\": {\"ipc/null\": " \
			"{\"ticks\": 5}}}, or thresholds and goals from the file of a suite",                        \
			&(t).file, 0, 0, NULL                                                                        \
	}

/*
 * The suite with these thresholds, for results that are to be compared (result may be NULL); *suite is NULL when none
 * is known and none is needed. Free storage with suite_free().
 */
bool threshold_options_suite(const struct threshold_options *options, const struct result *baseline,
			     const struct result *result, struct suite *storage, const struct suite **suite,
			     struct error *error) must_check;
