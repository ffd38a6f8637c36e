/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's state on its way between the state page and the VMCS, which is current. Fields that neither side has
 * changed are not touched: a VMREAD or VMWRITE costs as much as many comparisons.
 */
#pragma once

#include "arch/switch.h"
#include "core/vcpu.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"

/*
 * Loads everything that v->mtd selects but for the groups that vmx_state_load_often() loads. Returns 0, or the reason
 * of the exit that state deserves which the kernel cannot load. Can be repeated.
 */
u32 vmx_state_load_rest(struct vcpu *v) must_check;

/* What most VMMs change: it is tested for first, and loaded without a call. */
#define VMX_MTD_OFTEN (u64)(MTD_GPR_ACDB | MTD_RIP_LEN)

static always_inline void vmx_state_load_often(struct vcpu *v, u64 mtd)
{
	const struct utcb_state *s = v->state;

	if (likely(mtd & MTD_GPR_ACDB))
		BLOCK_COPY(&v->regs, s, rax, rbx);
	if (likely(mtd & MTD_RIP_LEN)) {
		vmwrite_from(VMCS_GUEST_RIP, &s->rip);
		vmwrite_from(VMCS_ENTRY_INST_LEN, &s->inst_len);
	}
}

/* Stores what tells about an exit: it is in the page whatever the VMM asks for. */
static always_inline void vmx_state_store_exit(struct utcb_state *s, u32 reason)
{
	s->exit_reason = reason;
	vmread_to(VMCS_GUEST_RIP, &s->rip);
	vmread_to(VMCS_EXIT_INST_LEN, &s->inst_len);
	vmread_to(VMCS_EXIT_QUAL, &s->qual[0]);
	s->qual[1] = 0;
}

/* Stores that and everything that v->wanted selects, and ends the run. Returns its EC, which goes on. */
struct ec *vmx_state_store(struct vcpu *v, u32 reason);
/*
 * The same for a run that did not end with an exit: the event that is still to be injected is shown as one whose
 * delivery was interrupted.
 */
struct ec *vmx_state_store_undelivered(struct vcpu *v, u32 reason);

/*
 * State that goes from the page to the VMCS and back as it is, in this order: X(MTD group, kind, ...). Kinds:
 * GPRS(first, last)       registers that are not in the VMCS, but in v->regs
 * FIELD(field, member)    eight bytes of the page, in a field that the guest changes
 * SEGMENT(number, member) selector, access rights, limit and base
 * TABLE(register, member) limit and base of GDTR or IDTR
 * KNOWN(field, member)    what the guest cannot change without an exit: struct arch_vcpu remembers it, so that it is
 *                         written only if it differs, and never read back
 * What needs more than that, like control registers and events, has functions in vmx_load.c and vmx_store.c.
 */
// clang-format off
#define VMX_REGISTER_LIST(X) \
	X(GPR_BSD, GPRS, rbp, rdi) \
	X(GPR_R8_R15, GPRS, r8, r15) \
	X(RSP, FIELD, VMCS_GUEST_RSP, rsp) \
	X(RFLAGS, FIELD, VMCS_GUEST_RFLAGS, rflags)
#define VMX_STATE_LIST(X) \
	VMX_REGISTER_LIST(X) \
	X(DS_ES, SEGMENT, SEG_ES, es) \
	X(CS_SS, SEGMENT, SEG_CS, cs) \
	X(CS_SS, SEGMENT, SEG_SS, ss) \
	X(DS_ES, SEGMENT, SEG_DS, ds) \
	X(FS_GS, SEGMENT, SEG_FS, fs) \
	X(FS_GS, SEGMENT, SEG_GS, gs) \
	X(LDTR, SEGMENT, SEG_LDTR, ldtr) \
	X(TR, SEGMENT, SEG_TR, tr) \
	X(GDTR, TABLE, VMCS_GUEST_GDTR, gdtr) \
	X(IDTR, TABLE, VMCS_GUEST_IDTR, idtr) \
	X(DR, FIELD, VMCS_GUEST_DR7, dr7) \
	X(SYSENTER, KNOWN, VMCS_GUEST_SYSENTER_CS, sysenter_cs) \
	X(SYSENTER, KNOWN, VMCS_GUEST_SYSENTER_RSP, sysenter_rsp) \
	X(SYSENTER, KNOWN, VMCS_GUEST_SYSENTER_RIP, sysenter_rip)
// clang-format on

/* What the guest reads of a control register. */
static always_inline u64 vmx_cr_seen(u64 actual, u64 mask, u64 shadow)
{
	return (actual & ~mask) | (shadow & mask);
}

/* Control registers as the guest is to see them. */
static always_inline void vmx_set_cr0(struct vcpu *v, u64 value)
{
	if (value != v->arch.cr0_shadow)
		vmwrite(VMCS_CR0_SHADOW, v->arch.cr0_shadow = value);
	vmwrite(VMCS_GUEST_CR0, (value | vmx.cr0_must) & vmx.cr0_may);
}

static always_inline void vmx_set_cr4(struct vcpu *v, u64 value)
{
	if (value != v->arch.cr4_shadow)
		vmwrite(VMCS_CR4_SHADOW, v->arch.cr4_shadow = value);
	vmwrite(VMCS_GUEST_CR4, (value | vmx.cr4_must) & vmx.cr4_may);
}

/* Writes the control registers of a new VMCS, and which of their bits the guest cannot change without an exit. */
void vmx_init_cr(struct vcpu *v);
/* To be called after a change of those bits. What the guest sees stays the same. */
void vmx_write_cr_masks(struct vcpu *v);
void vmx_choose_xcr0(struct vcpu *v, u64 xcr0, u64 cr4);
/*
 * A MOV of that general register to CR4 has exited. True: the kernel has done its part for one of its own bits, and
 * the guest may try again.
 */
bool vmx_handle_cr4(struct vcpu *v, unsigned reg);
