/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view.h"

#include "fields.h"
#include "host/exit_code.h"
#include "host/mem.h"
#include "objects.h"

#include <stdlib.h>

/* Records of one CPU of the same time stay in their order: they lie one behind the other. */
static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->r->tsc != y->r->tsc)
		return x->r->tsc < y->r->tsc ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->r < y->r ? -1 : x->r > y->r;
}

static void merge(struct view *view)
{
	size_t total = 0;

	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		total += view->trace.cpus[i].count;
	view->events = xcalloc(total, sizeof(*view->events));
	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++) {
		const struct trace_cpu *cpu = &view->trace.cpus[i];

		for (size_t k = 0; k < cpu->count; k++) {
			const struct trace_record *r = &cpu->records[k];
			bool gap = k && r->seq - r[-1].seq != 1;

			view->events[view->count++] = (struct event){r, i, gap};
		}
	}
	qsort(view->events, view->count, sizeof(*view->events), by_time);
	view->origin = view->count ? view->events[0].r->tsc : 0;
}

static void number_objects(struct view *view)
{
	struct field fields[FIELDS];
	enum object_kind kind;

	view->objects = objects_create();
	for (size_t i = 0; i < view->count; i++) {
		fields_of(view->events[i].r, fields);
		for (size_t k = 0; k < FIELDS; k++)
			if (field_object(fields[k].name, &kind))
				objects_add(view->objects, kind, fields[k].value);
		if (view->events[i].r->event == TRACE_RESUME && view->events[i].r->extra == TRACE_RESUME_IDLE)
			objects_add(view->objects, OBJECT_IDLE, view->events[i].r->a);
	}
}

bool view_open(struct view *view, const char *path, const struct view_files *files)
{
	struct error error;

	*view = (struct view){0};
	if (!trace_load(&view->trace, path, &error) ||
	    (files->kernel && !symbols_load(&view->kernel, files->kernel, &error)) ||
	    (files->user && !symbols_load(&view->user, files->user, &error))) {
		complain("%s", error.text);
		view_close(view);
		return false;
	}
	merge(view);
	number_objects(view);
	return true;
}

void view_close(struct view *view)
{
	objects_free(view->objects);
	free(view->events);
	symbols_free(&view->kernel);
	symbols_free(&view->user);
	trace_free(&view->trace);
}

int view_with(const char *path, const struct view_files *files, bool (*show)(const struct view *view))
{
	struct view view;
	bool good;

	if (!view_open(&view, path, files))
		return EXIT_RUN_INVALID;
	good = show(&view);
	view_close(&view);
	return good ? 0 : EXIT_RUN_INVALID;
}

uint64_t view_duration(const struct view *view, uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * 1000000 / trace_khz(&view->trace));
}

uint64_t view_ns(const struct view *view, uint64_t tsc)
{
	return tsc > view->origin ? view_duration(view, tsc - view->origin) : 0;
}

unsigned view_object(const struct view *view, enum object_kind kind, uint64_t address)
{
	return objects_find(view->objects, kind, address);
}

const struct symbol *view_symbol(const struct view *view, unsigned mode, uint64_t address)
{
	if (mode == TRACE_MODE_KERNEL)
		return symbols_find(&view->kernel, address);
	return mode == TRACE_MODE_USER ? symbols_find(&view->user, address) : NULL;
}
