/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explorer's command line: what to search, for how long, and how to see a run again. */
#include "explore.h"
#include "memory.h"
#include "report.h"
#include "world.h"

#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *only, *replay;
	uint64_t seed;
	double seconds; /* of each scenario */
	unsigned bound;
	bool list, quiet;
	uint64_t runs;
} options = {.seconds = 4, .bound = 3, .seed = 1};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const struct argp_option option_list[] = {
	{"scenario", 's', "TEXT", 0, "only scenarios whose name contains TEXT", 0},
	{"seconds", 't', "N", 0, "for each scenario (default 4)", 0},
	{"bound", 'b', "N", 0, "preemptions of an exhaustive search (default 3)", 0},
	{"seed", 'S', "N", 0, "of the first random run (default 1)", 0},
	{"runs", 'n', "N", 0, "random runs only, this many of each scenario", 0},
	{"replay", 'r', "CHOICES", 0, "one run, with the choices that a failure has printed, and its story", 0},
	{"quiet", 'q', NULL, 0, "no story of a failure; stop at the first", 0},
	{"list", 'l', NULL, 0, "name the scenarios", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 's':
		options.only = arg;
		return 0;
	case 't':
		options.seconds = atof(arg);
		return 0;
	case 'b':
		options.bound = (unsigned)atoi(arg);
		return 0;
	case 'S':
		options.seed = strtoull(arg, NULL, 0);
		return 0;
	case 'n':
		options.runs = strtoull(arg, NULL, 0);
		return 0;
	case 'r':
		options.replay = arg;
		return 0;
	case 'q':
		options.quiet = true;
		return 0;
	case 'l':
		options.list = true;
		return 0;
	default:
		(void)state;
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- runs ---- */

/* Ends a run, which has failed. report_fail() returns only outside of a run: then nothing can go on. */
static void on_signal(int sig)
{
	static const char *const what = "does not come to its end, or accesses memory that is not there";

	report_fail("the kernel's code %s (signal %d)", what, sig);
	printf("FAILED: outside of a run, the kernel's code %s (signal %d)\n", what, sig);
	fflush(stdout);
	_Exit(1);
}

static void catch_signals(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGALRM};
	static char stack[65536];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};

	sigaltstack(&alternate, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &act, NULL);
}

/* More than any run takes, however busy the machine is. */
#define RUN_SECONDS 20

static bool run(const struct scenario *s)
{
	alarm(RUN_SECONDS);
	return world_run(s);
}

/* ---- a failure ---- */

static bool shown;

static void show(const struct scenario *s)
{
	char choices[100000];

	snprintf(choices, sizeof(choices), "%s", explore_text());
	printf("FAILED %s: %s\n", s->name, report_failure());
	printf("  again: interleave --scenario %s --replay %s\n", s->name, *choices ? choices : "0");
	if (shown || options.quiet)
		return;
	shown = true;
	memory_check_races(false);
	report_keep_story(true);
	if (explore_begin_replay(choices)) {
		run(s);
		report_story();
	}
	report_keep_story(false);
}

/* ---- searches ---- */

struct tally {
	uint64_t runs, random;
	unsigned bound; /* completed */
	bool complete, failed;
};

/* Random runs find out which memory is shared, before a search relies on it. */
static bool run_random(const struct scenario *s, uint64_t n, double until, struct tally *t)
{
	memory_check_races(true);
	for (uint64_t i = 0; i < n && now() < until; i++) {
		explore_begin_random(options.seed + t->random++);
		if (!run(s)) {
			t->failed = true;
			return false;
		}
		if (options.quiet && report_races())
			return false;
		(void)memory_learn();
	}
	memory_check_races(false);
	return true;
}

/* True: complete for this bound. What is learned to be shared makes new points, so the search begins anew. */
static bool run_bound(const struct scenario *s, unsigned bound, double until, struct tally *t)
{
	for (;;) {
		bool more = true;
		(void)memory_learn();
		for (explore_begin_exhaustive(bound); more; more = explore_next()) {
			t->runs++;
			if (!run(s)) {
				t->failed = true;
				return false;
			}
			if (memory_learn())
				break;
			if (now() > until)
				return false;
		}
		if (!more)
			return true;
	}
}

static struct tally search(const struct scenario *s)
{
	struct tally t = {0};
	double begin = now(), until = begin + options.seconds;

	memory_forget();
	if (options.runs) {
		run_random(s, options.runs, 1e300, &t);
		return t;
	}
	if (!run_random(s, 300, begin + options.seconds / 3, &t))
		return t;
	if (s->random_only)
		goto rest;
	for (unsigned bound = 0; bound <= options.bound; bound++) {
		if (!run_bound(s, bound, until, &t))
			break;
		t.bound = bound;
		t.complete = bound == options.bound;
	}
rest:
	if (!t.failed)
		run_random(s, ~0ull, until, &t);
	return t;
}

static bool explore(const struct scenario *s)
{
	double begin = now();
	struct tally t = search(s);

	if (t.failed)
		show(s);
	else
		printf("%-28s %8lu runs up to %u preemptions, %7lu random, %5.1f s\n", s->name, t.runs, t.bound,
		       t.random, now() - begin);
	fflush(stdout);
	return !t.failed;
}

static int replay(const struct scenario *s)
{
	memory_forget();
	/* The same points as in the search that has found it. */
	struct tally t = {0};
	run_random(s, 300, 1e300, &t);
	report_keep_story(true);
	if (!explore_begin_replay(options.replay)) {
		fprintf(stderr, "interleave: these are no choices\n");
		return 2;
	}
	bool ok = run(s);
	report_story();
	printf(ok ? "no failure\n" : "FAILED %s: %s\n", s->name, report_failure());
	return !ok;
}

/*
 * Starts the program again without address-space randomization: places in memory decide what is found to be shared,
 * so a search could not be repeated otherwise. Nor do the words of kobject_nothing, each of which is its address,
 * look like small numbers then, which have a meaning in objects.
 */
static void fix_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now == -1 || now & ADDR_NO_RANDOMIZE)
		return;
	if (personality((unsigned long)now | ADDR_NO_RANDOMIZE) != -1)
		execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {option_list,
					 parse,
					 NULL,
					 "Searches interleavings of the kernel's code on several CPUs.\v"
					 "docs/design/interleave.md explains scenarios, choices and stories.",
					 NULL,
					 NULL,
					 NULL};
	unsigned passed = 0, failed = 0;

	fix_addresses(argv);
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return 2;
	catch_signals();
	world_boot();
	for (unsigned i = 0; i < scenario_count; i++) {
		const struct scenario *s = &scenarios[i];
		if (options.only && !strstr(s->name, options.only))
			continue;
		if (options.list) {
			printf("%-28s %s\n", s->name, s->what);
			passed++;
			continue;
		}
		if (options.replay)
			return replay(s);
		if (explore(s))
			passed++;
		else
			failed++;
		if (options.quiet && (failed || report_races()))
			break;
	}
	if (!options.list)
		printf("%u passed, %u failed, %u data races\n", passed, failed, report_races());
	if (!passed && !failed) {
		fprintf(stderr, "interleave: no such scenario\n");
		return 2;
	}
	return failed || report_races();
}
