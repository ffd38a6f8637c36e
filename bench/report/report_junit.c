/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JUnit XML: a regression is a failure, a missing benchmark an error, an unsure or new one is skipped. */
#include "host/compiler.h"
#include "report/report.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void print_escaped(FILE *out, const char *text)
{
	static const char *const entities[] = {['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"};

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < array_size(entities) && entities[c])
			fputs(entities[c], out);
		else
			fputc(c < ' ' || c > '~' ? '?' : c, out);
	}
}

void report_junit_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	print_escaped(out, value);
	fputc('"', out);
}

static void print_outcome(FILE *out, const char *element, const char *message)
{
	fprintf(out, "    <%s", element);
	report_junit_attribute(out, "message", message);
	fputs("/>\n", out);
}

static void print_verdict(FILE *out, const struct comparison *c, const struct pair *p)
{
	const struct difference *o = &p->difference;
	char text[512], from[32], to[32], change[32], confidence[80] = "";

	if (o->tested && o->from > 0)
		snprintf(confidence, sizeof(confidence), ", 99%% between %+.2f%% and %+.2f%%, p %.3g",
			 o->interval.low, o->interval.high, o->p);
	if (p->over_limit) {
		snprintf(text, sizeof(text), "%ju is above the limit of %.6g", (uintmax_t)o->b, p->limit);
		print_outcome(out, p->informs ? "skipped" : "failure", text);
		return;
	}
	switch (o->verdict) {
	case VERDICT_WORSE:
		sample_ticks_text(o->from, from);
		sample_ticks_text(o->to, to);
		sample_ticks_text(o->to - o->from, change);
		snprintf(text, sizeof(text), "%s became %s (+%s, %+.2f%%%s) %s", from, to, change, o->percent,
			 confidence, metric_of_case(c->metric, p->name)->unit);
		print_outcome(out, p->informs ? "skipped" : "failure", text);
		break;
	case VERDICT_MISSING:
		print_outcome(out, p->informs ? "skipped" : "error",
			      p->note ? p->note : "in the baseline, not in the result");
		break;
	case VERDICT_UNSURE:
		print_outcome(out, "skipped", o->why);
		break;
	case VERDICT_NEW:
		print_outcome(out, "skipped", "not in the baseline yet");
		break;
	default:
		break;
	}
}

static void print_incomplete(FILE *out, const char *side, const char *note)
{
	if (!note)
		return;
	fprintf(out, "; %s is incomplete: ", side);
	print_escaped(out, note);
}

static void print_pair(FILE *out, const struct comparison *c, const struct pair *p)
{
	char from[32], to[32];

	fputs("  <testcase", out);
	report_junit_attribute(out, "classname", result_text(c->b, "machine"));
	report_junit_attribute(out, "name", p->label);
	fputs(" time=\"0\">\n", out);
	print_verdict(out, c, p);
	sample_ticks_text(p->difference.from, from);
	sample_ticks_text(p->difference.to, to);
	fprintf(out, "    <system-out>A %s, B %s, %s", from, to, verdict_name(p->difference.verdict));
	fprintf(out, ", threshold %.4g%%", p->threshold);
	if (p->difference.smallest > 0)
		fprintf(out, ", %.2f%% would have been seen", p->difference.smallest);
	print_incomplete(out, "A", p->note_a);
	print_incomplete(out, "B", p->note);
	fputs("</system-out>\n  </testcase>\n", out);
}

/* Each test has at most one outcome, and one of what only informs is skipped. */
static void count_outcomes(const struct comparison *c, size_t *failures, size_t *errors, size_t *skipped)
{
	*failures = *errors = *skipped = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct pair *p = &c->pairs[i];
		bool worse = p->difference.verdict == VERDICT_WORSE || p->over_limit;
		bool missing = p->difference.verdict == VERDICT_MISSING;
		bool other = p->difference.verdict == VERDICT_UNSURE || p->difference.verdict == VERDICT_NEW;

		*failures += worse && !p->informs;
		*errors += missing && !p->informs;
		*skipped += ((worse || missing) && p->informs) || (other && !worse);
	}
}

void report_junit(FILE *out, const struct comparison *c)
{
	size_t failures, errors, skipped;

	count_outcomes(c, &failures, &errors, &skipped);
	fputs("<testsuite", out);
	report_junit_attribute(out, "name", result_text(c->b, "suite"));
	report_junit_attribute(out, "timestamp", result_text(c->b, "date"));
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", c->count, failures, errors,
		skipped);
	for (size_t i = 0; i < c->count; i++)
		print_pair(out, c, &c->pairs[i]);
	fputs("</testsuite>\n", out);
}

void report_junit_invalid(FILE *out, const char *file)
{
	fputs("<testsuite", out);
	report_junit_attribute(out, "name", file);
	fputs(" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">\n  <testcase", out);
	report_junit_attribute(out, "name", file);
	fputs(" time=\"0\">\n", out);
	print_outcome(out, "error", "it was not compared with a baseline");
	fputs("  </testcase>\n</testsuite>\n", out);
}
