/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a trace says about itself: where it comes from. */
#pragma once

#include "measure/session.h"
#include "result/result.h"

/* Takes what is known from the session's run and, if there is one, from the result that it became a part of. */
void trace_describe(struct trace *trace, const struct session *session, const struct result *result);
