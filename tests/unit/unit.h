/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test includes: cmocka and what it wants before it, and random numbers that are the same in every
 * run. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Begin a test, and what sets it up or clears up behind it: cmocka hands each a state that hardly any needs. */
#define UNIT_TEST(name) static void name(__attribute__((unused)) void **state)
#define UNIT_FIXTURE(name) static inline int name(__attribute__((unused)) void **state)

static uint64_t unit_seed = 0x9e3779b97f4a7c15;

/* 0 .. n-1, by splitmix64. */
static inline unsigned unit_random(unsigned n)
{
	uint64_t z = unit_seed += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned)((z >> 33) % n);
}
