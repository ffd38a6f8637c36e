/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The format of Chrome's tracing, which Perfetto reads: times are microseconds. */
#include "fields.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "htrace.h"
#include "result/result.h"
#include "slices.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Processes group tracks. */
enum { PID_SUITE = 1, PID_CPUS, PID_ECS };

static struct {
	struct view_files files;
} o;

static const struct option_spec options[] = {VIEW_OPTIONS(o.files), OPTION_END};

static void print_string(const char *text)
{
	json_t *string = json_file_string(text);
	char *dump = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	fputs(dump ? dump : "\"\"", stdout);
	free(dump);
	json_decref(string);
}

static void print_us(uint64_t ns)
{
	printf("%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
}

static bool first_entry;

static void begin(const char *phase, unsigned pid, uint64_t tid, const char *name)
{
	printf("%s{\"ph\":\"%s\",\"pid\":%u,\"tid\":%" PRIu64 ",\"name\":", first_entry ? "" : ",\n", phase, pid,
	       tid);
	first_entry = false;
	print_string(name);
}

static void print_ts(uint64_t ns)
{
	fputs(",\"ts\":", stdout);
	print_us(ns);
}

static void print_args(const struct view *view, const struct trace_record *r, const struct trace_record *last)
{
	const struct trace_record *both[] = {r, last};
	const char *separator = "";
	struct field fields[FIELDS];
	char text[FIELD_TEXT_MAX];

	fputs(",\"args\":{", stdout);
	for (unsigned k = 0; k < 2 && both[k]; k++) {
		fields_of(both[k], fields);
		for (unsigned i = 0; i < FIELDS; i++) {
			if (!*fields[i].name)
				continue;
			field_text(view, both[k], &fields[i], text);
			printf("%s\"%s\":", separator, fields[i].name);
			print_string(text);
			separator = ",";
		}
	}
	putchar('}');
}

static void name_track(unsigned pid, uint64_t tid, const char *key, const char *name)
{
	begin("M", pid, tid, key);
	fputs(",\"args\":{\"name\":", stdout);
	print_string(name);
	fputs("}}", stdout);
}

static void name_tracks(const struct view *view)
{
	char name[64];

	name_track(PID_SUITE, 0, "process_name", "cases");
	name_track(PID_CPUS, 0, "process_name", "CPUs");
	name_track(PID_ECS, 0, "process_name", "ECs");
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		if (view->trace.cpus[i].known) {
			snprintf(name, sizeof(name), "CPU %u", i);
			name_track(PID_CPUS, i, "thread_name", name);
		}
}

static void name_ecs(const struct view *view, const struct slices *slices)
{
	bool *named = xcalloc(FIELDS * view->count + 1, sizeof(*named)); /* by number */
	char name[64];

	for (size_t i = 0; i < slices->count; i++) {
		uint64_t ec = slices->list[i].ec;
		unsigned number = view_object(view, OBJECT_EC, ec);

		if (!ec || named[number])
			continue;
		snprintf(name, sizeof(name), "EC%u (0x%jx)", number, (uintmax_t)ec); /* idle ones have no slices */
		name_track(PID_ECS, number, "thread_name", name);
		named[number] = true;
	}
	free(named);
}

/* What a slice is called: the hypercall, the reason of the exit, the CPU that an EC is on. */
static void slice_name(const struct view *view, const struct slice *s, char name[FIELD_TEXT_MAX + 8])
{
	struct field fields[FIELDS];

	fields_of(s->first, fields);
	switch (s->kind) {
	case SLICE_HYPERCALL:
		field_text(view, s->first, &fields[0], name);
		break;
	case SLICE_EXIT:
		snprintf(name, FIELD_TEXT_MAX, "exit %s", field_exit(s->first->extra));
		break;
	case SLICE_GUEST:
		snprintf(name, FIELD_TEXT_MAX, "guest ");
		field_text(view, s->first, &fields[1], name + strlen(name));
		break;
	case SLICE_RUN:
		snprintf(name, FIELD_TEXT_MAX, "CPU %u", s->cpu);
		break;
	}
}

static void print_slice(const struct view *view, const struct slice *s)
{
	uint64_t from = view_ns(view, s->begin), to = view_ns(view, s->end);
	char name[FIELD_TEXT_MAX + 8];

	slice_name(view, s, name);
	if (s->kind == SLICE_RUN)
		begin("X", PID_ECS, view_object(view, OBJECT_EC, s->ec), name);
	else
		begin("X", PID_CPUS, s->cpu, name);
	print_ts(from);
	fputs(",\"dur\":", stdout);
	print_us(to - from);
	print_args(view, s->first, s->kind == SLICE_HYPERCALL ? s->last : NULL);
	putchar('}');
}

static bool is_slice(const struct trace_record *r)
{
	return r->event == TRACE_HYPERCALL || r->event == TRACE_HYPERCALL_END || r->event == TRACE_VM_EXIT ||
	       r->event == TRACE_VM_ENTRY;
}

/* Arrows begin and end at slices, so these events have the least length. */
static bool has_arrows(const struct trace_record *r)
{
	return r->event == TRACE_READY || r->event == TRACE_WAKE_REMOTE || r->event == TRACE_DISPATCH ||
	       r->event == TRACE_RESUME;
}

static void print_event(const struct view *view, const struct event *e)
{
	begin(has_arrows(e->r) ? "X" : "i", PID_CPUS, e->cpu, trace_event_name(e->r->event));
	print_ts(view_ns(view, e->r->tsc));
	fputs(has_arrows(e->r) ? ",\"dur\":0.001" : ",\"s\":\"t\"", stdout);
	print_args(view, e->r, NULL);
	putchar('}');
}

/* What an EC leads to has it end: the arrow begins just before. */
static void print_end(const struct view *view, const struct flow *flow, size_t id, bool from)
{
	const struct flow_end *end = from ? &flow->from : &flow->to;
	uint64_t ns = view_ns(view, end->tsc);

	begin(from ? "s" : "f", end->on_ec ? PID_ECS : PID_CPUS,
	      end->on_ec ? view_object(view, OBJECT_EC, end->who) : end->who, flow->name);
	print_ts(from && end->on_ec && ns ? ns - 1 : ns);
	printf(",\"cat\":\"flow\",\"id\":%zu%s}", id, from ? "" : ",\"bp\":\"e\"");
}

static void print_cases(const struct view *view)
{
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(view->trace.meta, "cases"), i, c)
	{
		uint64_t from = view_ns(view, (uint64_t)json_integer_value(json_object_get(c, "begin")));
		uint64_t to = view_ns(view, (uint64_t)json_integer_value(json_object_get(c, "end")));

		if (!to)
			continue; /* over before the first record that is left */
		begin("X", PID_SUITE, 0, json_string_value(json_object_get(c, "name")));
		print_ts(from);
		fputs(",\"dur\":", stdout);
		print_us(to - from);
		putchar('}');
	}
}

static bool show(const struct view *view)
{
	struct slices slices;

	slices_find(&slices, view);
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", stdout);
	first_entry = true;
	name_tracks(view);
	name_ecs(view, &slices);
	print_cases(view);
	for (size_t i = 0; i < slices.count; i++)
		print_slice(view, &slices.list[i]);
	for (size_t i = 0; i < view->count; i++)
		if (!is_slice(view->events[i].r))
			print_event(view, &view->events[i]);
	for (size_t i = 0; i < slices.flow_count; i++) {
		print_end(view, &slices.flows[i], i + 1, true);
		print_end(view, &slices.flows[i], i + 1, false);
	}
	fputs("\n],\"otherData\":", stdout);
	json_dumpf(view->trace.meta, stdout, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	fputs("}\n", stdout);
	slices_free(&slices);
	return true;
}

static int run(char **args, unsigned count)
{
	(void)count;
	return view_with(args[0], &o.files, show);
}

const struct verb verb_json = {
	.name = "json",
	.summary = "write JSON for Perfetto and Chrome's tracing",
	.args = "FILE",
	.doc = "Write the trace in the JSON format of Chrome's tracing, which https://ui.perfetto.dev opens: a track "
	       "for "
	       "each CPU with hypercalls and exits of guests, one for each EC that shows where it runs, and arrows "
	       "from "
	       "caller to callee and back, and from who wakes to who is woken.",
	.examples = "  htrace json new.htrace > new.json\n"
		    "  htrace json --kernel hypervisor --user ipc.elf new.htrace > new.json\n",
	.options = options,
	.args_min = 1,
	.args_max = 1,
	.args_needed = "one trace is needed",
	.run = run,
};
