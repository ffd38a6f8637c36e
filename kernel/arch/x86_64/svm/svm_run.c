/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run: into the guest, and everything that ends one without an exit. The way out is svm_exit.c, the assembly
 * svm_run.S. Whenever the CPU does anything else than go straight back into the guest, all of the host's registers
 * are put right first: an EC whose run was interrupted is like any other.
 */
#include "svm/svm_run.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "entry/nmi.h"
#include "svm/svm.h"
#include "svm/svm_clean.h"
#include "svm/svm_event.h"
#include "svm/svm_state.h"
#include "svm/svm_switch.h"
#include "svm/svm_timer.h"
#include "svm/svm_vcpu.h"

struct ec *enter_svm_guest(struct cpu *cpu,
			   struct vcpu *v); /* does not return: a jump, so that nobody needs a frame */

void svm_run_save_host(struct svm_cpu *c)
{
	__asm__ volatile("vmsave %0" : : "a"(c->host_pa) : "memory");
	c->host->fs.sel = c->host->gs.sel = 0;
}

/*
 * The mark is cleared before the translations are given up, as in tlb_refresh(); an NMI that comes after the look at
 * it sets a hazard (entry/nmi.c). Whoever stops the guests (pio_lock_stop_guests_locked()) sets `guests_stopped`
 * first and the mark then, so that all entries come by here and wait, for no longer than it takes to write to a
 * bitmap.
 */
static noinline void refresh(struct cpu *cpu, struct vcpu *v)
{
	while (__atomic_exchange_n(v->arch.stale, 0, __ATOMIC_SEQ_CST)) {
		while (unlikely(__atomic_load_n(&v->pd->pio.guests_stopped, __ATOMIC_ACQUIRE)))
			arch_relax();
		svm_vcpu_outdate_asids(svm_cpu(cpu)); /* other vCPUs of the PD are out of date, too */
		svm_vcpu_new_asid(cpu, v);
	}
}

static noinline struct ec *enter_refreshed(struct cpu *cpu, struct vcpu *v)
{
	refresh(cpu, v);
	return enter_svm_guest(cpu, v);
}

static always_inline struct ec *enter(struct cpu *cpu, struct vcpu *v)
{
	svm_clean_check(cpu, v->arch.svm.vmcb);
	return unlikely(virt_is_set(v->arch.stale)) ? enter_refreshed(cpu, v) : enter_svm_guest(cpu, v);
}

/* What a VMLOAD after the exit is to load: users may have changed their bases. VMRUN loads CR2, but not that of all
 * emulators does, and the exit would save the VMM's. */
static always_inline void prepare(struct vcpu *v, const struct vmcb *b)
{
	struct vmcb *host = v->arch.svm.host;

	if (unlikely(cr2_read() != b->cr2))
		cr2_write(READ_ONCE(b->cr2));
	host->fs.base = fsbase_read();
	host->gs.base = gsbase_read();
}

static always_inline struct ec *enter_from(struct cpu *cpu, struct vcpu *v, const struct vmcb *b)
{
	prepare(v, b);
	return enter(cpu, v);
}

/* ---- the end of a run without an exit ---- */

struct ec *svm_run_finish(struct vcpu *v, u32 reason)
{
	v->arch.pending &= ~(u32)(PENDING_ENTERED | PENDING_IMMEDIATE_EXIT);
	v->state->qual[0] = v->state->qual[1] = 0;
	v->state->inst_len = 0;
	return svm_state_store_undelivered(v, reason);
}

/* An entry was refused before the CPU saw it. All state in the page counts as loaded. */
static struct ec *refuse(struct vcpu *v, u32 reason)
{
	v->mtd = 0;
	return svm_run_finish(v, reason);
}

/*
 * If the guest has not been entered since the page was loaded, nothing but the reason is new in it, and the next run
 * loads it again.
 */
static struct ec *end_poked(struct vcpu *v)
{
	if (v->arch.pending & PENDING_ENTERED)
		return svm_run_finish(v, VCPU_EXIT_POKED);
	v->arch.pending &= ~(u32)PENDING_IMMEDIATE_EXIT;
	v->state->exit_reason = VCPU_EXIT_POKED;
	return vcpu_end_run(v);
}

struct ec *svm_run_end_with_nmi(struct cpu *cpu, struct vcpu *v)
{
	cpu->nmi_foreign = false;
	v->state->exit_flags |= VCPU_FLAG_NMI;
	return end_poked(v);
}

/* An exit that a processor would have made at the entry. */
static struct ec *exit_at_once(struct vcpu *v, u32 reason)
{
	v->mtd = 0;
	v->arch.pending &= ~(u32)PENDING_ENTERED;
	v->arch.svm.vmcb->exit_int_info = 0;
	v->state->qual[0] = v->state->qual[1] = 0;
	v->state->inst_len = 0;
	return svm_state_store(v, reason);
}

struct ec *svm_run_end_in_time(struct vcpu *v)
{
	svm_run_forget_time(&v->arch);
	return v->arch.pending & PENDING_EVENT ? refuse(v, REASON_TIMER) : exit_at_once(v, REASON_TIMER);
}

/* ---- on the way into the guest ---- */

#define EVENT_SOFT_FIRST 0x400u /* types from here on have a length, by which RIP is moved */

/*
 * The event becomes the VMCB's, whose format has fewer types: an INT1, INT3 or INTO is an exception. Where the
 * processor does not know where the next instruction is, it pushes RIP, hence RIP is moved, and moved back if the
 * delivery is cut short. APM vol. 2, 15.20.
 */
static void inject(struct arch_svm *a)
{
	struct vmcb *b = a->vmcb;
	u32 info = a->event, type = info & INTR_TYPE_MASK;
	u64 error = info & INTR_ERROR_VALID ? a->event_error : 0;

	a->event_length = 0;
	if (type >= EVENT_SOFT_FIRST) {
		a->event_length = (u8)a->length;
		b->rip += a->length;
		b->next_rip = b->rip;
		if (type != EVENT_SOFT_INTERRUPT)
			info = (info & ~INTR_TYPE_MASK) | EVENT_EXCEPTION;
	}
	b->event_inj = error << EVENT_ERROR_SHIFT | info;
}

/*
 * A poke must not lose the event that the entry is to deliver. An NMI that is sent with the flag clear, which nothing
 * sets before VMRUN, exits when the event is delivered, before the guest's first instruction. The stale mark is
 * looked at before that: who has set it may wait for this CPU, and this CPU for him.
 */
static struct ec *enter_for_event(struct cpu *cpu, struct vcpu *v)
{
	v->arch.pending |= PENDING_IMMEDIATE_EXIT;
	prepare(v, v->arch.svm.vmcb);
	refresh(cpu, v);
	__asm__ volatile("clgi" : : : "memory");
	nmi_follow();
	return enter_svm_guest(cpu, v);
}

/* Wakes the guest up, or the run is over: NULL, or the EC that goes on. */
static noinline struct ec *wait(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	if (a->pending & PENDING_EVENT && a->svm.activity != ACTIVITY_WAIT_SIPI) {
		a->svm.activity = ACTIVITY_ACTIVE;
		a->pending &= ~(u32)PENDING_INACTIVE;
		return NULL;
	}
	switch (svm_wait(cpu, v)) {
	case WAIT_HAZARD:
		a->pending |= PENDING_ENTERED;
		svm_interrupted(cpu, v);
	case WAIT_INTERRUPT:
		return exit_at_once(v, 1);
	case WAIT_TIMEOUT:
		return svm_run_end_in_time(v);
	default:
		return NULL;
	}
}

static bool interrupts_open(const struct vmcb *b)
{
	return b->rflags & RFLAGS_IF && !(b->interrupt_shadow & 1);
}

/* A guest that can take at once what its VMM waits for exits before its first instruction. 0: it does not. */
static u32 open_window(const struct arch_vcpu *a)
{
	const struct vmcb *b = a->svm.vmcb;
	bool active = !(a->pending & PENDING_INACTIVE);

	if (a->pending & PENDING_EVENT || a->svm.activity > ACTIVITY_HLT)
		return 0;
	if (!active && b->intercepts & INTERCEPT_VINTR && interrupts_open(b))
		return 7;
	return a->pending & PENDING_NMI_WINDOW && !a->svm.nmi_blocked && !(b->interrupt_shadow & 1) ? 8 : 0;
}

/* The interrupt shadow is over after one instruction, and with it what closes the NMI window. */
static void step_for_window(struct arch_vcpu *a)
{
	bool shadow = a->svm.vmcb->interrupt_shadow & 1;

	if (a->pending & PENDING_NMI_WINDOW && !(a->pending & PENDING_STEP) && !a->svm.nmi_blocked && shadow)
		svm_event_step(a);
}

/* Interrupts of a guest that drives the machine are its own, so the timer's cannot end its run. */
static void start_timer(struct arch_vcpu *a)
{
	a->svm.entered = arch_tsc();
	if (!a->passthrough)
		(void)svm_timer_start(a->svm.left);
}

static struct ec *enter_pending(struct cpu *cpu, struct vcpu *v, bool poked)
{
	struct arch_vcpu *a = &v->arch;

	if (!svm_to_guest(cpu, v->ec, v))
		return refuse(v, REASON_BAD_STATE);
	if (a->pending & PENDING_TLB) {
		a->pending &= ~(u32)PENDING_TLB;
		svm_vcpu_new_asid(cpu, v);
	}
	if (a->pending & PENDING_TIMED)
		start_timer(a);
	step_for_window(a);
	if (!(a->pending & PENDING_EVENT))
		return enter_from(cpu, v, a->svm.vmcb);
	inject(&a->svm);
	return poked ? enter_for_event(cpu, v) : enter_from(cpu, v, a->svm.vmcb);
}

static u32 check(struct vcpu *v)
{
	u32 refused = svm_check(v);

	if (!refused) {
		v->arch.pending &= ~(u32)PENDING_CHECK;
		v->arch.svm.intr_state = 0;
	}
	return refused;
}

/* What is injected may be a software event, whose length comes with RIP. */
static void load_length(struct vcpu *v)
{
	if (!(v->mtd & MTD_RIP_LEN))
		return;
	v->arch.svm.length = (u32)READ_ONCE(v->state->inst_len);
	v->arch.pending |= PENDING_CHECK;
}

/* The state is loaded; something is pending, or the run is to end. */
static noinline struct ec *go_on_slow(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	bool poked = READ_ONCE(v->poked);
	struct ec *over;
	u32 reason;

	if (poked && !(a->pending & PENDING_EVENT))
		return end_poked(v);
	if (unlikely(cpu->nmi_foreign)) {
		if (a->passthrough)
			return svm_run_end_with_nmi(cpu, v);
		if (!__atomic_load_n(&cpu->passthrough, __ATOMIC_RELAXED))
			cpu->nmi_foreign = false; /* for nobody */
	}
	if (a->pending & PENDING_BAD_XCR0)
		return refuse(v, REASON_BAD_STATE);
	if (a->pending & PENDING_EVENT)
		load_length(v);
	if (a->pending & PENDING_CHECK && (reason = check(v)))
		return refuse(v, reason);
	if (a->pending & PENDING_TIMED && !a->svm.left && !(a->pending & PENDING_EVENT))
		return svm_run_end_in_time(v);
	if ((reason = open_window(a)))
		return exit_at_once(v, reason);
	if (a->pending & PENDING_INACTIVE && (over = wait(cpu, v)))
		return over;
	return enter_pending(cpu, v, poked);
}

static always_inline bool goes_on_slowly(struct cpu *cpu, const struct vcpu *v)
{
	return unlikely(virt_is_set(&v->poked)) || unlikely(cpu->nmi_foreign) || !svm_plain_entry(cpu, &v->arch);
}

static noinline struct ec *load_rest(struct cpu *cpu, struct vcpu *v)
{
	u32 refused = svm_state_load_rest(v);

	if (refused)
		return refuse(v, refused);
	return goes_on_slowly(cpu, v) ? go_on_slow(cpu, v) : enter_from(cpu, v, v->arch.svm.vmcb);
}

static noinline struct ec *load_vcpu(struct cpu *cpu, struct vcpu *v)
{
	if (!svm.usable) { /* firmware did not give it back after sleep */
		v->state->exit_reason = VCPU_EXIT_REFUSED;
		return vcpu_end_run(v);
	}
	svm_vcpu_load(cpu, v);
	return svm_run(cpu, v->ec);
}

/*
 * All paths from here end in a jump into the guest, which empties the stack, or return the EC that goes on because
 * the run is over. So none of them may keep anything on the stack that is needed after the guest.
 */
struct ec *svm_run(struct cpu *cpu, struct ec *ec)
{
	struct vcpu *v = ec->vcpu;

	if (unlikely(cpu->vcpu != v))
		return load_vcpu(cpu, v);
	u64 mtd = v->mtd;
	struct vmcb *b = v->arch.svm.vmcb;
	svm_state_load_often(v, b, mtd);
	if (unlikely(mtd & ~SVM_MTD_OFTEN)) {
		b->clean = VMCB_DIRTY;
		return load_rest(cpu, v);
	}
	if (goes_on_slowly(cpu, v)) {
		b->clean = VMCB_DIRTY;
		return go_on_slow(cpu, v);
	}
	return enter_from(cpu, v, b);
}

/*
 * From svm_run.S and svm_run_on(): on the way into the guest a hazard was found. The guest is not running; the EC
 * goes on with its run when the dispatcher has seen to the hazards.
 */
void svm_interrupted(struct cpu *cpu, struct vcpu *v)
{
	struct ec *ec = cpu->ec;
	struct arch_svm *a = &v->arch.svm;

	if (v->arch.pending & PENDING_EVENT &&
	    a->vmcb->event_inj) { /* it was not entered: the next entry injects it */
		a->vmcb->rip -= a->event_length;
		a->vmcb->event_inj = 0;
	}
	svm_to_host(cpu, ec, v);
	ec->cont = CONT_VCPU;
	arch_dispatch();
}

struct ec *svm_run_on(struct cpu *cpu, struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	a->pending |= PENDING_ENTERED;
	if (cpu->hazard || READ_ONCE(v->poked) || a->pending & ~(u32)PENDING_IN_GUEST)
		svm_interrupted(cpu, v);
	return enter(cpu, v);
}
