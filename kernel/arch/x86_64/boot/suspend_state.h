/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a CPU that are lost in a reset, and that cpu_setup() does not set: kept over the machine's sleep.
 */
#pragma once

#include "lib/types.h"
#include "mmu/mtrr.h"

struct cpu;

#define SUSPEND_STATE_MSRS 3

struct suspend_state {
	u64 cr3, fs_base, gs_base, apic_mode;
	u64 msr[SUSPEND_STATE_MSRS];
	bool has_msr[SUSPEND_STATE_MSRS];
	struct mtrr_state mtrr;
};

/* Saves them. The extended state goes to the current EC's area, and the current SC is charged until now. */
void suspend_state_save(struct cpu *cpu, struct suspend_state *s);
/* Brings them back. `reset`: the CPU was reset, and cpu_setup() was called, on the kernel's address space; else the
 * machine did not fall asleep, and only what suspend_state_save() has stopped goes on. */
void suspend_state_restore(struct cpu *cpu, const struct suspend_state *s, bool reset);
