/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests the gate itself: copies of a baseline are made worse by the smallest change that must count, turned into
 * JSON, read back and compared. Each planted regression has to be found.
 */
#pragma once

#include "stats/compare.h"

/* False with the planted regression that was not found. */
bool self_test(const struct result *baseline, const struct suite *suite, struct error *error) must_check;
