/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a CPU has in registers that a reset takes away, and that cpu_setup() does not bring back. */
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

/* The extended state goes to the current EC. The time until now is the current SC's. */
void suspend_state_save(struct cpu *cpu, struct suspend_state *s);
/* `reset`: the CPU has lost everything; cpu_setup() was called, on the kernel's address space. */
void suspend_state_restore(struct cpu *cpu, const struct suspend_state *s, bool reset);
