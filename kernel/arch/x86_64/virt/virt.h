/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtualization of either kind, Intel's (vmx/) or AMD's (svm/): the machine has one, which is chosen once, at boot.
 * What happens rarely goes through a table of functions. The functions of arch/vcpu.h are in vmx/, and called as if
 * there were nothing else; on a machine with the other kind the first instruction of each becomes a jump to its twin.
 */
#pragma once

#include "lib/types.h"

struct cpu;
struct hip;

/* A function, and what takes its place. */
struct virt_twin {
	const void *of, *is;
};

struct virt {
	/* On the boot CPU, before the first PD is made: finds out what the machine has. `allow_tags`: TLB tags for
	 * guests. `l1_flush`: the data cache is emptied for each run even if this CPU has no need of that. */
	void (*init)(bool allow_tags, bool l1_flush);
	/* Allocates what a CPU needs that is to be started. */
	void (*prepare_cpu)(unsigned n);
	/* The running CPU can enter guests from now on, also after a reset. */
	void (*start_cpu)(struct cpu *cpu);
	/* Before the running CPU is reset: everything that it holds of guests goes to memory. */
	void (*stop_cpu)(struct cpu *cpu);
	/* When all CPUs are started, and no PD has guests yet: whether all of them can, and what the HIP says of it.
	 */
	void (*announce)(struct hip *hip);
	/* What takes the place of functions of arch/vcpu.h, ended by a null. */
	const struct virt_twin *twins;
};

/* The one of this machine; without any it is VMX, which says so. Constant after virt_init(). */
extern const struct virt *virt;

/* Chooses it, then as in the table. */
void virt_init(bool allow_tags, bool l1_flush);
