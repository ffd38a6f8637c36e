/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a boot may be added to those before it. A session can be good and yet not comparable with the first one:
 * another frequency, another cost of an empty measurement. Such a boot is refused.
 */
#pragma once

#include "measure/session.h"
#include "result/result.h"

/* Compares a boot with the first one, which is in the result's context. Exact metrics are always valid. */
bool validity_check(const struct result *result, const struct session *session, const char *metric,
		    struct error *error) must_check;
