/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory in many page tables. Window n, from 0 to 3, is as large as a CRD can be; in its beginning each 2 MiB is a
 * table of its own. All of them show the same few pages of RAM.
 */
#pragma once

#include <stdint.h>

enum { LATENCY_TABLE_ORDER = 9, LATENCY_WINDOW_ORDER = 31 };

uint64_t latency_memory_table(unsigned window, unsigned long table); /* its address */

const char *latency_memory_setup(unsigned long unused);           /* null, or why there is none */
void latency_memory_build(unsigned window, unsigned long tables); /* full ones, a power of two */
void latency_memory_build_sparse(unsigned long pages);            /* in window 0: a page in each gigabyte */
const char *latency_memory_check_window(unsigned long pages);     /* null: all of it is in window 1, too */
void latency_memory_take(unsigned window);                        /* empties it */
void latency_memory_clean(unsigned long unused);                  /* windows 0 and 1 */
