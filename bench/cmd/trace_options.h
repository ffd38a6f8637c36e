/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a run is to be traced: options, and the words for the roottask that they become. */
#pragma once

#include "host/verb.h"

#include <stddef.h>
#include <stdint.h>

struct trace_options {
	const char *events; /* NULL: not at all; "": all */
	const char *paths, *counters, *file;
	unsigned records, period, sampler; /* 0: the roottask's default, or none */
};

/* clang-format off */
#define TRACE_OPTIONS(t)											\
	{"trace", 0, OPTION_MAYBE, "EVENT,...",									\
	 "Let the kernel record what it does: these events (all; none: only the times of paths). "		\
	 "The trace goes beside the result as .htrace, which htrace shows",					\
	 &(t).events, 0, 0, NULL},										\
	{"trace-file", 0, OPTION_TEXT, "FILE",									\
	 "Put the trace there",											\
	 &(t).file, 0, 0, NULL},										\
	{"trace-paths", 0, OPTION_TEXT, "PATH,...",								\
	 "Paths to make histograms of (all; none): hypercalls by name, exception, vm_exit, "			\
	 "dispatch, shootdown, grace, nmi, extension",								\
	 &(t).paths, 0, 0, "all none"},										\
	{"trace-counters", 0, OPTION_TEXT, "NAME,...",								\
	 "Performance counters to add up for each path, at most four: cycles, instructions, "			\
	 "ref_cycles, llc_references, llc_misses, branches, branch_misses, dtlb_walks",				\
	 &(t).counters, 0, 0, NULL},										\
	{"trace-records", 0, OPTION_NUMBER, "N",								\
	 "Newest records of each CPU to keep (4096)",								\
	 &(t).records, 1, 1 << 20, NULL},									\
	{"trace-period", 0, OPTION_NUMBER, "CYCLES",								\
	 "Sample what runs every so many cycles, on each CPU",							\
	 &(t).period, 10000, INT32_MAX, NULL},									\
	{"trace-sampler", 0, OPTION_NUMBER, "US",								\
	 "Have another CPU sample what the boot CPU runs, every so many microseconds: for "			\
	 "machines without performance counters",								\
	 &(t).sampler, 1, 1000000, NULL}
/* clang-format on */

/* Ends the program with a message when names are unknown, or there are options of tracing without --trace. */
void trace_options_check(const struct trace_options *options, const struct verb *verb);

/* To be freed; "" without --trace. */
char *trace_options_words(const struct trace_options *options);
