/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person before the screen sees of a suite: a row for each case when it is done, and at last a table of all,
 * in as many columns as there is room for. If that is more than the screen shows, the table is shown in pages, one
 * after the other, for as long as the machine is left running. Without a screen all of this does nothing.
 */
#pragma once

#include <stdint.h>

void bench_table_begin(const char *suite, unsigned cases); /* so many are to come */

/* In thousandths of a tick for each operation. */
void bench_table_number(const char *name, uint64_t least, uint64_t middle, uint64_t most);
/* Why there is no number. `what`: "skip" or "fail". */
void bench_table_word(const char *name, const char *what, const char *why);

void bench_table_end(void);
