/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report_page.h"

#include "report/html.h"
#include "report/report.h"
#include "report/report_page_case.h"
#include "stats/machine_identity.h"

extern const char report_page_css[], report_page_js[]; /* report_page.S */

static void print_head(FILE *out, const struct report_section *sections, size_t count)
{
	const struct result *r = sections[0].result;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
	      out);
	if (count == 1)
		html_printf(out, "%s on %s", result_text(r, "suite"), result_text(r, "machine"));
	else
		html_printf(out, "%zu results of hbench", count);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", report_page_css);
}

static void overview_row(FILE *out, const struct report_section *page)
{
	const struct comparison *c = page->comparison;

	fprintf(out, "<tr><td><a href=\"#result-%zu\">", page->index);
	html_text(out, result_text(page->result, "suite"));
	fputs("</a></td>", out);
	html_cell(out, "td", NULL, "%s", result_text(page->result, "machine"));
	html_cell(out, "td", "number", "%zu", page->result->count);
	for (size_t v = 0; v < VERDICT_COUNT; v++) {
		char class[32];

		snprintf(class, sizeof(class), "number %s",
			 c && c->tally[v] ? report_page_class((enum verdict)v) : "dim");
		if (c)
			html_cell(out, "td", class, "%zu", c->tally[v]);
		else
			html_cell(out, "td", class, "%s", "");
	}
	fputs("</tr>\n", out);
}

/* A table of contents, with how each result compares. */
static void print_overview(FILE *out, const struct report_section *sections, size_t count)
{
	fputs("<h1>Results</h1>\n<div class=\"scroll\"><table>\n<tr><th>suite</th><th>machine</th>"
	      "<th class=\"number\">cases</th>",
	      out);
	for (size_t v = 0; v < VERDICT_COUNT; v++)
		html_cell(out, "th", "number", "%s", verdict_name((enum verdict)v));
	fputs("</tr>\n", out);
	for (size_t i = 0; i < count; i++)
		overview_row(out, &sections[i]);
	fputs("</table></div>\n", out);
}

static void print_title(FILE *out, const struct report_section *page, const struct metric *metric)
{
	const struct result *r = page->result;

	fprintf(out, "<h1 id=\"result-%zu\">", page->index);
	html_printf(out, "%s on %s", result_text(r, "suite"), result_text(r, "machine"));
	fputs("</h1>\n<p class=\"dim\">", out);
	html_printf(out, "%s%s%s%s, measured %s", page->suite ? page->suite->title : "", page->suite ? "; " : "",
		    metric ? metric->unit : result_text(r, "metric"), metric && metric->exact ? " (exact)" : "",
		    result_text(r, "date"));
	fputs("</p>\n", out);
}

static void tile(FILE *out, const char *class, size_t number, const char *text)
{
	fprintf(out, "<li><b class=\"%s\">%zu</b>", class, number);
	html_text(out, text);
	fputs("</li>\n", out);
}

static void print_tiles(FILE *out, const struct report_section *page)
{
	const struct comparison *c = page->comparison;
	size_t boots = (size_t)json_integer_value(json_object_get(page->result->context, "boots"));

	fputs("<ul class=\"tiles\">\n", out);
	tile(out, "", page->result->count, "cases");
	tile(out, "", boots, boots == 1 ? "boot" : "boots");
	for (size_t v = 0; c && v < VERDICT_COUNT; v++)
		if (c->tally[v] || v <= VERDICT_WORSE)
			tile(out, c->tally[v] ? report_page_class((enum verdict)v) : "dim", c->tally[v],
			     verdict_name((enum verdict)v));
	fputs("</ul>\n", out);
	if (c && compare_drifted(c))
		fputs("<p class=\"bad\">Lab drift: both sides ran the same kernel and roottask, byte for byte; what "
		      "differs comes from the machine.</p>\n",
		      out);
}

/* --- the machine --- */

static void print_fact(void *context, const char *label, const char *value)
{
	FILE *out = context;

	fputs("<tr>", out);
	html_cell(out, "th", NULL, "%s", label);
	html_cell(out, "td", "text", "%s", value);
	fputs("</tr>\n", out);
}

static void print_facts(FILE *out, const struct result *r, const char *title)
{
	static const char *const more[][2] = {
		{"kernel_boot_line", "kernel"},        {"kernel_build_id", "kernel's build id"},
		{"kernel_sha256", "kernel's SHA-256"}, {"roottask_sha256", "roottask's SHA-256"},
		{"git_revision", "revision"},          {"date", "measured"},
	};

	fputs("<h3>", out);
	html_text(out, title);
	fputs("</h3>\n<div class=\"scroll\"><table>\n", out);
	for (size_t i = 0; i < array_size(more); i++)
		if (*result_text(r, more[i][0]))
			print_fact(out, more[i][1], result_text(r, more[i][0]));
	machine_identity_facts(r, print_fact, out);
	fputs("</table></div>\n", out);
}

static void print_machines(FILE *out, const struct report_section *page)
{
	fputs("<h2>Machine and programs</h2>\n<details><summary>What was measured, and where</summary>\n", out);
	if (page->comparison)
		print_facts(out, page->comparison->a, "Baseline (A)");
	print_facts(out, page->result, page->comparison ? "Result (B)" : "Result");
	fputs("</details>\n", out);
}

/* --- the table of all cases --- */

static void print_name_cell(FILE *out, const struct report_section *page, const char *name, const char *label)
{
	fputs("<td><a href=\"#", out);
	report_page_id(out, page, name);
	fputs("\">", out);
	html_text(out, report_short_name(label));
	fputs("</a></td>", out);
}

static void print_confidence(FILE *out, const struct difference *o)
{
	if (o->tested)
		html_cell(out, "td", "number dim", "%+.2f..%+.2f%%, p %s%.4f", o->interval.low, o->interval.high,
			  o->p < 1e-4 ? "< " : "", o->p < 1e-4 ? 1e-4 : o->p);
	else
		html_cell(out, "td", NULL, "%s", "");
}

static void print_sight(FILE *out, const struct pair *p)
{
	if (p->difference.smallest > 0)
		html_cell(out, "td", "number dim", "%.4g%%, %.2f%%", p->threshold, p->difference.smallest);
	else
		html_cell(out, "td", "number dim", "%.4g%%", p->threshold);
}

static void print_goal(FILE *out, const struct pair *p)
{
	if (p->has_goal)
		html_cell(out, "td", p->goal_met ? "dim" : "doubt", "%.4g %s", p->goal,
			  p->goal_met ? "met" : "not met");
	else
		html_cell(out, "td", NULL, "%s", "");
}

/* --- other systems --- */

static void print_peer_titles(FILE *out, const struct report_section *page)
{
	const struct peer *peers[PEERS_BESIDE_MAX];
	size_t count = peers_beside(page->peers, page->result, peers);

	for (size_t i = 0; i < count; i++)
		html_cell(out, "th", "number", "%s", peers[i]->title);
}

static void print_peer_cells(FILE *out, const struct report_section *page, const char *name)
{
	const struct peer *peers[PEERS_BESIDE_MAX];
	size_t count = peers_beside(page->peers, page->result, peers);
	const struct benchmark *ours = result_find(page->result, name);

	for (size_t i = 0; i < count; i++) {
		uint64_t theirs = peer_value(peers[i], name);
		bool ahead = ours && peer_ahead(peers[i], name, ours->merged.min);

		if (theirs)
			html_cell(out, "td", ahead ? "number bad" : "number dim", "%ju", (uintmax_t)theirs);
		else
			html_cell(out, "td", NULL, "%s", "");
	}
}

static void print_peers(FILE *out, const struct report_section *page)
{
	const struct peer *peers[PEERS_BESIDE_MAX];
	size_t count = peers_beside(page->peers, page->result, peers);

	if (!count)
		return;
	fputs("<p class=\"dim\">Red numbers of other systems are below ours. Others have other contracts, and "
	      "instructions are no time:</p>\n<ul class=\"notes\">\n",
	      out);
	for (size_t i = 0; i < count; i++) {
		fputs("<li>", out);
		html_printf(out, "%s %s, measured %s on %s (%s). It differs: %s.", peers[i]->name, peers[i]->version,
			    peers[i]->date, peers[i]->machine, peers[i]->how, peers[i]->differs);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void print_pair(FILE *out, const struct report_section *page, const struct pair *p)
{
	bool exact = page->comparison->metric->exact;
	const struct difference *o = &p->difference;
	const char *class = report_page_class(o->verdict);
	char from[32], to[32];

	fputs("<tr", out);
	report_page_words(out, p->label, verdict_name(o->verdict));
	fputc('>', out);
	print_name_cell(out, page, p->name, p->label);
	sample_ticks_text(o->from, from);
	sample_ticks_text(o->to, to);
	html_cell(out, "td", "number", "%s", o->verdict == VERDICT_NEW ? "-" : from);
	html_cell(out, "td", "number", "%s", o->verdict == VERDICT_MISSING ? "-" : to);
	if (verdict_has_both(o) && (exact ? o->change != 0 : o->to != o->from))
		html_cell(out, "td", "number", "%+.2f%%", o->percent);
	else
		html_cell(out, "td", NULL, "%s", "");
	if (!exact)
		print_confidence(out, o);
	print_sight(out, p);
	if (p->over_limit)
		html_cell(out, "td", p->informs ? "doubt" : "bad", "%s, over %.6g", verdict_name(o->verdict),
			  p->limit);
	else
		html_cell(out, "td", class, p->informs ? "(%s)" : "%s", verdict_name(o->verdict));
	if (exact)
		print_goal(out, p);
	print_peer_cells(out, page, p->estimator == page->comparison->metric->estimator ? p->name : "");
	fputs("</tr>\n", out);
}

static void print_row(FILE *out, const struct report_section *page, const struct benchmark *b)
{
	const struct sample *s = &b->merged;
	const struct metric *metric = metric_find(result_text(page->result, "metric"));
	double numbers[] = {sample_ticks(s, s->min), sample_ticks(s, s->p50), sample_ticks(s, s->p99),
			    sample_ticks(s, s->p999), sample_ticks(s, s->max)};
	char text[32];

	if (metric) {
		numbers[1] = report_quantile(metric, "p50", b);
		numbers[2] = report_quantile(metric, "p99", b);
		numbers[3] = report_quantile(metric, "p999", b);
	}

	fputs("<tr", out);
	report_page_words(out, b->name, "");
	fputc('>', out);
	print_name_cell(out, page, b->name, b->name);
	for (size_t i = 0; i < array_size(numbers); i++) {
		sample_ticks_text(numbers[i], text);
		html_cell(out, "td", "number", "%s", text);
	}
	html_cell(out, "td", "number", "%ju", (uintmax_t)s->n);
	print_peer_cells(out, page, b->name);
	fputs("</tr>\n", out);
}

static void print_titles(FILE *out, const struct report_section *page)
{
	static const char *const single[] = {"case", ">min", ">p50", ">p99", ">p99.9", ">max", ">windows", NULL};
	static const char *const counts[] = {"case",    ">A",   ">B", ">change", ">threshold, seen",
					     "verdict", "goal", NULL};
	static const char *const times[] = {"case",    ">A", ">B", ">change", ">99% interval, p", ">threshold, seen",
					    "verdict", NULL};
	const char *const *titles = !page->comparison ? single : page->comparison->metric->exact ? counts : times;

	fputs("<tr>", out);
	for (; *titles; titles++)
		html_cell(out, "th", **titles == '>' ? "number" : NULL, "%s", *titles + (**titles == '>'));
	print_peer_titles(out, page);
	fputs("</tr>\n", out);
}

static void print_summary(FILE *out, const struct report_section *page)
{
	const struct comparison *c = page->comparison;

	fputs("<h2>Summary</h2>\n<div class=\"scroll\"><table>\n", out);
	print_titles(out, page);
	for (size_t i = 0; c && i < c->count; i++)
		print_pair(out, page, &c->pairs[i]);
	for (size_t i = 0; !c && i < page->result->count; i++)
		print_row(out, page, &page->result->benchmarks[i]);
	fputs("</table></div>\n", out);
	print_peers(out, page);
}

static void print_skipped(FILE *out, const struct result *r)
{
	const char *name;
	json_t *why;

	if (!json_object_size(json_object_get(r->context, "skipped")))
		return;
	fputs("<h2>Not measured</h2>\n<ul>\n", out);
	json_object_foreach(json_object_get(r->context, "skipped"), name, why)
	{
		fputs("<li>", out);
		html_printf(out, "%s: %s", name, json_string_value(why) ? json_string_value(why) : "");
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void print_section(FILE *out, const struct report_section *page)
{
	const struct metric *metric = metric_find(result_text(page->result, "metric"));

	fputs("<section>\n", out);
	print_title(out, page, metric);
	print_tiles(out, page);
	print_machines(out, page);
	print_summary(out, page);
	fputs("<h2>Cases</h2>\n", out);
	for (size_t i = 0; i < page->result->count; i++)
		report_page_case(out, page, &page->result->benchmarks[i], metric);
	print_skipped(out, page->result);
	fputs("</section>\n", out);
}

void report_page(FILE *out, const struct report_section *sections, size_t count)
{
	print_head(out, sections, count);
	fputs("<p class=\"filter\"><input id=\"filter\" type=\"search\" placeholder=\"Filter: words of names and "
	      "verdicts\" aria-label=\"Filter\" hidden></p>\n",
	      out);
	if (count > 1)
		print_overview(out, sections, count);
	for (size_t i = 0; i < count; i++)
		print_section(out, &sections[i]);
	fprintf(out, "<p class=\"dim\">hbench %s</p>\n<script>\n%s</script>\n</body>\n</html>\n", TOOLS_VERSION,
		report_page_js);
}
