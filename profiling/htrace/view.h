/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trace as the verbs of htrace look at it: what all CPUs did in one sequence, and names for numbers. */
#pragma once

#include "symbols.h"
#include "host/trace_file.h"
#include "host/verb.h"

struct event {
	const struct trace_record *r;
	unsigned cpu;
	bool gap; /* records of this CPU between the last one and this are missing */
};

struct objects;

struct view {
	struct trace trace;
	struct event *events; /* by time */
	size_t count;
	uint64_t origin; /* TSC of the first */
	struct objects *objects;
	struct symbols kernel, user;
};

/* Files with symbols, as options of each verb. */
struct view_files {
	const char *kernel, *user;
};

#define VIEW_OPTIONS(files)                                                                                         \
	{"kernel",        'k', OPTION_TEXT, "ELF", "The hypervisor that was traced: names of its functions",        \
	 &(files).kernel, 0,   0,           NULL},                                                                  \
	{                                                                                                           \
		"user", 'u', OPTION_TEXT, "ELF", "The roottask that ran: names of its functions", &(files).user, 0, \
			0, NULL                                                                                     \
	}

/* False after a message. */
bool view_open(struct view *view, const char *path, const struct view_files *files) must_check;
void view_close(struct view *view);

/* Opens a view, calls one of the verbs' functions and closes it again; the exit code. */
int view_with(const char *path, const struct view_files *files, bool (*show)(const struct view *view));

/* Nanoseconds from the first event on, and of a number of ticks. */
uint64_t view_ns(const struct view *view, uint64_t tsc);
uint64_t view_duration(const struct view *view, uint64_t ticks);

/* A number for an object's address, counted from 1 in the order in which ECs, PDs and so on appear; 0: unknown. */
enum object_kind { OBJECT_EC, OBJECT_PD, OBJECT_VCPU, OBJECT_IDLE /* the ECs of CPUs without work */ };
unsigned view_object(const struct view *view, enum object_kind kind, uint64_t address);

/* The symbol of code that ran in a mode (enum trace_mode), or NULL. */
const struct symbol *view_symbol(const struct view *view, unsigned mode, uint64_t address);
