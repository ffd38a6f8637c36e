/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Controls: what the VMM asks for, with what must be and without what may not be (docs/abi.md, "vCPUs"), and the
 * first contents of a VMCS. Manual: SDM vol. 3, 25.5..25.9, 27.2.
 */
#include "arch_switch.h"
#include "core/kp.h"
#include "core/vcpu.h"
#include "cpu/desc.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_vcpu.h"

extern const u8 entry_vmexit[];

static u32 adjust(u32 wanted, struct vmx_control c)
{
	return (wanted | c.must) & c.may;
}

/* One write for a change. */
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

static void write_host_fields(const struct cpu *cpu)
{
	const u16 none[] = {VMCS_HOST_ES_SEL, VMCS_HOST_DS_SEL, VMCS_HOST_FS_SEL, VMCS_HOST_GS_SEL};

	for (unsigned i = 0; i < array_size(none); i++)
		vmwrite(none[i], 0);
	vmwrite(VMCS_HOST_CS_SEL, SEL_KERNEL_CODE);
	vmwrite(VMCS_HOST_SS_SEL, SEL_KERNEL_DATA);
	vmwrite(VMCS_HOST_TR_SEL, SEL_TSS + cpu->id * 16);
	vmwrite(VMCS_HOST_TR_BASE, TSS_WINDOW + cpu->id * TSS_SPACING);
	vmwrite(VMCS_HOST_GDTR_BASE, desc_gdt());
	vmwrite(VMCS_HOST_IDTR_BASE, desc_idt());
	vmwrite(VMCS_HOST_CR0, cr0_read());
	vmwrite(VMCS_HOST_CR4, cr4_read());
	vmwrite(VMCS_HOST_EFER, msr_read(MSR_EFER));
	vmwrite(VMCS_HOST_PAT, msr_read(MSR_PAT));
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_RSP, 0);
	vmwrite(VMCS_HOST_SYSENTER_RIP, 0);
	vmwrite(VMCS_HOST_RSP, (u64)cpu + CPU_STACK_TOP);
	vmwrite(VMCS_HOST_RIP, (u64)entry_vmexit);
}

/* What write_host() compares with (vmx_run.c). */
static void write_host_cache(struct arch_vcpu *a)
{
	a->host_cr3 = a->host_fs_base = a->host_gs_base = 0;
	vmwrite(VMCS_HOST_CR3, 0);
	vmwrite(VMCS_HOST_FS_BASE, 0);
	vmwrite(VMCS_HOST_GS_BASE, 0);
}

static void write_guest_zeros(void)
{
	static const u16 fields[] = {
		VMCS_GUEST_RIP,          VMCS_GUEST_RSP,          VMCS_GUEST_RFLAGS,        VMCS_GUEST_CR3,
		VMCS_GUEST_DR7,          VMCS_GUEST_PAT,          VMCS_GUEST_EFER,          VMCS_GUEST_DEBUGCTL,
		VMCS_GUEST_INTR_STATE,   VMCS_GUEST_ACTV_STATE,   VMCS_GUEST_PENDING_DEBUG, VMCS_GUEST_SYSENTER_CS,
		VMCS_GUEST_SYSENTER_RSP, VMCS_GUEST_SYSENTER_RIP, VMCS_GUEST_GDTR_BASE,     VMCS_GUEST_GDTR_LIMIT,
		VMCS_GUEST_IDTR_BASE,    VMCS_GUEST_IDTR_LIMIT,
	};
	for (unsigned i = 0; i < array_size(fields); i++)
		vmwrite(fields[i], 0);
	for (unsigned seg = SEG_ES; seg <= SEG_TR; seg++) {
		vmwrite(VMCS_GUEST_ES_SEL + 2 * seg, 0);
		vmwrite(VMCS_GUEST_ES_LIMIT + 2 * seg, 0);
		vmwrite(VMCS_GUEST_ES_AR + 2 * seg, 0);
		vmwrite(VMCS_GUEST_ES_BASE + 2 * seg, 0);
	}
	for (unsigned i = 0; i < 4; i++)
		vmwrite(VMCS_GUEST_PDPTE + 2 * i, 0);
	vmwrite(VMCS_LINK, ~0ull);
}

static void write_control_zeros(void)
{
	static const u16 fields[] = {
		VMCS_PF_MASK,        VMCS_PF_MATCH,        VMCS_CR3_TARGETS,     VMCS_EXIT_MSR_STORES,
		VMCS_EXIT_MSR_LOADS, VMCS_ENTRY_MSR_LOADS, VMCS_ENTRY_INTR_INFO, VMCS_ENTRY_INTR_ERROR,
		VMCS_ENTRY_INST_LEN, VMCS_TSC_OFFSET,
	};
	for (unsigned i = 0; i < array_size(fields); i++)
		vmwrite(fields[i], 0);
	if (vmx.primary.may & PRI_TPR_SHADOW)
		vmwrite(VMCS_TPR_THRESHOLD, 0);
	if (vmx.secondary.may & SEC_XSAVES)
		vmwrite(VMCS_XSS_EXITING, 0);
	if (vmx.secondary.may & SEC_PAUSE_LOOP) {
		vmwrite(VMCS_PLE_GAP, 0);
		vmwrite(VMCS_PLE_WINDOW, 0);
	}
	if (vmx.secondary.may & SEC_VIRTUAL_INTERRUPTS) {
		vmwrite(VMCS_GUEST_INTR_STATUS, 0);
		for (unsigned i = 0; i < 4; i++)
			vmwrite(VMCS_EOI_BITMAP + 2 * i, 0);
	}
}

#define EPTP_WRITE_BACK 6
#define EPTP_FOUR_LEVELS (3 << 3)

static void write_addresses(const struct vcpu *v)
{
	const struct pd *pd = v->pd;

	vmwrite(VMCS_EPTP, heap_phys(pd->mem.guest.root).v | EPTP_WRITE_BACK | EPTP_FOUR_LEVELS);
	vmwrite(VMCS_IO_BITMAP_A, heap_phys(pd->pio.guest[0]).v);
	vmwrite(VMCS_IO_BITMAP_B, heap_phys(pd->pio.guest[1]).v);
	vmwrite(VMCS_MSR_BITMAP, msr_bitmap(v->arch.passthrough, v->arch.pending & PENDING_MSR_PASSTHROUGH));
	if (vmx.primary.may & PRI_TPR_SHADOW)
		vmwrite(VMCS_VIRTUAL_APIC, heap_phys(v->vlapic_kp->page).v);
	if (vmx.secondary.may & SEC_VIRTUAL_APIC)
		vmwrite(VMCS_APIC_ACCESS, heap_phys(pd->access_page).v);
	if (v->arch.vpid)
		vmwrite(VMCS_VPID, v->arch.vpid);
}

static void write_controls(struct vcpu *v)
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

void vmx_init_fields(struct cpu *cpu, struct vcpu *v)
{
	write_host_fields(cpu);
	write_host_cache(&v->arch);
	write_guest_zeros();
	write_control_zeros();
	write_addresses(v);
	write_controls(v);
	vmx_init_cr(v);
}
