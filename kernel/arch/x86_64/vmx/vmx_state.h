/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest state between the state page and the VMCS, which is current. */
#pragma once

#include "lib/types.h"

struct vcpu;

/*
 * Everything that v->mtd selects, from the page. 0, or the reason of the exit that such state deserves: the CPU would
 * not take it from us. Can be repeated.
 */
u32 vmx_state_load(struct vcpu *v) must_check;

/* Everything that v->wanted selects, to the page, and `reason`. `entered`: the exit's information is the hardware's;
 * otherwise the event that is still to be injected takes its place. */
void vmx_state_store(struct vcpu *v, u32 reason, bool by_hardware);

/* Segments: X(MTD group, number, member of the state page). */
#define VMX_SEGMENT_LIST(X)     \
	X(DS_ES, SEG_ES, es)    \
	X(CS_SS, SEG_CS, cs)    \
	X(CS_SS, SEG_SS, ss)    \
	X(DS_ES, SEG_DS, ds)    \
	X(FS_GS, SEG_FS, fs)    \
	X(FS_GS, SEG_GS, gs)    \
	X(LDTR, SEG_LDTR, ldtr) \
	X(TR, SEG_TR, tr)

/* MSRs that the guest cannot write without an exit: X(MTD group, field, member of both). */
#define VMX_KNOWN_MSR_LIST(X)                              \
	X(SYSENTER, VMCS_GUEST_SYSENTER_CS, sysenter_cs)   \
	X(SYSENTER, VMCS_GUEST_SYSENTER_RSP, sysenter_rsp) \
	X(SYSENTER, VMCS_GUEST_SYSENTER_RIP, sysenter_rip)

/* Control registers as the guest is to see them; bits that it cannot change without an exit. */
void vmx_set_cr0(struct vcpu *v, u64 value);
void vmx_set_cr4(struct vcpu *v, u64 value);
void vmx_set_cr_masks(struct vcpu *v, u64 cr0_mon, u64 cr4_mon);

/* What the guest reads of a control register. */
static always_inline u64 vmx_cr_seen(u64 actual, u64 mask, u64 shadow)
{
	return (actual & ~mask) | (shadow & mask);
}
