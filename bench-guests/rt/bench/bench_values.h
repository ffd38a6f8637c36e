/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of measured values. */
#pragma once

#include <stdint.h>

void bench_values_sort(uint64_t *v, unsigned n);            /* ascending */
uint64_t bench_values_least(const uint64_t *v, unsigned n); /* n: at least 1 */
