/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns which bits of the guest's control registers: those VMX fixes, those the VMM monitors and two of the
 * kernel's exit when they would change. Manual: SDM vol. 3, 25.6.6 (masks and shadows), 27.3.1.1.
 */
#include "arch_switch.h"
#include "core/vcpu.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_switch.h"

/* What the guest sees stays the same. */
void vmx_write_cr_masks(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	u64 mask0 = vmx.cr0_must | ~vmx.cr0_may | a->cr0_mon;
	u64 mask4 = vmx.cr4_must | ~vmx.cr4_may | a->cr4_mon | (a->hides_osxsave ? CR4_OSXSAVE : 0);

	u64 cr0 = vmx_cr_seen(vmread(VMCS_GUEST_CR0), a->cr0_mask, a->cr0_shadow);
	u64 cr4 = vmx_cr_seen(vmread(VMCS_GUEST_CR4), a->cr4_mask, a->cr4_shadow);
	a->cr0_mask = mask0;
	a->cr4_mask = mask4;
	vmwrite(VMCS_CR0_MASK, mask0);
	vmwrite(VMCS_CR4_MASK, mask4);
	vmx_set_cr0(v, cr0);
	vmx_set_cr4(v, cr4);
}

void vmx_init_cr(struct vcpu *v)
{
	vmwrite(VMCS_CR0_SHADOW, 0);
	vmwrite(VMCS_CR4_SHADOW, 0);
	vmx_write_cr_masks(v);
	vmx_set_cr0(v, 0);
	vmx_set_cr4(v, 0);
}

/* SDM vol. 1, 13.3. */
static bool xcr0_is_valid(u64 v)
{
	u64 avx512 = v & XCR0_AVX512;

	if (!(v & 1) || v & ~(u64)cpu_features.xcr0)
		return false;
	if (v & XCR0_AVX && !(v & 2))
		return false;
	return !avx512 || (avx512 == XCR0_AVX512 && v & XCR0_AVX);
}

/* As long as CR4.OSXSAVE is 0, XCR0 has no effect and cannot be read: the host's does as well. */
void vmx_choose_xcr0(struct vcpu *v, u64 xcr0, u64 cr4)
{
	struct arch_vcpu *a = &v->arch;
	bool differs = xcr0 != cpu_features.xcr0, hide = differs && !(cr4 & CR4_OSXSAVE);

	a->xcr0 = xcr0;
	vmx_set_pending(a, PENDING_BAD_XCR0, !xcr0_is_valid(xcr0));
	a->own_xcr0 = differs;
	vmx_set_pending(a, PENDING_XCR0, differs && !hide);
	if (a->hides_osxsave == hide)
		return;
	a->hides_osxsave = hide;
	vmx_write_cr_masks(v);
}

/* From now on CR4.OSXSAVE is the guest's, and its XCR0 is in force. False: that is no news. */
static bool show_osxsave(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (likely(!a->hides_osxsave))
		return false;
	a->hides_osxsave = false;
	a->pending |= PENDING_XCR0;
	vmx_write_cr_masks(v);
	xcr0_write((u32)a->xcr0);
	return true;
}

/* CR4.MCE is the host's, or a machine check would be the end of all; the guest sees its own. */
static bool change_mce(struct vcpu *v, u64 value)
{
	struct arch_vcpu *a = &v->arch;

	if (likely(!((value ^ a->cr4_shadow) & CR4_MCE)) || a->cr4_mon & CR4_MCE)
		return false;
	a->cr4_shadow ^= CR4_MCE;
	vmwrite(VMCS_CR4_SHADOW, a->cr4_shadow);
	return true;
}

bool vmx_handle_cr4(struct vcpu *v, unsigned reg)
{
	u64 value = reg == 4 ? vmread(VMCS_GUEST_RSP) : (&v->regs.rax)[reg];

	return show_osxsave(v) || change_mce(v, value);
}
