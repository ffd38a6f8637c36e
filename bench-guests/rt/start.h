/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the kernel's first instruction in user mode to main(): the kernel starts the roottask with RSP = address of
 * the HIP and RDI = CPU number, and nothing mapped but the image, the HIP and the UTCB. start.S sets the stack,
 * rt_start() the rest of the runtime.
 */
#pragma once

#include <stdbool.h>

#define RT_PRIO 1 /* priority of main()'s SC, as the kernel made it */

/* The roottask: defined by the program. True: success. Its result decides the exit code of the machine. */
bool main(void);

void _start(void); /* the entry point of the image; not to be called */
