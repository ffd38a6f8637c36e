/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests that are halted, shut down or wait for a SIPI. AMD's processors have no such state to enter a guest in: what
 * wakes one up would find it active. So another guest, the kernel's own, halts in its place: it exits by the same
 * NMIs and interrupts. If the run is to end in time it looks at the clock instead, by PAUSE and an exit now and then.
 */
#include "arch/memory.h"
#include "arch/switch.h"
#include "core/irq.h"
#include "core/vcpu.h"
#include "lib/string.h"
#include "mm/account.h"
#include "mm/page.h"
#include "svm/svm.h"
#include "svm/svm_run.h"
#include "svm/svm_timer.h"
#include "vmx/vmcs.h"

bool svm_run_halted(u64 vmcb_pa, const u32 *hazard, bool interrupts);

#define ASID_HALTED 1
#define CODE_AT 0x1000ul
#define SPIN_AT 0x1010ul
#define CODE_RIGHTS 0x9b
#define DATA_RIGHTS 0x93
#define TASK_RIGHTS 0x8b
#define REAL_LIMIT 0xffff
#define EFER_SVME (1u << 12)

/* In real mode: HLT; and 200 times PAUSE, then VMMCALL, which exits. */
static const u8 halt[] = {0xf4, 0xeb, 0xfd};
static const u8 spin[] = {0xb9, 0xc8, 0x00, 0xf3, 0x90, 0xe2, 0xfc, 0x0f, 0x01, 0xd9};

static struct vmcb *vmcbs[HEDRON_CPU_MAX];
static struct account account; /* the kernel's own, which nobody limits */
static struct ptab memory = {.account = &account, .format = PTAB_HOST, .leaf_max = 1}; /* of all; constant */

/* The page of code, which is all their memory. */
static bool make_memory(void)
{
	struct ptab_gather g = {0};
	u8 *code = page_alloc_zeroed();

	if (!code)
		return false;
	memcpy(code, halt, sizeof(halt));
	memcpy(code + SPIN_AT - CODE_AT, spin, sizeof(spin));
	return ptab_map(&memory, CODE_AT >> PAGE_BITS, 0, heap_phys(code).v | PTE_P | PTE_U | PTE_A | PTE_D, &g) ==
	       SUCCESS;
}

static void init_segments(struct vmcb *b)
{
	struct utcb_seg *const data[] = {&b->es, &b->ss, &b->ds};

	b->cs = (struct utcb_seg){.ar = CODE_RIGHTS, .limit = REAL_LIMIT};
	for (unsigned i = 0; i < array_size(data); i++)
		*data[i] = (struct utcb_seg){.ar = DATA_RIGHTS, .limit = REAL_LIMIT};
	b->gdtr.limit = b->idtr.limit = REAL_LIMIT;
}

bool svm_wait_prepare(unsigned n)
{
	struct vmcb *b = page_alloc_zeroed();

	if (!b || (!memory.root && !make_memory()))
		return false;
	b->intercepts = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_SHUTDOWN;
	b->intercepts2 = INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL;
	b->asid = ASID_HALTED;
	b->vintr = VINTR_MASKING;
	b->nested = NESTED_PAGING;
	b->nested_cr3 = heap_phys(memory.root).v;
	b->iopm = svm_io_map_all();
	b->msrpm = svm_msr_map_all();
	b->efer = EFER_SVME;
	b->cr0 = 0x10; /* ET */
	b->cr4 = CR4_MCE;
	b->dr6 = 0xffff0ff0;
	b->dr7 = 0x400;
	b->pat = 0x0007040600070406;
	init_segments(b);
	vmcbs[n] = b;
	return true;
}

/* One exit's worth of waiting. The guest has interrupts on, whatever the one it stands for has. */
static bool halt_once(struct cpu *cpu, bool interrupts, bool spinning)
{
	struct vmcb *b = vmcbs[cpu->id];

	b->rip = spinning ? SPIN_AT : CODE_AT;
	b->rflags = RFLAGS_FIXED | RFLAGS_IF;
	b->interrupt_shadow = 0;
	return svm_run_halted(heap_phys(b).v, &cpu->hazard, interrupts);
}

static bool wakes(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (!a->passthrough)
		return false;
	a->svm.activity = ACTIVITY_ACTIVE;
	a->pending &= ~(u32)PENDING_INACTIVE;
	return true;
}

/*
 * A guest that drives the machine takes interrupts itself: one that is halted wakes up if it can take them, one that
 * is not even halted is not disturbed. Interrupts end the runs of all others. `spinning`: no interrupt comes when
 * time is over.
 */
static enum svm_wait wait(struct cpu *cpu, struct vcpu *v, bool spinning)
{
	struct arch_vcpu *a = &v->arch;
	bool on = a->svm.vmcb->rflags & RFLAGS_IF && a->svm.activity == ACTIVITY_HLT;

	for (;;) {
		bool waited = halt_once(cpu, !a->passthrough || on, spinning);

		if (!waited || cpu->hazard || READ_ONCE(v->poked) || cpu->nmi_foreign)
			return WAIT_HAZARD;
		bool interrupt =
			(u32)vmcbs[cpu->id]->exit_code == EXIT_INTR && !svm_timer_take() && !irq_take_pending();
		if (a->pending & PENDING_TIMED && svm_run_time_over(a))
			return WAIT_TIMEOUT;
		if (interrupt)
			return wakes(v) ? WAIT_OVER : WAIT_INTERRUPT;
	}
}

enum svm_wait svm_wait(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (!(a->pending & PENDING_TIMED))
		return wait(cpu, v, false);
	a->svm.entered = arch_tsc();
	enum svm_wait how = wait(cpu, v, a->passthrough || !svm_timer_start(a->svm.left));
	svm_timer_stop();
	return how;
}
