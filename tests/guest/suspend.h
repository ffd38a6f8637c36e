/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two halves of the suite share. */
#pragma once

#include "regs.h"

extern unsigned long s3; /* the right sleep type */
extern bool can_sleep;   /* and somebody will wake us up */

struct hc_regs request(unsigned long a, unsigned long b);
enum status suspend_machine(void);
void others_go_on(void); /* after each sleep: all other CPUs are out of the kernel */

#define NEED_SLEEP                                       \
	do {                                             \
		if (!can_sleep)                          \
			SKIP("nobody wakes us up here"); \
	} while (0)

extern const struct test suspend_smp_tests[];
