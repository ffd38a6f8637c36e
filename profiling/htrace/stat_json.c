/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stat_json.h"

#include "fields.h"
#include "guest_exits.h"
#include "host/json_file.h"
#include "path_sample.h"
#include "result/result.h"
#include "samples.h"

#include <stdio.h>

/* The largest there is for what is larger: only in files that somebody made up. */
static json_t *integer(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *cpus(const struct view *view)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++) {
		const struct trace_cpu *cpu = &view->trace.cpus[i];

		if (cpu->known)
			json_array_append_new(list, json_pack("{s:i, s:o, s:o}", "cpu", (int)i, "records",
							      integer(cpu->count), "lost", integer(cpu->lost)));
	}
	return list;
}

static json_t *events(const struct view *view)
{
	size_t counts[TRACE_EVENTS] = {0};
	json_t *object = json_object();

	for (size_t i = 0; i < view->count; i++)
		counts[view->events[i].r->event]++;
	for (unsigned i = 0; i < TRACE_EVENTS; i++)
		json_object_set_new(object, trace_event_name(i), integer(counts[i]));
	return object;
}

static json_t *counters(const struct view *view, const struct path_sample *p)
{
	json_t *object = json_object();

	for (unsigned i = 0; i < trace_counters(&view->trace); i++)
		json_object_set_new(object, trace_counter_name(trace_counter(&view->trace, i)),
				    json_real(p->counters[i]));
	return object;
}

static json_t *path(const struct view *view, const struct path_sample *p)
{
	const struct sample *s = &p->sample;
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {{"count", s->n}, {"min", s->min},   {"p50", s->p50}, {"p90", s->p90},
		       {"p99", s->p99}, {"p999", s->p999}, {"max", s->max}, {"sum", s->sum}};
	json_t *object = json_object(), *hist = json_array();

	for (size_t i = 0; i < array_size(numbers); i++)
		json_object_set_new(object, numbers[i].name, integer(numbers[i].value));
	json_object_set_new(object, "mean", json_real(p->mean));
	json_object_set_new(object, "counters", counters(view, p));
	for (size_t i = 0; i < s->hist.used; i++)
		json_array_append_new(hist,
				      json_pack("[o,o,o]", integer(s->hist.bins[i].lower),
						integer(s->hist.bins[i].width), integer(s->hist.bins[i].count)));
	json_object_set_new(object, "hist", hist);
	return object;
}

static json_t *paths(const struct view *view)
{
	json_t *object = json_object();
	struct path_sample p;

	for (unsigned i = 0; i < TRACE_PATHS; i++)
		if (path_sample(&p, &view->trace, i, HEDRON_CPU_MAX)) {
			json_object_set_new(object, trace_path_name(i), path(view, &p));
			path_sample_free(&p);
		}
	return object;
}

static json_t *exits(const struct view *view)
{
	json_t *list = json_array();
	struct guest_exits all;

	guest_exits_find(&all, view);
	for (size_t i = 0; i < all.count; i++) {
		const struct guest_exit *e = &all.list[i];

		json_array_append_new(list, json_pack("{s:s, s:i, s:o}", "exit", field_exit(e->reason), "reason",
						      (int)e->reason, "ticks",
						      e->entered ? integer(e->ticks) : json_null()));
	}
	guest_exits_free(&all);
	return list;
}

static json_t *samples(const struct view *view)
{
	json_t *list = json_array();
	struct sample_rows rows;

	samples_count(&rows, view);
	for (size_t i = 0; i < rows.count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "mode", field_mode(rows.rows[i].mode),
						      "function", json_file_string(rows.rows[i].name), "count",
						      integer(rows.rows[i].count)));
	samples_free(&rows);
	return list;
}

void stat_json(FILE *out, const struct view *view)
{
	json_t *root =
		json_pack("{s:O, s:o, s:o, s:o, s:o, s:o}", "trace", view->trace.meta, "cpus", cpus(view), "events",
			  events(view), "paths", paths(view), "exits", exits(view), "samples", samples(view));

	json_dumpf(root, out, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	fputc('\n', out);
	json_decref(root);
}
