/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things lie decides how caches and TLBs serve them, and a build decides where things lie: two kernels that are
 * equally fast may seem not to be. Drawn anew in each boot, placement is noise, which averages out.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The word "placement=": a number is the seed, "random" draws one, "fixed" leaves everything where it always is.
 * Without it, random where time is measured and fixed where instructions are counted. Everything that is allocated
 * later lies elsewhere: other page colours, addresses and slots of kernel objects.
 */
void bench_place(void);

/* To reproduce the boot with placement=SEED; 0: nothing was moved. */
uint64_t bench_place_seed(void);

/* By how many bytes a stack should begin lower, a multiple of 16; the same in all of a boot. */
size_t bench_place_stack(void);
