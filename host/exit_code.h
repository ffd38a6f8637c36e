/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit codes of every verb: a gate in a CI job tells the cases apart by them. */
#pragma once

enum exit_code {
	EXIT_SAME_OR_BETTER = 0,
	EXIT_REGRESSED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_ENOUGH_DATA = 3,
	EXIT_RUN_INVALID = 4, /* also: a file is not valid, or memory ran out */
	EXIT_BENCHMARK_MISSING = 5,
	EXIT_INTERRUPTED = 130,
};
