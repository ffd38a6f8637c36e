/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end: for broken hardware and for bugs of the kernel, never for anything a user did. */
#pragma once

#include "lib/compiler.h"

/* Prints the message, the registers where there is a trap, and stops every CPU. */
__attribute__((noreturn)) cold void panic(const char *fmt, ...) printf_like(1, 2);

/* An invariant of the kernel itself; stays in release builds where the check is off the hot paths. */
#define kassert(cond)                                                              \
	do {                                                                       \
		if (unlikely(!(cond)))                                             \
			panic("bug: %s at %s:%d", #cond, __FILE_NAME__, __LINE__); \
	} while (0)
