/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end: of the machine, of a thread. */
#pragma once

#include "rt/attr.h"
#include "rt/hypercall.h"

#include <stdbool.h>

/* Leaves the emulator, whose exit code tells success or failure; on a machine that cannot be left it blocks. */
_Noreturn void rt_exit(bool success);

/* If set, what rt_exit() does with a machine that cannot be left: it never returns. */
extern void (*rt_exit_hook)(void);

_Noreturn void rt_block(void); /* blocks the EC that runs for ever */

/* For the start of the program: creates the semaphore at which rt_block() waits, at this selector. */
enum status rt_exit_init(sel_t sm) RT_MUST_CHECK;
