/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does the gate gate? Faults are planted into copies of a baseline, which go through the whole way of a result file.
 */
#pragma once

#include "stats/compare.h"

/* False with what the gate failed to find. */
bool self_test(const struct result *baseline, const struct suite *suite, struct error *error) must_check;
