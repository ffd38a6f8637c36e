/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a boot goes together with those before it, beyond what its own session tells: refusing is better than
 * guessing. */
#pragma once

#include "measure/session.h"
#include "result/result.h"

/* Checks a boot against the first one, which the result has in its context. */
bool validity_check(const struct result *result, const struct session *session, const char *metric,
		    struct error *error) must_check;
