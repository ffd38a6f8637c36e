/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A console that was recorded to a file, replayed into sessions: it may hold several boots, one after the other. */
#pragma once

#include "measure/session.h"

struct session_log {
	char *data;
	size_t size;
	size_t *starts; /* of each boot, in bytes; the first is 0 */
	size_t boots;
};

/*
 * Reads a log and finds where boots begin: where the kernel's first line comes after protocol lines or, when that was
 * lost, a protocol line after `end`. False when the file cannot be read.
 */
bool session_log_open(struct session_log *log, const char *path, struct error *error) must_check;
void session_log_close(struct session_log *log);

/* Feeds a boot into a session that was initialized, and finishes it. */
void session_log_play(const struct session_log *log, size_t boot, struct session *session);

/* SHA-256 of what a boot reported, without what is not of the protocol. */
bool session_log_hash(const struct session_log *log, size_t boot, char out[65], struct error *error) must_check;

/* Feeds the whole file into a session that was initialized, and finishes it; false when the file cannot be read. */
bool session_read_log(struct session *session, const char *path, struct error *error) must_check;
