/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The architecture's part of a vCPU: Intel VMX, or AMD SVM, which has less to remember. */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

/*
 * What is to be done at entries and exits of a vCPU besides the plain ones, which switch nothing but what the VMCS
 * switches. Zero for most guests, so that one comparison finds that out.
 */
enum vmx_pending {
	/* EFER.SCE is set: STAR, LSTAR and FMASK are the guest's while it runs. */
	PENDING_SYSCALL = 1 << 0,
	/* TSC_AUX is not 0, the host's value. */
	PENDING_TSC_AUX = 1 << 1,
	/* SPEC_CTRL differs from the host's, and the guest could tell, or has asked for it. */
	PENDING_SPEC_CTRL = 1 << 2,
	/* The guest writes MSRs without an exit that the host must read back and put right (vmx_controls.c). */
	PENDING_MSR_PASSTHROUGH = 1 << 3,
	/* XCR0 differs from the host's, and the guest could tell. */
	PENDING_XCR0 = 1 << 4,
	/* Extended state of the guest was loaded by the last entry, so that the exit saves it. */
	PENDING_FPU = 1 << 5,
	/* Extended state of the VMM was saved by the last entry, so that the exit loads it. */
	PENDING_HOST_FPU = 1 << 6,
	/* The next entry injects an event. */
	PENDING_EVENT = 1 << 7,
	/* The timer is 0, so that the exit follows the entry at once; its own value is in `timer`. */
	PENDING_IMMEDIATE_EXIT = 1 << 8,
	/* The guest is in activity state 3, wait-for-SIPI, in which the CPU must not be left alone. */
	PENDING_WAITS_SIPI = 1 << 9,
	/* XCR0 as the VMM has given it last is not valid: the entry is refused. */
	PENDING_BAD_XCR0 = 1 << 10,
	/* The VMCS is clear: it needs VMLAUNCH instead of VMRESUME. */
	PENDING_LAUNCH = 1 << 11,
	/* This run has been in the guest before. */
	PENDING_ENTERED = 1 << 12,
	/* The next entry delivers a #DB, although the timer is 0. */
	PENDING_DEBUG_LATE = 1 << 13,
	/* For good: the data cache is to be emptied for each run. */
	PENDING_L1_FLUSH = 1 << 14,
	/* RFLAGS.IF is 0 against the guest's will, while it waits for a SIPI. */
	PENDING_MASKED = 1 << 15,
	/* SVM only. The guest is not active (`activity`): it is not entered before something wakes it up. */
	PENDING_INACTIVE = 1 << 16,
	/* SVM only: the run ends when `left` ticks are over. */
	PENDING_TIMED = 1 << 17,
	/* SVM only: a single step leads to where the NMI window opens: behind the IRET that unblocks NMIs. */
	PENDING_STEP = 1 << 18,
	/* SVM only: the VMM wants to hear when NMIs can be taken. */
	PENDING_NMI_WINDOW = 1 << 19,
	/* SVM only: what the CPU has of the guest's translations is out of date. */
	PENDING_TLB = 1 << 20,
	/* SVM only: the next entry flushes the translations of all guests. */
	PENDING_FLUSH = 1 << 22,
	/* SVM only: the VMM has changed what is to be checked before the next entry. */
	PENDING_CHECK = 1 << 21,
};

struct vmcb;

/* What only SVM needs. The VMCB is memory: it has most of the state. */
struct arch_svm {
	/* immutable */
	struct vmcb *vmcb; /* heap page */
	u64 vmcb_pa;
	struct vmcb *host; /* what a VMLOAD after the guest loads: the CPU's */
	u64 host_pa;

	u32 generation;   /* the ASID in the VMCB is valid as long as the CPU has the same */
	u32 activity;     /* enum vmcs_activity */
	u32 intr_state;   /* as the VMM has given it last, for the check */
	u32 event;        /* PENDING_EVENT: in Intel's format, as the VMM has given it */
	u32 event_error;  /* its error code, whether it has one or not */
	u32 fault_error;  /* of the last exit by an exception, if it has one */
	u8 event_length;  /* how far RIP is moved for it: the length of a software event */
	u32 length;       /* `inst_len` as the VMM has given it */
	bool nmi_blocked; /* by an NMI that was delivered; an IRET ends that, and exits meanwhile */
	bool step_flag;   /* PENDING_STEP: RFLAGS.TF as the guest had it */
	u64 cr4_seen;     /* as the guest reads it */
	u64 step_rip;     /* ... and where the step began */
	u64 iret;         /* where the IRET was that unblocked NMIs last, or ~0 */
	u64 left;         /* ticks until the run ends, or SVM_NO_TIMEOUT */
	u64 entered;      /* ... since when they count: TSC */
	u64 offset;       /* of the TSC, as the VMM has set it, in force or not */
};

/*
 * What the VMCS and the CPU hold for the vCPU, where asking them costs more than to remember; and guest registers
 * that no VMCS field is for.
 */
struct arch_vcpu {
	u32 pending; /* enum vmx_pending */

	/* immutable */
	bool passthrough;
	u16 vpid;   /* 0: none */
	void *vmcs; /* heap page */
	u8 *fpu_page;
	u8 *stale; /* of the PD, for this CPU */

	bool initialized;   /* the VMCS was written once */
	bool own_xcr0;      /* XCR0 differs from the host's */
	bool hides_osxsave; /* CR4.OSXSAVE is 0, and setting it exits to the kernel */
	bool has_timeout;   /* the VMM has set one, and it has not come yet */
	u32 timer;

	u64 host_cr3, host_fs_base, host_gs_base, host_spec_ctrl;
	u32 asked_primary, asked_secondary, primary, secondary;
	u32 exceptions; /* those the VMM is told of */
	u32 exception;  /* what the last exit by one said of it */
	u64 cr0_mon, cr4_mon, cr0_mask, cr0_shadow, cr4_mask, cr4_shadow;
	u64 efer, pat, tsc_offset;
	u64 sysenter_cs, sysenter_rsp, sysenter_rip;

	u64 xcr0, spec_ctrl;
	u64 star, lstar, fmask, kernel_gs_base;
	u32 tsc_aux;
	u64 dr[4], dr6;

	struct list link; /* in its CPU's list of VMCSs that the CPU may hold parts of; of that CPU */

	struct arch_svm svm;
};
