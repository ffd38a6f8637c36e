/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A caller, a portal and its EC, for the tests of call and reply. */
#pragma once

#include "world.h"

enum { A = 100, B = 110, C = 120, D = 130, SM = 140, PB = 150, PC = 151, EMPTY = 152, TO = 160 };

static struct ec *a, *b;

/* a runs and may call b through PB. */
static inline int setup(void **state)
{
	world_setup(state);
	a = world_thread(A, 0, 5);
	b = world_local(B, 0);
	world_pt(PB, b, 0x1000, 0)->id = 0x1d;
	assert_runs(host_dispatch(), a);
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
