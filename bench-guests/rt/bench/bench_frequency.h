/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds the frequency of all cores still while a suite runs, if the word `frequency=` of the command line asks for
 * it: `fixed` is the highest that the CPU keeps up without turbo, a number is a performance level of the CPU's own
 * (usually multiples of 100 MHz; P-states on AMD). Registers are put back as they were.
 *
 * Turbo is left by asking for a level below it: switching it off for good is the firmware's, MISC_ENABLE and HWCR are
 * not for user land.
 */
#pragma once

#include <stdbool.h>

/*
 * Both run on the boot CPU, with bench_machine_init() done, and reach all CPUs by threads of priority `prio`. The
 * text says what came of it: the interface and the level, such as "hwp 24"; "not held: " and why; "as it is" when
 * nobody asked; nothing on a machine that counts instructions.
 */
void bench_frequency_hold(unsigned prio, char text[64]);
void bench_frequency_release(void);

/* The same without the command line; level 0: the fixed one. Null, or why the frequency is not held. */
const char *bench_frequency_hold_at(unsigned prio, unsigned level);

/* Which interface of the CPU that calls decides about its frequency, and at which level turbo ends; null: none that
 * is known. */
const char *bench_frequency_way(unsigned *level);
/* The register of that interface, on the CPU that calls. */
bool bench_frequency_register(unsigned long *value);
