/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges one attempt by the lines of its console: did the machine measure, or which of the known ways to fail was it?
 * It neither reads nor writes, so that tests can feed it lines.
 */
#pragma once

#include "fleet/outcome.h"
#include "measure/session.h"

#include <stddef.h>

struct watch {
	struct session session;
	const char *suite, *build_id; /* build_id: how the kernel's begins, "" when it is not known */
	bool measures_time;           /* a tick is time, and not an instruction */
	unsigned kernels;             /* boot lines of kernels */
	unsigned loaders;             /* greetings of boot loaders */
	unsigned give_ups;            /* messages of boot loaders that they cannot boot */
	bool any_byte;
	char last_give_up[160];
	enum outcome_verdict verdict; /* OUTCOME_OPEN as long as it goes well */
	char why[512];
};

/* Why the attempt ended. */
enum watch_end {
	WATCH_DONE,      /* watch_over() */
	WATCH_BOOT_TIME, /* no kernel came within timeouts.boot */
	WATCH_RUN_TIME,  /* the run did not end within timeouts.run */
	WATCH_SILENCE,   /* nothing came for timeouts.silence */
	WATCH_CLOSED,    /* the console went away */
	WATCH_NO_FETCH,  /* the machine, which has no console, fetched nothing to boot in time */
	WATCH_NO_LOG,    /* it fetched its kernel, and its log did not come in time */
};

void watch_init(struct watch *watch, const char *suite, const char *build_id, bool measures_time);

/* A line of the console; cut: its end is missing, because it was too long. */
void watch_line(struct watch *watch, const char *line, size_t len, bool cut);

/* True when nothing more needs to come. */
bool watch_over(const struct watch *watch);

/* The verdict, with `why`. seconds: the limit that was exceeded, for messages. */
enum outcome_verdict watch_judge(struct watch *watch, enum watch_end end, unsigned seconds);

void watch_free(struct watch *watch);
