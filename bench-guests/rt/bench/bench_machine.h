/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What identifies a machine and tells whether its clock can be trusted, beyond the brand of its CPU. Values that are
 * not known are 0 or "".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bench_cpu {
	char vendor[13], brand[49];
	unsigned family, model, stepping;
	bool intel, amd; /* by whose manuals its MSRs are known: AMD's also for Hygon */
	bool tsc_invariant;
};

void bench_machine_init(void);          /* before all others */
bool bench_machine_measures_time(void); /* and does not count instructions */
const struct bench_cpu *bench_machine_cpu(void);

/* Of the CPU that calls. False: this machine counts instructions, or the CPU has no such register. */
bool bench_machine_msr(unsigned msr, unsigned long *value);

uint32_t bench_machine_microcode(void);
int bench_machine_smt(void); /* 1: on, -1: off */
void bench_machine_features(char text[48]);
uint64_t bench_machine_capabilities(void);
void bench_machine_hypervisor(char name[13]);
uint64_t bench_machine_memory(void); /* MiB */
void bench_machine_firmware(char text[32]);
unsigned bench_machine_clock(void); /* of the core, in thousandths of the time-stamp counter's; takes 20 ms */

/* Of system-management interrupts so far; false: the CPU does not tell. */
bool bench_machine_smi_count(unsigned long *count);
