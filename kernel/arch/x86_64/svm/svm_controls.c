/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest does without an exit: what the VMM asks for in Intel's bits, with what must be (docs/abi.md, "Virtual
 * CPUs"); MSRs. Manual: APM vol. 2, 15.9..15.12 (intercepts), 15.11 (MSRs), 15.21 (interrupts).
 */
#include "arch/switch.h"
#include "core/vcpu.h"
#include "lib/string.h"
#include "mm/page.h"
#include "svm/svm.h"
#include "svm/svm_state.h"
#include "virt/virt_switch.h"

/* Intel's bits that vmcs.h has no use for. SDM vol. 3, 25.6.2. */
#define PRI_TSC_OFFSET (1u << 3)
#define PRI_INVLPG (1u << 9)
#define PRI_MWAIT (1u << 10)
#define PRI_RDPMC (1u << 11)
#define PRI_RDTSC (1u << 12)
#define PRI_CR3_LOAD (1u << 15)
#define PRI_CR3_STORE (1u << 16)
#define PRI_DR (1u << 23)
#define PRI_MONITOR (1u << 29)
#define PRI_PAUSE (1u << 30)

#define CR3_BIT (1u << 3)
#define CR8_BIT (1u << 8)
#define ALL_DRS 0xff

/*
 * A halt always exits: of a guest that drives the machine it is the kernel's affair (svm_wait.c), because the exit
 * that another CPU's signal causes would end it. INVLPGA and what enters guests is for hypervisors only.
 */
#define INTERCEPTS                                                                                              \
	(INTERCEPT_NMI | INTERCEPT_CPUID | INTERCEPT_RSM | INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA | \
	 INTERCEPT_IO | INTERCEPT_MSR | INTERCEPT_TASK_SWITCH | INTERCEPT_SHUTDOWN | INTERCEPT_CR0_SEL_WRITE)
#define INTERCEPTS2                                                                                        \
	(INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD | INTERCEPT2_VMSAVE | INTERCEPT2_STGI | \
	 INTERCEPT2_CLGI | INTERCEPT2_SKINIT | INTERCEPT2_XSETBV)

static u32 if_asked(u32 primary, u32 bit, u32 intercept)
{
	return primary & bit ? intercept : 0;
}

static void set_maps(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	struct vmcb *b = a->svm.vmcb;

	b->iopm = a->primary & PRI_IO_BITMAPS ? heap_phys(v->pd->pio.guest[0]).v : svm_io_map_all();
	b->msrpm = a->primary & PRI_MSR_BITMAPS ? svm_msr_map(a->passthrough, a->pending & PENDING_MSR_PASSTHROUGH)
						: svm_msr_map_all();
	b->tsc_offset = a->primary & PRI_TSC_OFFSET ? a->svm.offset : 0;
}

void svm_set_controls(struct vcpu *v, u32 primary)
{
	struct arch_vcpu *a = &v->arch;
	struct vmcb *b = a->svm.vmcb;
	u32 kept = b->intercepts & (INTERCEPT_VINTR | INTERCEPT_IRET);

	a->asked_primary = primary;
	a->primary = primary & ~(u32)(PRI_TPR_SHADOW | PRI_INTERRUPT_WINDOW | PRI_NMI_WINDOW);
	b->intercepts = INTERCEPTS | kept | (a->passthrough ? 0 : INTERCEPT_INTR) |
			if_asked(primary, PRI_INVLPG, INTERCEPT_INVLPG) |
			if_asked(primary, PRI_RDPMC, INTERCEPT_RDPMC) |
			if_asked(primary, PRI_RDTSC, INTERCEPT_RDTSC) | if_asked(primary, PRI_PAUSE, INTERCEPT_PAUSE);
	b->intercepts2 = INTERCEPTS2 | if_asked(primary, PRI_MWAIT, INTERCEPT2_MWAIT) |
			 if_asked(primary, PRI_RDTSC, INTERCEPT2_RDTSCP) |
			 if_asked(primary, PRI_MONITOR, INTERCEPT2_MONITOR);
	b->cr_reads =
		(u16)((b->cr_reads & ~(CR3_BIT | CR8_BIT)) | CR8_BIT | if_asked(primary, PRI_CR3_STORE, CR3_BIT));
	b->cr_writes =
		(u16)((b->cr_writes & ~(CR3_BIT | CR8_BIT)) | CR8_BIT | if_asked(primary, PRI_CR3_LOAD, CR3_BIT));
	b->dr_reads = b->dr_writes = primary & PRI_DR ? ALL_DRS : 0;
	set_maps(v);
	svm_set_windows(v, primary & PRI_INTERRUPT_WINDOW, primary & PRI_NMI_WINDOW);
}

/* #UD may be a VMCALL, which is none of AMD's instructions. */
void svm_set_exceptions(struct vcpu *v, u32 exceptions)
{
	v->arch.exceptions = exceptions;
	v->arch.svm.vmcb->exceptions = exceptions | EXCEPTIONS_KEPT | 1u << VECTOR_UD;
}

/* A virtual interrupt of the highest priority, which exits instead of being delivered: APM vol. 2, 15.21.5. */
void svm_set_windows(struct vcpu *v, bool interrupts, bool nmis)
{
	struct vmcb *b = v->arch.svm.vmcb;
	u64 request = VINTR_IRQ | VINTR_PRIORITY;

	b->vintr = interrupts ? b->vintr | request : b->vintr & ~request;
	b->intercepts = interrupts ? b->intercepts | INTERCEPT_VINTR : b->intercepts & ~INTERCEPT_VINTR;
	virt_set_pending(&v->arch, PENDING_NMI_WINDOW, nmis);
}

void svm_set_nmi_blocked(struct vcpu *v, bool blocked)
{
	struct vmcb *b = v->arch.svm.vmcb;

	v->arch.svm.nmi_blocked = blocked;
	b->intercepts = blocked ? b->intercepts | INTERCEPT_IRET : b->intercepts & ~INTERCEPT_IRET;
}

void svm_init_controls(struct vcpu *v)
{
	struct vmcb *b = v->arch.svm.vmcb;

	b->vintr = v->arch.passthrough ? 0 : VINTR_MASKING;
	b->nested = NESTED_PAGING;
	b->nested_cr3 = heap_phys(v->pd->mem.guest.root).v;
	svm_set_exceptions(v, EXCEPTIONS_SHOWN);
	svm_set_controls(v, 0);
}

/*
 * ---- permission maps ----
 *
 * Two bits for each MSR, for reading and writing, and one for each port; 1 exits. There are four maps of MSRs for all
 * guests, as there are with VMX, and one with which all exit: for passthrough PDs and others, and for guests that
 * have written an MSR that the host must save and put right at each exit and others. APM vol. 2, 15.10.1, 15.11.
 */

enum { MSR_R = 1, MSR_W = 2, MSR_W_PASSTHROUGH = 4 };

static const struct {
	u32 msr;
	bool passthrough;
	u8 access;
} passed_msrs[] = {
	{MSR_FS_BASE, false, MSR_R | MSR_W},
	{MSR_GS_BASE, false, MSR_R | MSR_W},
	{MSR_KERNEL_GS_BASE, false, MSR_R | MSR_W},
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

#define MSR_MAP_ORDER 1 /* two pages */
#define RANGE_BYTES 2048
#define RANGE_MSRS 8192
#define IO_MAP_ORDER 2 /* three pages, of which the last one has one byte */

static u8 *msr_maps[2][2], *msr_map_all, *io_map_all;

/* The ranges begin at 0, 0xc0000000 and 0xc0010000; the list has none of the last. */
static u8 *msr_bits(u8 *map, u32 msr, unsigned *shift)
{
	u32 low = msr & (RANGE_MSRS - 1);

	*shift = low % 4 * 2;
	return &map[(msr >> 31 ? RANGE_BYTES : 0) + low / 4];
}

static void pass_msr(u8 *map, u32 msr, bool write)
{
	unsigned shift;
	u8 *bits = msr_bits(map, msr, &shift);

	*bits &= (u8) ~(1u << (shift + write));
}

static u8 *map_of_ones(unsigned order)
{
	u8 *map = page_alloc_block(order);

	if (map)
		memset(map, 0xff, PAGE_SIZE << order);
	return map;
}

static u8 *make_msr_map(bool passthrough, bool msr_passthrough)
{
	u8 *map = map_of_ones(MSR_MAP_ORDER);

	for (unsigned i = 0; map && i < array_size(passed_msrs); i++) {
		if (passed_msrs[i].passthrough && !passthrough)
			continue;
		if (passed_msrs[i].access & MSR_R)
			pass_msr(map, passed_msrs[i].msr, false);
		if (passed_msrs[i].access & MSR_W || (msr_passthrough && passed_msrs[i].access & MSR_W_PASSTHROUGH))
			pass_msr(map, passed_msrs[i].msr, true);
	}
	return map;
}

enum status svm_init_maps(void)
{
	for (unsigned i = 0; i < 4; i++)
		if (!(msr_maps[i >> 1][i & 1] = make_msr_map(i >> 1, i & 1)))
			return OOM;
	msr_map_all = map_of_ones(MSR_MAP_ORDER);
	io_map_all = map_of_ones(IO_MAP_ORDER);
	return msr_map_all && io_map_all ? SUCCESS : OOM;
}

void svm_hide_spec_ctrl(void)
{
	for (unsigned passthrough = 0; passthrough < 2; passthrough++) {
		unsigned shift;
		u8 *bits = msr_bits(msr_maps[passthrough][false], MSR_SPEC_CTRL, &shift);

		*bits |= (u8)(1u << shift);
	}
}

u64 svm_msr_map(bool passthrough, bool msr_passthrough)
{
	return heap_phys(msr_maps[passthrough][msr_passthrough]).v;
}

u64 svm_msr_map_all(void)
{
	return heap_phys(msr_map_all).v;
}

u64 svm_io_map_all(void)
{
	return heap_phys(io_map_all).v;
}
