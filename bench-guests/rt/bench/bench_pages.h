/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory for suites that delegate it. */
#pragma once

#include <stdint.h>

/*
 * 2^BENCH_PAGES_ORDER pages of memory, and two ranges of address space of that size and alignment: one where the
 * memory is seen with its halves swapped, contiguous and aligned but without any superpage, and an empty one. Always
 * the same.
 */
#define BENCH_PAGES_ORDER 9
struct bench_pages {
	uint8_t *whole; /* as the pool has it */
	uint64_t swapped, target;
};
const char *bench_pages(struct bench_pages *pages); /* null, or why there are none */
