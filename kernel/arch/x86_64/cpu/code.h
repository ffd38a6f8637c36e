/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rewriting the kernel's instructions while it runs. All other CPUs are stopped meanwhile (arch_stop_machine()), in
 * their NMI handlers, which they leave by IRET, a serializing instruction: so none is in the middle of what changes
 * (SDM vol. 3, 9.1.3).
 */
#pragma once

#include "lib/types.h"

#define CODE_JUMP_SIZE 5

/* The text is mapped read-only: writing is between these two. What the first returns is for the second. */
u64 code_begin(void);
void code_end(u64 begun);

/* Writes `size` bytes, at most eight, by one store: an NMI may come on this CPU between any two. */
void code_write(u8 *at, const void *code, unsigned size);
void code_write_jump(u8 *at, const void *to);
/* The last operand of a call or jump. */
void code_write_displacement(u8 *at, const void *to);
