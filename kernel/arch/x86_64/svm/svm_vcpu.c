/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a vCPU's VMCB, and address space identifiers (ASIDs). */
#include "svm/svm_vcpu.h"

#include "arch/switch.h"
#include "arch/vcpu.h"
#include "core/kp.h"
#include "core/vcpu.h"
#include "cpu/fpu.h"
#include "lib/string.h"
#include "mm/page.h"
#include "svm/svm.h"
#include "svm/svm_state.h"
#include "svm/svm_switch.h"

/*
 * ---- ASIDs ----
 *
 * Each CPU gives them out one after the other. What is out of date, be it one vCPU's translations or all that come
 * from nested tables, is not flushed: the vCPU gets another ASID, and nobody uses the old one. When all have been
 * used everything is flushed at once, and they start over. 0 is the host's, 1 that of halted guests (svm_wait.c).
 * APM vol. 2, 15.16.
 */

#define ASID_FIRST 2

void svm_vcpu_outdate_asids(struct svm_cpu *c)
{
	if (!++c->generation)
		c->generation = 1;
}

void svm_vcpu_restart_asids(struct svm_cpu *c)
{
	svm_vcpu_outdate_asids(c);
	c->next_asid = ASID_FIRST;
	c->flush = true;
}

/* Until an entry has flushed (svm_exit.c) each VMCB that gets an ASID has the order to. */
void svm_vcpu_new_asid(struct cpu *cpu, struct vcpu *v)
{
	struct svm_cpu *c = svm_cpu(cpu);
	struct vmcb *b = v->arch.svm.vmcb;

	if (c->next_asid >= svm.asids)
		svm_vcpu_restart_asids(c);
	b->asid = c->next_asid++;
	b->clean = VMCB_DIRTY;
	v->arch.svm.generation = c->generation;
	if (!c->flush)
		return;
	b->tlb_control = TLB_FLUSH_ALL;
	v->arch.pending |= PENDING_FLUSH;
}

/* ---- making and unmaking ---- */

/* What an entry needs of the PD is made when the vCPU is, because an entry cannot fail for want of memory. */
static bool prepare_pd(struct pd *pd)
{
	return space_mem_guest_root(pd) && space_pio_make_guest(pd) == SUCCESS;
}

/* The legacy region of the FPU page, with the values after INIT that are not 0. SDM vol. 1, 10.5.1. */
static void init_fpu_page(u8 *page)
{
	*(u16 *)(page + XSAVE_FCW) = FCW_INIT;
	*(u32 *)(page + XSAVE_MXCSR) = MXCSR_INIT;
}

#define DR6_INIT 0xffff0ff0
#define EFER_SVME (1u << 12)

void svm_vcpu_reset(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	struct vmcb *b = a->svm.vmcb;

	memset(&b->es, 0, sizeof(*b) - offsetof(struct vmcb, es));
	a->cr0_mon = a->cr4_mon = a->efer = 0;
	a->pending |= PENDING_CHECK | PENDING_TLB;
	b->event_inj = b->interrupt_shadow = 0;
	b->dr6 = DR6_INIT;
	b->efer = EFER_SVME;
	svm_init_controls(v);
	svm_cr_init(v);
}

static enum status init(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	struct cpu *cpu = arch_cpu(v->cpu_id);

	if (!prepare_pd(v->pd))
		return OOM;
	a->svm.vmcb = page_take_zeroed(&v->pd->account);
	if (!a->svm.vmcb)
		return OOM;
	a->svm.vmcb_pa = heap_phys(a->svm.vmcb).v;
	a->svm.host = svm_cpu(cpu)->host;
	a->svm.host_pa = svm_cpu(cpu)->host_pa;
	a->svm.iret = ~0ull;
	a->svm.left = SVM_NO_TIMEOUT;
	a->passthrough = v->pd->passthrough;
	a->pending = PENDING_BAD_XCR0 | PENDING_CHECK;
	a->fpu_page = v->fpu_kp->page;
	a->stale = &v->pd->guest_stale[v->cpu_id];
	a->host_spec_ctrl = svm_cpu(cpu)->spec_ctrl;
	init_fpu_page(a->fpu_page);
	svm_vcpu_reset(v);
	if (a->passthrough && !__atomic_fetch_add(&cpu->passthrough, 1, __ATOMIC_RELAXED))
		WRITE_ONCE(cpu->nmi_foreign, false); /* NMIs that came when there was nobody to hear of them */
	return SUCCESS;
}

static void retire(struct vcpu *v)
{
	struct cpu *cpu = cpu_current();

	if (v->arch.passthrough)
		__atomic_fetch_sub(&cpu->passthrough, 1, __ATOMIC_RELAXED);
	if (cpu->vcpu == v)
		WRITE_ONCE(cpu->vcpu, NULL);
	if (cpu->guest_regs == v)
		cpu->guest_regs = NULL;
}

static void leave_run(struct vcpu *v)
{
	v->arch.pending &= ~(u32)PENDING_ENTERED;
}

static void destroy(struct vcpu *v)
{
	page_return(v->arch.svm.vmcb);
}

static bool supported(void)
{
	return svm.usable;
}

const struct virt_twin svm_vcpu_twins[] = {
	{arch_vcpu_supported, supported}, {arch_vcpu_init, init},
	{arch_vcpu_retire, retire},       {arch_vcpu_free, destroy},
	{arch_vcpu_leave_run, leave_run}, {arch_vcpu_has_event, svm_has_event},
	{arch_vcpu_run, svm_run},         {NULL, NULL},
};

/* ---- loading ---- */

/*
 * Whoever pokes a vCPU or changes nested tables writes that first and looks at cpu->vcpu then (core/vcpu.c,
 * mmu/tlb.c). Here cpu->vcpu is written first, and what the others have written is read later; the store is a
 * barrier, so that one of the two sees the other.
 */
void svm_vcpu_load(struct cpu *cpu, struct vcpu *v)
{
	u32 current;

	__atomic_store_n(&cpu->vcpu, v, __ATOMIC_SEQ_CST);
	current = svm_cpu(cpu)->generation;
	v->arch.svm.vmcb->clean = VMCB_DIRTY; /* the CPU may have run other guests since, or slept */
	if (v->arch.svm.generation != current)
		svm_vcpu_new_asid(cpu, v);
	svm_switch_guest_regs(cpu, v);
}

void svm_vcpu_forget(struct cpu *cpu)
{
	svm_switch_guest_regs(cpu, NULL);
	WRITE_ONCE(cpu->vcpu, NULL);
}
