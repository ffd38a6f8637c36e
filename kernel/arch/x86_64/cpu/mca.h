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
 * The handler of a machine check: reads the banks and decides. Unless the outcome is MCA_OUTCOME_PANIC, the banks are
 * empty and the next machine check may come when this returns; the way out of the kernel reports, and kills the EC
 * that is to end (HAZARD_MCA). Takes no locks, prints nothing, and causes no fault, whose IRET would let NMIs in.
 */
enum mca_outcome mca_take(struct cpu *cpu, enum mca_context context) must_check;

/* Prints all that is known, before a panic. */
void mca_show(struct cpu *cpu);
