/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends a trace over the console. */
#pragma once

#include "rt/trace/trace_words.h"

/* Tracing must be off: the rings are read while nobody writes them. */
void trace_drain(const struct trace_plan *plan);
