/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A console that was recorded to a file, replayed into a session. */
#pragma once

#include "measure/session.h"

/* Feeds the whole file into a session that was initialized, and finishes it; false when the file cannot be read. */
bool session_read_log(struct session *session, const char *path, struct error *error) must_check;
