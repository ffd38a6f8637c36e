/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "slices.h"

#include "fields.h"
#include "host/mem.h"

#include <stdlib.h>

#define KINDS (SLICE_RUN + 1)
#define NONE SIZE_MAX

struct cpu {
	size_t open[KINDS];         /* index of the slice; NONE: there is none */
	uint64_t last;              /* TSC of the last event */
	const struct event *signal; /* a work item on its way to this CPU */
};

struct finder {
	struct slices *out;
	const struct view *view;
	struct cpu cpus[HEDRON_CPU_MAX];
	const struct event **ready; /* by number of the EC: it became ready and did not run since */
};

static size_t open_slice(struct finder *f, const struct event *e, enum slice_kind kind, uint64_t ec)
{
	struct slices *out = f->out;

	if (!(out->count & (out->count - 1)))
		out->list = xreallocarray(out->list, out->count ? 2 * out->count : 1, sizeof(*out->list));
	out->list[out->count] = (struct slice){kind, e->cpu, e->r->tsc, e->r->tsc, e->r, NULL, ec};
	f->cpus[e->cpu].open[kind] = out->count;
	return out->count++;
}

static void close_slice(struct finder *f, unsigned cpu, enum slice_kind kind, uint64_t tsc,
			const struct trace_record *last)
{
	size_t *open = &f->cpus[cpu].open[kind];

	if (*open == NONE)
		return;
	f->out->list[*open].end = tsc;
	f->out->list[*open].last = last;
	*open = NONE;
}

/* Slices of a CPU are nested: a hypercall holds what happens on its way. */
static void close_hypercall(struct finder *f, const struct event *e, const struct trace_record *last)
{
	close_slice(f, e->cpu, SLICE_EXIT, e->r->tsc, NULL);
	close_slice(f, e->cpu, SLICE_GUEST, e->r->tsc, NULL);
	close_slice(f, e->cpu, SLICE_HYPERCALL, e->r->tsc, last);
}

static void close_all(struct finder *f, unsigned cpu)
{
	for (unsigned kind = 0; kind < KINDS; kind++)
		close_slice(f, cpu, (enum slice_kind)kind, f->cpus[cpu].last, NULL);
	f->cpus[cpu].signal = NULL;
}

static void add_flow(struct finder *f, const char *name, struct flow_end from, struct flow_end to)
{
	struct slices *out = f->out;

	if (!(out->flow_count & (out->flow_count - 1)))
		out->flows =
			xreallocarray(out->flows, out->flow_count ? 2 * out->flow_count : 1, sizeof(*out->flows));
	out->flows[out->flow_count++] = (struct flow){name, from, to};
}

static struct flow_end on_cpu(const struct event *e)
{
	return (struct flow_end){false, e->cpu, e->r->tsc};
}

static struct flow_end on_ec(const struct event *e, uint64_t ec)
{
	return (struct flow_end){true, ec, e->r->tsc};
}

/* An EC goes on: another one than before, or again. */
static void run(struct finder *f, const struct event *e, uint64_t ec)
{
	unsigned number = view_object(f->view, OBJECT_EC, ec);
	size_t open = f->cpus[e->cpu].open[SLICE_RUN];

	if (f->ready[number]) {
		add_flow(f, "wake-up", on_cpu(f->ready[number]), on_ec(e, ec));
		f->ready[number] = NULL;
	}
	if (open != NONE && f->out->list[open].ec == ec)
		return;
	close_slice(f, e->cpu, SLICE_RUN, e->r->tsc, e->r);
	if (ec)
		open_slice(f, e, SLICE_RUN, ec);
}

static void message(struct finder *f, const struct event *e, const char *name)
{
	size_t open = f->cpus[e->cpu].open[SLICE_RUN];

	if (open == NONE || f->out->list[open].ec != e->r->a)
		run(f, e, e->r->a); /* the trace began in the middle */
	run(f, e, e->r->b);
	add_flow(f, name, on_ec(e, e->r->a), on_ec(e, e->r->b));
}

static void work_arrives(struct finder *f, const struct event *e)
{
	const struct event **signal = &f->cpus[e->cpu].signal;

	if (*signal)
		add_flow(f, "work item", on_cpu(*signal), on_cpu(e));
	*signal = NULL;
}

static void take_hypercall(struct finder *f, const struct event *e)
{
	close_hypercall(f, e, e->r->event == TRACE_HYPERCALL_END ? e->r : NULL);
	if (e->r->event == TRACE_HYPERCALL)
		open_slice(f, e, SLICE_HYPERCALL, 0);
	else
		run(f, e, e->r->a);
}

static void take_guest(struct finder *f, const struct event *e)
{
	bool exit = e->r->event == TRACE_VM_EXIT;

	close_slice(f, e->cpu, exit ? SLICE_GUEST : SLICE_EXIT, e->r->tsc, e->r);
	close_slice(f, e->cpu, exit ? SLICE_EXIT : SLICE_GUEST, e->r->tsc, NULL);
	open_slice(f, e, exit ? SLICE_EXIT : SLICE_GUEST, 0);
}

static void take_resume(struct finder *f, const struct event *e)
{
	close_slice(f, e->cpu, SLICE_EXIT, e->r->tsc, e->r);
	work_arrives(f, e);
	run(f, e, e->r->extra == TRACE_RESUME_IDLE ? 0 : e->r->a);
}

static void take(struct finder *f, const struct event *e)
{
	switch ((enum trace_event)e->r->event) {
	case TRACE_HYPERCALL:
	case TRACE_HYPERCALL_END:
		take_hypercall(f, e);
		break;
	case TRACE_CALL:
		message(f, e, "call");
		break;
	case TRACE_REPLY:
		message(f, e, "reply");
		break;
	case TRACE_HELP:
		message(f, e, "help");
		break;
	case TRACE_VM_EXIT:
	case TRACE_VM_ENTRY:
		take_guest(f, e);
		break;
	case TRACE_RESUME:
		take_resume(f, e);
		break;
	case TRACE_READY:
		work_arrives(f, e);
		f->ready[view_object(f->view, OBJECT_EC, e->r->a)] = e;
		break;
	case TRACE_DISPATCH:
		work_arrives(f, e);
		break;
	case TRACE_WAKE_REMOTE:
		if (e->r->extra < HEDRON_CPU_MAX)
			f->cpus[e->r->extra].signal = e;
		break;
	default:
		break;
	}
}

/* The largest number of an EC is not above that of the fields that hold one. */
static size_t numbers(const struct view *view)
{
	return FIELDS * view->count + 1;
}

void slices_find(struct slices *slices, const struct view *view)
{
	struct finder *f = xcalloc(1, sizeof(*f));

	*slices = (struct slices){0};
	f->out = slices;
	f->view = view;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the elements are pointers */
	f->ready = xcalloc(numbers(view), sizeof(*f->ready));
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		for (unsigned kind = 0; kind < KINDS; kind++)
			f->cpus[i].open[kind] = NONE;
	for (size_t i = 0; i < view->count; i++) {
		const struct event *e = &view->events[i];

		if (e->gap)
			close_all(f, e->cpu);
		take(f, e);
		f->cpus[e->cpu].last = e->r->tsc;
	}
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		close_all(f, i);
	free(f->ready);
	free(f);
}

void slices_free(struct slices *slices)
{
	free(slices->list);
	free(slices->flows);
	*slices = (struct slices){0};
}
