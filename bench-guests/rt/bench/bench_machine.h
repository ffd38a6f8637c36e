/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What identifies a machine and tells whether its clock can be trusted, beyond the brand of its CPU. Values that are
 * not known are 0 or "".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void bench_machine_init(void); /* before all others */
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
