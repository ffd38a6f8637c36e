/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is measured: a case with one value of its parameter, and the way it is measured; and what that is called. */
#pragma once

#include "rt/bench/bench_case.h"
#include "rt/bench/bench_way.h"

#include <stdbool.h>
#include <stddef.h>

struct bench_subject {
	const struct bench_case *c; /* null: none */
	unsigned index;             /* of the value */
	const struct bench_way *way;
};

/* The value of the case's parameter, as text; "" without one. Returns `text`. */
const char *bench_subject_value(const struct bench_subject *subject, char *text, size_t size);

/* "case", or "case/param:value"; with `way` followed by the way of measuring, if it is not the usual one. */
void bench_subject_name(const struct bench_subject *subject, bool way, char *text, size_t size);
