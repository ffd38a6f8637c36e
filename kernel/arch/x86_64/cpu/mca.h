/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine checks: the banks of registers in which processors and memory controllers report errors, and the exception
 * #MC. What an error means is decided in platform/mca_error.c. arch_report_errors() (arch/machine.h) is the part on
 * the way out of the kernel.
 */
#pragma once

#include "lib/types.h"
#include "platform/mca_error.h"

struct cpu;

/* The running CPU has been reset: reports what its banks hold, empties them, and lets errors be signalled. */
void mca_start_cpu(struct cpu *cpu);

/*
 * One has come: reads the banks and decides. But for MCA_OUTCOME_PANIC the banks are empty and the next one may come
 * when this returns, and the way out of the kernel reports and ends what is to end (HAZARD_MCA). Takes no locks,
 * prints nothing, and causes no fault, whose IRET would let NMIs in.
 */
enum mca_outcome mca_take(struct cpu *cpu, enum mca_context context) must_check;

/* For a report of the end: all that is known. */
void mca_show(struct cpu *cpu);
