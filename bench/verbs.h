/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hbench can be told to do; each verb is cmd_<verb>.c. */
#pragma once

#include "result.h"
#include "suite.h"
#include "verb.h"

extern const struct verb verb_list, verb_run_machine, verb_import, verb_show, verb_compare, verb_gate, verb_baseline,
	verb_export;

/* The suite of a result, for goals and thresholds: NULL when it is not known here. Free with suite_free(). */
const struct suite *verb_suite_of(const struct result *result, struct suite *storage);
