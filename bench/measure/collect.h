/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a result of sessions, one a boot, and explains to the user why a session is not valid. */
#pragma once

#include "host/error.h"
#include "measure/session.h"
#include "result/result.h"

/* Begins a result: its context is what the first session tells about machine, kernel and CPU. */
void collect_start(struct result *result, const struct session *session, const char *machine, const char *metric);

/* Adds the measurements of a good session; false when it is not of the same kernel and CPU as those before. */
bool collect_add(struct result *result, struct session *session, struct error *error) must_check;

/* Date, version of hbench and the like; merges the boots. To be called once, last. */
void collect_finish(struct result *result, const char *revision, unsigned boots);

/* Prints to stderr why a session is not valid, what to do about it, and the end of its console log. */
void collect_complain(const struct session *session, const char *log);
