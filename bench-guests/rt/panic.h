/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors that a program does not survive: it says what happened, and the run has failed. */
#pragma once

#include "rt/attr.h"
#include "rt/hypercall.h"

_Noreturn void rt_panic(const char *fmt, ...) RT_PRINTF(1, 2);

/* If set, rt_panic() calls it once with its text before it ends the run, so that a report can be finished. */
extern void (*rt_panic_hook)(const char *text);

const char *rt_status(enum status st); /* its name */

/* For what can only be wrong if the program is. */
#define rt_assert(x) ((x) ? (void)0 : rt_panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #x))

/* For calls without which the program cannot go on: panics unless the status is SUCCESS. */
#define RT_MUST(call) rt_must((call), __FILE__, __LINE__, #call)
void rt_must(enum status st, const char *file, int line, const char *what);
