/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel VMX: what the machine has of it, and each CPU's part. What all CPUs have is used (vmx_common.h); one CPU that
 * lacks something the kernel cannot do without switches it off for all.
 * Manual: SDM vol. 3, chapter 24 (introduction), 25 (VMCS), appendix A (capabilities).
 */
#pragma once

#include "lib/types.h"
#include "virt/virt.h"

#include <hedron/abi.h>

struct cpu;
struct vcpu;

/* Bits of a control that must be and may be 1. */
struct vmx_control {
	u32 must, may;
};

struct vmx {
	bool usable;   /* on all CPUs so far */
	bool l1_flush; /* the data cache is emptied for each run */

	/* what all CPUs have, and what one of them must have */
	u32 revision;
	struct vmx_control pin, primary, secondary, exit, entry;
	u64 cr0_must, cr0_may, cr4_must, cr4_may;
	u64 ept_caps;
	u32 timer_shift; /* a tick of the preemption timer is 2^timer_shift of the TSC */
	bool vpid, spec_ctrl, tsc_aux, wait_sipi;
	bool l1_leaks, l1_can_flush; /* L1 terminal fault: one of them leaks; all can flush */
};

extern struct vmx vmx;

extern const struct virt vmx_virt;

/* The vCPUs of which the CPU may hold parts of the VMCS. */
struct list *vmx_active(const struct cpu *cpu);
/* What the CPU has in SPEC_CTRL outside of guests. */
u64 vmx_host_spec_ctrl(const struct cpu *cpu);

/*
 * MSR bitmaps (vmx_controls.c): physical addresses. `passthrough`: the PD's. `msr_passthrough`: the guest also writes
 * those MSRs without an exit that the host must put right afterwards.
 */
enum status vmx_init_msr_bitmaps(void) must_check;
u64 vmx_msr_bitmap(bool passthrough, bool msr_passthrough);
/*
 * From now on a guest's first RDMSR of SPEC_CTRL exits, too: a CPU has another value there than the guest is to see.
 */
void vmx_hide_spec_ctrl(void);
