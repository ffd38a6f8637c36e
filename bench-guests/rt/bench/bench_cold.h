/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Empty caches: what an operation costs that has not been used for a while. */
#pragma once

/*
 * Makes ready; null, or why it cannot be done. Instructions that empty caches are for the kernel alone (WBINVD) or
 * reach memory of one's own only (CLFLUSH), so caches and TLBs are filled with something else: data as large as twice
 * the largest cache, in pages of 4 KiB, and code twice as large as any first-level cache for it.
 */
const char *bench_cold_begin(void);

void bench_cold(void);
