/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "measure/session.h"

/* A recorded console as a whole session; false when the file cannot be read. */
bool session_read_log(struct session *session, const char *path, struct error *error) must_check;
