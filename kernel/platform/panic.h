/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end: for broken hardware and for bugs of the kernel, never for anything a user did. */
#pragma once

#include "lib/types.h"

/* Stops all other CPUs, prints the message, and stops this one, or the machine. Registers are printed before by
 * whoever has them (entry/trap.c). */
__attribute__((noreturn)) cold void panic(const char *fmt, ...) printf_like(1, 2);

/* A panic resets the machine after this many ticks of the TSC; before, it stops there for good. */
#define PANIC_REBOOT_TICKS (1ull << 35) /* about ten seconds: to read what is on a screen */
void panic_reboots_after(u64 ticks);

/* Panics unless an invariant of the kernel itself holds. It is checked in release builds, too, so it is not used on
 * hot paths. */
#define kassert(cond)                                                              \
	do {                                                                       \
		if (unlikely(!(cond)))                                             \
			panic("bug: %s at %s:%d", #cond, __FILE_NAME__, __LINE__); \
	} while (0)
