/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/progress.h"

#include "host/clock.h"
#include "host/error.h"
#include "result/suite.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

void progress_start(struct progress *progress, unsigned boots, bool quiet)
{
	*progress = (struct progress){
		.terminal = isatty(STDERR_FILENO),
		.quiet = quiet,
		.boots = boots,
		.label = "",
		.start = clock_seconds(),
	};
}

void progress_boot(struct progress *progress, const char *label)
{
	progress->boot++;
	progress->label = label;
	progress->told_boot = false;
	progress->shown = 0;
	progress->boot_start = clock_seconds();
}

static size_t cases(const struct session *session)
{
	return session->measured_count + session->skipped_count;
}

static void print_stamp(const struct progress *p)
{
	if (p->boots > 1)
		fprintf(stderr, "boot %u/%u ", p->boot, p->boots);
	if (*p->label)
		fprintf(stderr, "%s ", p->label);
	fprintf(stderr, "%6.1f s  ", clock_seconds() - p->boot_start);
}

/* Cases take about the same time each, and boots do: good enough to decide whether to wait or to go for a coffee. */
static double remaining(const struct progress *p, const struct session *s)
{
	double of_boot = (double)cases(s) / (double)p->expected;
	double done = (p->boot - 1 + (of_boot < 1 ? of_boot : 1)) / p->boots;

	return done > 0 ? (clock_seconds() - p->start) * (1 - done) / done : -1;
}

static void status_line(struct progress *p, const struct session *s)
{
	double left = p->expected ? remaining(p, s) : -1;

	p->refreshed = clock_seconds();
	fputs("\r\033[K", stderr);
	print_stamp(p);
	if (!s->boot_line[0])
		fputs("booting", stderr);
	else if (p->expected)
		fprintf(stderr, "%zu of %zu cases", cases(s), p->expected);
	else
		fprintf(stderr, "%zu cases", cases(s));
	if (left >= 0)
		fprintf(stderr, ", about %.0f s left", left);
	if (s->measured_count)
		fprintf(stderr, ", last %.60s", s->measured[s->measured_count - 1].name);
	fflush(stderr);
}

static void plain_lines(struct progress *p, const struct session *s)
{
	if (s->boot_line[0] && !p->told_boot) {
		p->told_boot = true;
		print_stamp(p);
		fprintf(stderr, "%s\n", s->boot_line);
	}
	for (; p->shown < s->measured_count; p->shown++) {
		const struct measurement *m = &s->measured[p->shown];

		print_stamp(p);
		fprintf(stderr, "%s: min %ju\n", m->name, (uintmax_t)sample_whole_ticks(&m->sample, m->sample.min));
	}
}

/* Looks the suite up as soon as its name is known, for the number of its cases. */
static void learn_suite(struct progress *p, const struct session *s)
{
	struct suite suite;
	struct error ignored;

	if (p->suite_known || !s->seen_run)
		return;
	p->suite_known = true;
	if (suite_load(&suite, s->run.suite, &ignored)) {
		p->expected = suite.count;
		suite_free(&suite);
	}
}

void progress_update(struct progress *progress, const struct session *session)
{
	if (progress->quiet)
		return;
	learn_suite(progress, session);
	if (!progress->terminal)
		plain_lines(progress, session);
	else if (clock_seconds() - progress->refreshed > 0.1)
		status_line(progress, session);
}

void progress_finish(struct progress *progress, const struct session *session)
{
	if (progress->quiet)
		return;
	if (progress->terminal) {
		status_line(progress, session);
		fputc('\n', stderr);
		return;
	}
	plain_lines(progress, session);
	print_stamp(progress);
	fprintf(stderr, "%zu cases measured, %zu skipped\n", session->measured_count, session->skipped_count);
}
