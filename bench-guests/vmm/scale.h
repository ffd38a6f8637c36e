/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times of a VM are nanoseconds since its start; devices and the TSC count in units of their own. */
#pragma once

#include <stdint.h>

#define NS_PER_S 1000000000ul
#define NEVER (~0ul)

/* a * b / c without overflow in between. The result must fit, else the processor raises #DE. */
static inline uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t rest;

	__asm__("mulq %[b]\n\tdivq %[c]" : "+a"(a), "=&d"(rest) : [b] "r"(b), [c] "r"(c) : "cc");
	return a;
}

/* The same, rounded up. */
static inline uint64_t scale_up(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t rest;

	__asm__("mulq %[b]\n\tdivq %[c]" : "+a"(a), "=&d"(rest) : [b] "r"(b), [c] "r"(c) : "cc");
	return a + (rest != 0);
}
