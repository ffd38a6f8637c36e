/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What core/vcpu.c wants from the architecture, and the architecture's part of a vCPU: Intel VMX. */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

#include <hedron/abi.h>

struct cpu;
struct ec;
struct vcpu;

/*
 * What the VMCS and the CPU hold for the vCPU, where asking them costs more than to remember; and guest registers
 * that no VMCS field is for.
 */
struct arch_vcpu {
	void *vmcs;       /* heap page; immutable */
	u16 vpid;         /* 0: none; immutable */
	bool passthrough; /* immutable */

	bool initialized;  /* the VMCS was written once */
	bool launched;     /* VMRESUME instead of VMLAUNCH */
	bool msrs_live;    /* the guest has written MSRs that it may write without an exit */
	bool uses_syscall; /* EFER.SCE */
	bool event;        /* the next entry injects one */
	bool cut_short;    /* the timer is 0, in order to get back right after the event; its value is in `timer` */
	bool waits_sipi;   /* activity state 3, which the CPU must not be left alone in */
	bool has_timeout;  /* the VMM has set one, and it has not come yet */
	u32 timer;

	u64 host_cr3, host_fs_base, host_gs_base;
	u32 primary, secondary;
	u64 cr0_mask, cr0_shadow, cr4_mask, cr4_shadow;
	u64 efer, pat, pdpte[4], tsc_offset;
	u64 sysenter_cs, sysenter_rsp, sysenter_rip;

	u64 xcr0, spec_ctrl, host_tsc_aux;
	bool xcr0_valid;
	u64 star, lstar, fmask, kernel_gs_base, tsc_aux;
	u64 dr[4], dr6;

	struct list link; /* in its CPU's list of VMCSs that the CPU may hold parts of; of that CPU */
};

bool arch_vcpu_supported(void);
enum status arch_vcpu_init(struct vcpu *v) must_check;
/* On its CPU, which forgets it. */
void arch_vcpu_retire(struct vcpu *v);
void arch_vcpu_free(struct vcpu *v);

/* Whether the next entry would deliver an event; looks at the state page as the next run would. */
bool arch_vcpu_has_event(const struct vcpu *v);

/* Goes on with the run of the current EC; returns the EC that goes on when it is over, or leaves for the guest. */
struct ec *arch_vcpu_run(struct cpu *cpu, struct ec *ec);
