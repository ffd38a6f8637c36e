/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The description in a trace: from which run, kernel and machine it is. */
#pragma once

#include "measure/session.h"
#include "result/result.h"

/* Fills it from the session, and from the result that the session became a part of (NULL: of none). */
void trace_describe(struct trace *trace, const struct session *session, const struct result *result);
