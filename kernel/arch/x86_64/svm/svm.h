/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD SVM: what the machine has of it, and each CPU's part. What all CPUs have is used; one CPU that lacks nested
 * pages switches it off for all. The interface is that of VMX (docs/abi.md, "Virtual CPUs"): numbers of exits,
 * qualifications and events are Intel's.
 * Manual: APM vol. 2, chapter 15.
 */
#pragma once

#include "lib/types.h"
#include "svm/vmcb.h"
#include "virt/virt.h"

#include <hedron/abi.h>

struct cpu;

struct svm {
	bool usable;    /* on all CPUs so far */
	bool next_rip;  /* exits tell where the next instruction is */
	bool decodes;   /* exits of MOV to and from CRs and DRs tell the general register */
	bool spec_ctrl; /* SPEC_CTRL exists */
	bool tsc_aux;
	u32 asids; /* how many there are; 0 is the host's */
};

extern struct svm svm;
extern const struct virt svm_virt;

/* What each CPU has; its own. */
struct svm_cpu {
	struct vmcb *host; /* what VMLOAD is to bring back after a guest: heap page */
	void *save;        /* the rest of the host's state, for VMRUN and the exit: heap page */
	u64 host_pa;
	u64 spec_ctrl;  /* as it was found, and is outside of guests */
	u32 next_asid;  /* the first that no vCPU had since the last flush of everything */
	u32 generation; /* ASIDs of older ones are not valid any more; never 0 */
	bool flush;     /* the next entry flushes all translations of this CPU */
	struct svm own; /* what this CPU has, once it was started */
	bool started;   /* once */
};

struct svm_cpu *svm_cpu(const struct cpu *cpu);

/* Permission maps (svm_controls.c). `passthrough`: the PD's. `msr_passthrough`: the guest also writes those MSRs
 * without an exit that the host must put right afterwards. */
enum status svm_init_maps(void) must_check;
u64 svm_msr_map(bool passthrough, bool msr_passthrough);
/* The maps with which every access exits. */
u64 svm_msr_map_all(void);
u64 svm_io_map_all(void);
/* From now on a guest's first RDMSR of SPEC_CTRL exits, too: a CPU has another value there than the guest is to see.
 */
void svm_hide_spec_ctrl(void);
