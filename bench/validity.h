/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a boot can be measured with at all, beyond what its own session tells: refusing is better than guessing. */
#pragma once

#include "result.h"
#include "session.h"

/* Checks a boot by itself and against those before it, which the result has in its context. */
bool validity_check(const struct result *result, const struct session *session, const char *metric,
		    struct error *error) must_check;
