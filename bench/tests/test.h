/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cmocka wants to be included before it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Begin a test, and what sets it up or clears up behind it: cmocka hands each a state that hardly any needs. */
#define UNIT_TEST(name) static void name(__attribute__((unused)) void **state)
#define UNIT_FIXTURE(name) static inline int name(__attribute__((unused)) void **state)
