/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest does without an exit. Controls: what the VMM asks for, with what must be and without what may not be
 * (docs/abi.md, "vCPUs"); the bits of control registers; MSRs. Manual: SDM vol. 3, 25.6..25.8, 27.2.
 */
#include "arch/switch.h"
#include "core/vcpu.h"
#include "lib/string.h"
#include "mm/page.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_switch.h"
#include "vmx/vmx_vcpu.h"

static u32 adjust(u32 wanted, struct vmx_control c)
{
	return (wanted | c.must) & c.may;
}

/* Writes the field only if it changes. */
void vmx_write_primary(struct vcpu *v, unsigned primary)
{
	if (v->arch.primary == primary)
		return;
	v->arch.primary = primary;
	vmwrite(VMCS_PRIMARY, primary);
}

static u32 forced_primary(const struct arch_vcpu *a, u32 wanted)
{
	u32 forced = PRI_IO_ALL | PRI_SECONDARY;
	if (!a->passthrough)
		forced |= PRI_HLT;
	if (!(wanted & PRI_TPR_SHADOW))
		forced |= PRI_CR8_LOAD | PRI_CR8_STORE;
	return forced;
}

void vmx_set_controls(struct vcpu *v, unsigned primary, unsigned secondary)
{
	struct arch_vcpu *a = &v->arch;
	u32 forced = SEC_EPT | SEC_UNRESTRICTED | (a->vpid ? SEC_VPID : 0);

	a->asked_primary = primary;
	a->asked_secondary = secondary;
	u32 now = adjust(secondary | forced, vmx.secondary);
	if (!a->vpid)
		now &= ~SEC_VPID;
	if (a->secondary != now) {
		a->secondary = now;
		vmwrite(VMCS_SECONDARY, now);
	}
	vmx_write_primary(v, adjust(primary | forced_primary(a, primary & vmx.primary.may), vmx.primary));
}

void vmx_init_controls(struct vcpu *v)
{
	u32 pin = PIN_NMI | PIN_VIRTUAL_NMI | PIN_TIMER | (v->arch.passthrough ? 0 : PIN_INTERRUPTS);

	vmwrite(VMCS_PIN, adjust(pin, vmx.pin));
	vmwrite(VMCS_EXIT_CONTROLS, adjust(EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_SAVE_PAT | EXIT_LOAD_PAT |
						   EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_SAVE_TIMER,
					   vmx.exit));
	vmwrite(VMCS_ENTRY_CONTROLS, adjust(ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER, vmx.entry));
	v->arch.exceptions = EXCEPTIONS_SHOWN;
	vmwrite(VMCS_EXC_BITMAP, EXCEPTIONS_SHOWN | EXCEPTIONS_KEPT);
	vmwrite(VMCS_TIMER, ~0u);
	v->arch.primary = v->arch.secondary = 0;
	vmx_set_controls(v, 0, 0);
}

/*
 * ---- control registers ----
 *
 * Who owns which bits of the guest's control registers: those VMX fixes, those the VMM monitors and two of the
 * kernel's exit when they would change. Manual: SDM vol. 3, 25.6.6 (masks and shadows), 27.3.1.1.
 */

/* The masks change, what the guest sees does not: its values are taken before and written behind the new masks. */
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

/*
 * As long as CR4.OSXSAVE is 0, XCR0 has no effect and cannot be read. So the guest runs with the host's, and its own
 * is put in force when it sets the bit, which exits to the kernel.
 */
void vmx_choose_xcr0(struct vcpu *v, u64 xcr0, u64 cr4)
{
	struct arch_vcpu *a = &v->arch;
	bool differs = xcr0 != cpu_features.xcr0, hide = differs && !(cr4 & CR4_OSXSAVE);

	a->xcr0 = xcr0;
	virt_set_pending(a, PENDING_BAD_XCR0, !virt_xcr0_is_valid(xcr0));
	a->own_xcr0 = differs;
	virt_set_pending(a, PENDING_XCR0, differs && !hide);
	if (a->hides_osxsave == hide)
		return;
	a->hides_osxsave = hide;
	vmx_write_cr_masks(v);
}

/* From now on CR4.OSXSAVE is the guest's, and its XCR0 is in force. False: they were before. */
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

/*
 * CR4.MCE stays set, because a machine check while it is clear shuts the processor down; the guest sees its own
 * value. False: that bit does not change, or the VMM wants to hear of it.
 */
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

/*
 * ---- MSR bitmaps ----
 *
 * Which MSRs a guest uses without exits. There are four bitmaps for all guests: for passthrough PDs and others, and
 * for guests that have written an MSR that the host must save and put right at each exit ("MSR pass-through") and
 * others. Until then that MSR is what the VMM has set it to, and need not be read back (vmx_switch.c).
 * Manual: SDM vol. 3, 25.6.9.
 */

#define HIGH_MSRS 0xc0000000u
#define RANGE_BYTES 1024 /* read low, read high, write low, write high: a bit for each of 8192 MSRs */

enum { MSR_R = 1, MSR_W = 2, MSR_W_PASSTHROUGH = 4 };

static const struct {
	u32 msr;
	bool passthrough;
	u8 access;
} passed_msrs[] = {
	{MSR_FS_BASE, false, MSR_R | MSR_W},
	{MSR_GS_BASE, false, MSR_R | MSR_W},
	{MSR_KERNEL_GS_BASE, false, MSR_R | MSR_W_PASSTHROUGH},
	{MSR_TSC_AUX, false, MSR_R | MSR_W_PASSTHROUGH},
	{MSR_SPEC_CTRL, false, MSR_R | MSR_W_PASSTHROUGH},
	{MSR_ARCH_CAPABILITIES, false, MSR_R},
	{MSR_PRED_CMD, false, MSR_R | MSR_W},
	{MSR_FLUSH_CMD, false, MSR_R | MSR_W},
	{MSR_TSC, true, MSR_R | MSR_W},
	{MSR_APIC_BASE, true, MSR_R | MSR_W},
	{MSR_TSC_ADJUST, true, MSR_R | MSR_W},
	{MSR_MPERF, true, MSR_R | MSR_W},
	{MSR_APERF, true, MSR_R | MSR_W},
	{MSR_TSC_DEADLINE, true, MSR_R | MSR_W},
};

static u8 *msr_bitmaps[2][2];

static void pass_msr(u8 *bitmap, u32 msr, bool write)
{
	u32 low = msr & (RANGE_BYTES * 8 - 1);
	u32 range = (write ? 2 : 0) + (msr >= HIGH_MSRS);
	bitmap[range * RANGE_BYTES + low / 8] &= (u8) ~(1u << low % 8);
}

static u8 *make_msr_bitmap(bool passthrough, bool msr_passthrough)
{
	u8 *bitmap = page_alloc();
	if (!bitmap)
		return NULL;
	memset(bitmap, 0xff, PAGE_SIZE);
	for (unsigned i = 0; i < array_size(passed_msrs); i++) {
		if (passed_msrs[i].passthrough && !passthrough)
			continue;
		if (passed_msrs[i].access & MSR_R)
			pass_msr(bitmap, passed_msrs[i].msr, false);
		if (passed_msrs[i].access & MSR_W || (msr_passthrough && passed_msrs[i].access & MSR_W_PASSTHROUGH))
			pass_msr(bitmap, passed_msrs[i].msr, true);
	}
	return bitmap;
}

enum status vmx_init_msr_bitmaps(void)
{
	for (unsigned i = 0; i < 4; i++)
		if (!(msr_bitmaps[i >> 1][i & 1] = make_msr_bitmap(i >> 1, i & 1)))
			return OOM;
	return SUCCESS;
}

void vmx_hide_spec_ctrl(void)
{
	for (unsigned passthrough = 0; passthrough < 2; passthrough++)
		if (msr_bitmaps[passthrough][false]) /* SPEC_CTRL is a low MSR; their bits for reading come first */
			msr_bitmaps[passthrough][false][MSR_SPEC_CTRL / 8] |= (u8)(1u << MSR_SPEC_CTRL % 8);
}

u64 vmx_msr_bitmap(bool passthrough, bool msr_passthrough)
{
	return heap_phys(msr_bitmaps[passthrough][msr_passthrough]).v;
}
