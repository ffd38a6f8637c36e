/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of suites, cases and parameters; a benchmark is called "suite/case/param:value". */
#pragma once

#include <stdbool.h>

enum { NAME_PARAMS_MAX = 8 }; /* parameters in one name */

/* True for `[a-z0-9_]+`, the form of names of suites, cases and parameters. */
bool name_valid(const char *name);

/* True for "suite/case/counter:cycles": what was counted are cycles of the core, a metric of its own. */
bool name_of_cycles(const char *name);

/* True for any "suite/case/counter:...": what was counted are events, and not what the result's metric says. */
bool name_of_counter(const char *name);
