/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The architecture's part of a vCPU: Intel VMX. */
#pragma once

#include "lib/list.h"
#include "lib/types.h"

/* What makes entries and exits of a vCPU more than the usual; zero for most guests. */
enum vmx_special {
	SPECIAL_SYSCALL = 1 << 0, /* EFER.SCE: STAR, LSTAR, FMASK are the guest's while it runs */
	SPECIAL_TSC_AUX = 1 << 1, /* TSC_AUX is not 0 */
	SPECIAL_SPEC_CTRL =
		1 << 2,        /* SPEC_CTRL differs from the host's, and the guest could tell or has asked for it */
	SPECIAL_LIVE = 1 << 3, /* the guest writes such MSRs without exits: they are read back */
	SPECIAL_XCR0 = 1 << 4, /* XCR0 differs from the host's, and the guest could tell */
	SPECIAL_FPU = 1 << 5,  /* since the last entry: extended state of the guest was loaded */
	SPECIAL_HOST_FPU = 1 << 6,  /* since the last entry: the VMM's was saved */
	SPECIAL_EVENT = 1 << 7,     /* the next entry injects an event */
	SPECIAL_CUT_SHORT = 1 << 8, /* the timer is 0, in order to get back right after it; its value is in `timer` */
	SPECIAL_WAITS_SIPI = 1 << 9,  /* activity state 3, which the CPU must not be left alone in */
	SPECIAL_BAD_XCR0 = 1 << 10,   /* what the VMM has given last */
	SPECIAL_FIRST = 1 << 11,      /* VMLAUNCH instead of VMRESUME */
	SPECIAL_ENTERED = 1 << 12,    /* this run has been in the guest before */
	SPECIAL_DEBUG_LATE = 1 << 13, /* the next entry delivers a #DB, although the timer is 0 */
	SPECIAL_MASKED = 1 << 15,     /* RFLAGS.IF is 0 against the guest's will, while it waits for SIPI */
	SPECIAL_L1_FLUSH = 1 << 14,   /* for good: the data cache is to be emptied for each run */
};

/*
 * What the VMCS and the CPU hold for the vCPU, where asking them costs more than to remember; and guest registers
 * that no VMCS field is for.
 */
struct arch_vcpu {
	u32 special; /* enum vmx_special */

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
};
