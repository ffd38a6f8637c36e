/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What privileged user land may ask of the machine, and what the machine has to report. */
#pragma once

#include "lib/types.h"

#include <hedron/abi.h>

struct cpu;

/*
 * Reads or writes one MSR of the running CPU for user land; *value is what was read, or is to be written. In a
 * hypercall. BAD_PAR: refused by the policy for MSRs, or by the CPU.
 */
enum status arch_msr_access(u64 msr, bool write, u64 *value) must_check;

/*
 * Puts the machine to sleep (ACPI S3) with these types for PM1a and PM1b, and returns, on all CPUs, after it woke up.
 * In a hypercall, without locks: all other CPUs come along through their mailboxes. *waking_vector is what the FACS
 * had. BAD_PAR: the types differ from the firmware's S3 package, or a suspend is in progress; BAD_FTR: the machine
 * cannot.
 */
enum status arch_suspend(unsigned type_a, unsigned type_b, u64 *waking_vector) must_check;

/*
 * Loads the microcode update at `pa` on this CPU. In a hypercall. BAD_PAR: it is not whole, not for this CPU, or
 * refused by it; BAD_FTR: the CPU takes none.
 */
enum status arch_microcode_update(paddr_t pa, u64 size) must_check;

/*
 * Reports what machine checks on this CPU have left to be reported. On the way out of the kernel, not in a handler:
 * it prints. True: the current EC has used memory that has lost its contents, and must not go on.
 */
bool arch_report_errors(struct cpu *cpu) must_check;
