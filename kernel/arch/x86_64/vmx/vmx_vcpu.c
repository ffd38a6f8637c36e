/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a vCPU's VMCS: memory and a VPID, the first contents, and on which CPU it is active and current. */
#include "vmx/vmx_vcpu.h"

#include "arch/switch.h"
#include "core/kp.h"
#include "core/vcpu.h"
#include "cpu/desc.h"
#include "cpu/fpu.h"
#include "lib/string.h"
#include "mm/page.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_state.h"
#include "vmx/vmx_switch.h"

/* ---- VPIDs: a bitmap, changed by single atomic operations; 0 is the host's (SDM vol. 3, 29.1) ---- */

#define VPID_COUNT 0x10000

static u64 vpids[VPID_COUNT / 64] = {1};
static u32 vpid_hint; /* the index of a word in which a VPID was free lately */

/* 0 if none is free: without a VPID every entry and exit flushes the vCPU's translations. */
static u16 vpid_alloc(void)
{
	u32 first = __atomic_load_n(&vpid_hint, __ATOMIC_RELAXED);

	for (u32 n = 0; n < array_size(vpids); n++) {
		u32 i = (first + n) % array_size(vpids);
		for (u64 used = __atomic_load_n(&vpids[i], __ATOMIC_RELAXED); ~used;) {
			u64 free = ~used & -~used;
			used = __atomic_fetch_or(&vpids[i], free, __ATOMIC_RELAXED);
			if (used & free)
				continue;
			__atomic_store_n(&vpid_hint, i, __ATOMIC_RELAXED);
			return (u16)(i * 64 + bit_lowest(free));
		}
	}
	return 0;
}

static void vpid_free(u16 vpid)
{
	if (vpid)
		__atomic_fetch_and(&vpids[vpid / 64], ~bit(vpid % 64), __ATOMIC_RELAXED);
}

/* INVVPID, single context (SDM vol. 3, 31.3). Without VPIDs there is nothing that survives an entry. */
void vmx_flush_vpid(const struct vcpu *v)
{
	const struct {
		u64 vpid, address;
	} which = {v->arch.vpid, 0};
	if (which.vpid)
		__asm__ volatile("invvpid %0, %1" : : "m"(which), "r"(1ull) : "cc", "memory");
}

/* ---- making and unmaking ---- */

/* What an entry needs of the PD is made when the vCPU is, because an entry cannot fail for want of memory. */
static bool prepare_pd(struct pd *pd)
{
	return space_mem_guest_root(pd) && space_pio_make_guest(pd) == SUCCESS && pd_access_page(pd);
}

/* The legacy region of the FPU page, with the values after INIT that are not 0. SDM vol. 1, 10.5.1. */
static void init_fpu_page(u8 *page)
{
	*(u16 *)(page + XSAVE_FCW) = FCW_INIT;
	*(u32 *)(page + XSAVE_MXCSR) = MXCSR_INIT;
}

/*
 * The CPU gets a vCPU that drives the machine. If it is the first one, NMIs that came when there was nobody to hear
 * of them are forgotten.
 */
static void announce_passthrough(struct cpu *cpu)
{
	if (!__atomic_fetch_add(&cpu->passthrough, 1, __ATOMIC_RELAXED))
		WRITE_ONCE(cpu->nmi_foreign, false);
}

#define DR6_INIT 0xffff0ff0

enum status arch_vcpu_init(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (!prepare_pd(v->pd))
		return OOM;
	a->vmcs = page_take_zeroed(&v->pd->account);
	if (!a->vmcs)
		return OOM;
	*(u32 *)a->vmcs = vmx.revision;
	a->vpid = vmx.vpid ? vpid_alloc() : 0;
	a->passthrough = v->pd->passthrough;
	a->dr6 = DR6_INIT;
	a->pending = PENDING_BAD_XCR0 | PENDING_LAUNCH;
	a->fpu_page = v->fpu_kp->page;
	a->stale = &v->pd->guest_stale[v->cpu_id];
	list_init(&a->link);
	init_fpu_page(a->fpu_page);
	if (a->passthrough)
		announce_passthrough(arch_cpu(v->cpu_id));
	return SUCCESS;
}

static void vmclear(struct arch_vcpu *a)
{
	u64 pa = heap_phys(a->vmcs).v;
	__asm__ volatile("vmclear %0" : : "m"(pa) : "cc", "memory");
	list_remove(&a->link);
	a->pending |= PENDING_LAUNCH;
}

void arch_vcpu_retire(struct vcpu *v)
{
	struct cpu *cpu = cpu_current();

	if (v->arch.passthrough)
		__atomic_fetch_sub(&cpu->passthrough, 1, __ATOMIC_RELAXED);
	if (cpu->vcpu == v)
		WRITE_ONCE(cpu->vcpu, NULL);
	if (cpu->guest_regs == v)
		cpu->guest_regs = NULL;
	if (!list_empty(&v->arch.link))
		vmclear(&v->arch);
}

void arch_vcpu_leave_run(struct vcpu *v)
{
	v->arch.pending &= ~(u32)PENDING_ENTERED;
}

void arch_vcpu_free(struct vcpu *v)
{
	vpid_free(v->arch.vpid);
	page_return(v->arch.vmcs);
}

/* ---- the first contents of a VMCS. Manual: SDM vol. 3, 25.4..25.6 ---- */

extern const u8 entry_vmexit[];

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

/* Fields that write_host() (vmx_run.c) writes again when they change: it compares with the copies. */
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
	vmwrite(VMCS_MSR_BITMAP, vmx_msr_bitmap(v->arch.passthrough, v->arch.pending & PENDING_MSR_PASSTHROUGH));
	if (vmx.primary.may & PRI_TPR_SHADOW)
		vmwrite(VMCS_VIRTUAL_APIC, heap_phys(v->vlapic_kp->page).v);
	if (vmx.secondary.may & SEC_VIRTUAL_APIC)
		vmwrite(VMCS_APIC_ACCESS, heap_phys(pd->access_page).v);
	if (v->arch.vpid)
		vmwrite(VMCS_VPID, v->arch.vpid);
}

static noinline void init_fields(struct cpu *cpu, struct vcpu *v)
{
	write_host_fields(cpu);
	write_host_cache(&v->arch);
	write_guest_zeros();
	write_control_zeros();
	write_addresses(v);
	vmx_init_controls(v);
	vmx_init_cr(v);
}

/* ---- loading ---- */

static void vmptrld(const struct arch_vcpu *a)
{
	u64 pa = heap_phys(a->vmcs).v;
	__asm__ volatile("vmptrld %0" : : "m"(pa) : "cc", "memory");
}

/* The VPID may have had another owner, of whom this CPU still has translations: they are flushed. */
static void first_load(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	vmclear(a);
	list_push_tail(vmx_active(cpu), &a->link);
	vmptrld(a);
	a->host_spec_ctrl = vmx_host_spec_ctrl(cpu);
	virt_set_pending(a, PENDING_L1_FLUSH, vmx.l1_flush);
	init_fields(cpu, v);
	vmx_flush_vpid(v);
	a->initialized = true;
}

/*
 * Whoever pokes a vCPU or changes nested tables writes that first and looks at cpu->vcpu then (core/vcpu.c,
 * mmu/tlb.c). Here cpu->vcpu is written first, and what the others have written is read later; the store is a
 * barrier, so that one of the two sees the other.
 */
void vmx_load_vcpu(struct cpu *cpu, struct vcpu *v)
{
	__atomic_store_n(&cpu->vcpu, v, __ATOMIC_SEQ_CST);
	if (unlikely(!v->arch.initialized)) {
		first_load(cpu, v);
	} else {
		if (list_empty(&v->arch.link))
			list_push_tail(vmx_active(cpu), &v->arch.link);
		vmptrld(&v->arch);
	}
	vmx_switch_guest_regs(cpu, v);
}

void vmx_forget_all(struct cpu *cpu)
{
	list_for_each_safe(l, vmx_active(cpu)) vmclear(container_of(l, struct arch_vcpu, link));
	vmx_switch_guest_regs(cpu, NULL);
	WRITE_ONCE(cpu->vcpu, NULL);
}
