/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison for other programs: what the tables show, with verdicts as words. */
#include "report/report.h"
#include "stats/machine_identity.h"

#include <stddef.h>

static json_t *side(const struct result *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "machine", result_text(r, "machine"), "date",
			 result_text(r, "date"), "kernel", result_text(r, "kernel_boot_line"), "kernel_sha256",
			 result_text(r, "kernel_sha256"), "git_revision", result_text(r, "git_revision"));
}

static json_t *number(bool exact, uint64_t whole, double value)
{
	return exact ? json_integer((json_int_t)whole) : json_real(value);
}

static json_t *pair(const struct pair *p, const char *metric, bool exact)
{
	const struct difference *o = &p->difference;
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:f}", "name", p->name, "metric", metric, "estimator",
			  p->estimator->name, "verdict", verdict_name(o->verdict), "threshold_percent", p->threshold);

	if (o->verdict != VERDICT_NEW)
		json_object_set_new(object, "a", number(exact, o->a, o->from));
	if (o->verdict != VERDICT_MISSING)
		json_object_set_new(object, "b", number(exact, o->b, o->to));
	if (verdict_has_both(o)) {
		json_object_set_new(object, "change", exact ? json_integer(o->change) : json_real(o->to - o->from));
		json_object_set_new(object, "change_percent", json_real(o->percent));
	}
	if (o->tested) {
		if (o->from > 0) /* else there is nothing to have a percentage of */
			json_object_set_new(object, "interval_percent",
					    json_pack("[f, f]", o->interval.low, o->interval.high));
		json_object_set_new(object, "p", json_real(o->p));
		json_object_set_new(object, "superiority", json_real(o->superiority));
	}
	if (o->smallest > 0)
		json_object_set_new(object, "smallest_seen_percent", json_real(o->smallest));
	if (o->boots)
		json_object_set_new(object, "boots_needed", json_integer((json_int_t)o->boots));
	json_object_set_new(object, "gated", json_boolean(!p->informs));
	if (p->has_limit) {
		json_object_set_new(object, "limit", json_real(p->limit));
		json_object_set_new(object, "over_limit", json_boolean(p->over_limit));
	}
	if (p->note_a)
		json_object_set_new(object, "note_a", json_string(p->note_a));
	if (p->note)
		json_object_set_new(object, "note_b", json_string(p->note));
	if (*o->why)
		json_object_set_new(object, "why", json_string(o->why));
	return object;
}

static void add_finding(void *list, const struct finding *a, const struct finding *b)
{
	finding_text of_a, of_b;

	finding_value_text(a, of_a);
	finding_value_text(b, of_b);
	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", a->name, "a", of_a, "b", of_b,
					      "weight_a", finding_weight_name(a->weight), "weight_b",
					      finding_weight_name(b->weight)));
}

void report_json(FILE *out, const struct comparison *c)
{
	json_t *pairs = json_array(), *findings = json_array(), *root;

	machine_identity_findings(c->a, c->b, add_finding, findings);
	for (size_t i = 0; i < c->count; i++)
		json_array_append_new(pairs, pair(&c->pairs[i], metric_of_case(c->metric, c->pairs[i].name)->name,
						  c->metric->exact));
	root = json_pack("{s:s, s:s, s:o, s:o, s:b, s:I, s:o, s:o}", "suite", result_text(c->b, "suite"), "metric",
			 c->metric->name, "a", side(c->a), "b", side(c->b), "lab_drift", compare_drifted(c),
			 "boots_planned", (json_int_t)c->boots, "findings_changed", findings, "cases", pairs);
	json_dumpf(root, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(root);
}
