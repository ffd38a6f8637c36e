/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the state page to the VMCB. The page belongs to user land at every moment: each word is read once.
 * Manual: APM vol. 2, 15.5.1 (what VMRUN loads); SDM vol. 3, 25.4 (the page's format).
 */
#include "svm/svm_state.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "svm/svm.h"
#include "svm/svm_switch.h"
#include "svm/svm_vcpu.h"

static noinline u32 load_spec_ctrl(struct arch_vcpu *a, u64 value)
{
	bool ok = !value || msr_write_safe(MSR_SPEC_CTRL, value);

	msr_write(MSR_SPEC_CTRL, a->host_spec_ctrl);
	if (!ok)
		return REASON_BAD_MSR;
	virt_set_spec_ctrl(a, value);
	return 0;
}

/*
 * What is loaded is compared with what was there: state that has been checked need not be checked again. User land
 * may write to the page meanwhile, so each word is read once.
 */
static always_inline void load(u64 *to, const u64 *from, u64 *changed)
{
	u64 value = READ_ONCE(*from);

	*changed |= value ^ *to;
	*to = value;
}

static always_inline u32 load_cr(struct vcpu *v, const struct utcb_state *s, u64 *changed)
{
	struct arch_vcpu *a = &v->arch;
	struct vmcb *b = a->svm.vmcb;
	u64 xcr0 = READ_ONCE(s->xcr0), spec_ctrl = READ_ONCE(s->spec_ctrl);
	u64 cr0 = READ_ONCE(s->cr0), cr4 = READ_ONCE(s->cr4);

	if (unlikely(cr0 != svm_cr0_seen(v)) || unlikely(cr4 != svm_cr4_seen(v))) {
		svm_cr_set(v, cr0, cr4);
		*changed = 1;
	}
	b->cr2 = READ_ONCE(s->cr2);
	load(&b->cr3, &s->cr3, changed);
	if (unlikely(xcr0 != a->xcr0) || unlikely(a->own_xcr0))
		svm_cr_set_xcr0(v, xcr0);
	if (unlikely(spec_ctrl != a->spec_ctrl) && svm.spec_ctrl)
		return load_spec_ctrl(a, spec_ctrl);
	return 0;
}

static noinline void load_event(struct vcpu *v, const struct utcb_state *s, u32 info)
{
	struct arch_vcpu *a = &v->arch;
	bool interrupts = info & INTR_WANT_WINDOW, nmis = info & INTR_WANT_NMI_WINDOW;

	a->svm.event = info & ~(INTR_WANT_WINDOW | INTR_WANT_NMI_WINDOW);
	a->svm.event_error = READ_ONCE(s->intr_error);
	virt_set_pending(a, PENDING_EVENT, info & INTR_VALID);
	if (info & INTR_VALID)
		a->pending |= PENDING_CHECK;
	svm_set_windows(v, interrupts, nmis);
}

/* Most often there is no event, and none is asked for. */
static always_inline void load_injection(struct vcpu *v, const struct utcb_state *s)
{
	u32 info = READ_ONCE(s->intr_info);
	const struct vmcb *b = v->arch.svm.vmcb;

	if (unlikely(info) || unlikely(v->arch.svm.event) || unlikely(b->intercepts & INTERCEPT_VINTR) ||
	    unlikely(v->arch.pending & PENDING_NMI_WINDOW))
		load_event(v, s, info);
}

static noinline void change_activity(struct vcpu *v, u32 state, u32 activity)
{
	struct arch_svm *s = &v->arch.svm;

	s->intr_state = state;
	s->activity = activity;
	s->vmcb->interrupt_shadow = (state & (INTR_STATE_STI | INTR_STATE_MOV_SS)) != 0;
	svm_set_nmi_blocked(v, state & INTR_STATE_NMI);
	virt_set_pending(&v->arch, PENDING_INACTIVE, activity != ACTIVITY_ACTIVE);
	v->arch.pending |= PENDING_CHECK;
}

static always_inline void load_activity(struct vcpu *v, const struct utcb_state *s)
{
	u32 state = READ_ONCE(s->intr_state), activity = READ_ONCE(s->actv_state);
	const struct arch_svm *a = &v->arch.svm;

	if (unlikely(state | activity) || unlikely(a->intr_state | a->activity) || unlikely(a->nmi_blocked) ||
	    unlikely(a->vmcb->interrupt_shadow & 1))
		change_activity(v, state, activity);
}

static always_inline void load_controls(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u32 primary = READ_ONCE(s->ctrl[0]), exceptions = READ_ONCE(s->exc_bitmap) | EXCEPTIONS_SHOWN;
	u64 cr0_mon = READ_ONCE(s->cr0_mon), cr4_mon = READ_ONCE(s->cr4_mon);

	if (unlikely(primary != a->asked_primary) || unlikely(primary & (PRI_INTERRUPT_WINDOW | PRI_NMI_WINDOW)))
		svm_set_controls(v, primary);
	if (unlikely(exceptions != a->exceptions))
		svm_set_exceptions(v, exceptions);
	if (unlikely(cr0_mon != a->cr0_mon) || unlikely(cr4_mon != a->cr4_mon))
		svm_cr_set_monitored(v, cr0_mon, cr4_mon);
}

/* A copy of 16 bytes, of which the rights need a look. */
static always_inline void load_segment_low(struct utcb_seg *to, u64 low, u64 *changed)
{
	*changed |= low ^ *(u64 *)to;
	*(u64 *)to = low;
}

#define LOW_RIGHTS(rights) ((u64)(rights) << 16)

static always_inline u64 segment_low(const struct utcb_seg *from)
{
	u64 low = READ_ONCE(*(const u64 *)from);

	return unlikely(low & LOW_RIGHTS(SEG_UNUSABLE)) ? low & ~LOW_RIGHTS(0xf000 | SEG_PRESENT) : low;
}

static always_inline void load_segment(struct utcb_seg *to, const struct utcb_seg *from, u64 *changed)
{
	load_segment_low(to, segment_low(from), changed);
	to->base = READ_ONCE(from->base);
}

/* The privilege level is that of the stack segment, whether that is usable or not. */
static always_inline void load_stack_segment(struct vmcb *b, const struct utcb_state *s, u64 *changed)
{
	load_segment(&b->ss, &s->ss, changed);
	b->cpl = b->ss.ar >> 5 & 3;
}

#define RIGHTS_BUSY 2u
#define RIGHTS_TYPE 0xfu

/*
 * The task register is always busy, and only so accepted by Intel's processors: any other type becomes none at all,
 * for the check. VMLOAD takes a TSS that is not busy as well, and QEMU ends if it finds one that is.
 */
static always_inline void load_task(struct vmcb *b, const struct utcb_state *s, u64 *changed)
{
	u64 low = segment_low(&s->tr);

	load_segment_low(&b->tr, low & ~LOW_RIGHTS(low & LOW_RIGHTS(RIGHTS_BUSY) ? RIGHTS_BUSY : RIGHTS_TYPE),
			 changed);
	load(&b->tr.base, &s->tr.base, changed);
}

static always_inline void load_table(struct utcb_seg *to, const struct utcb_seg *from, u64 *changed)
{
	u32 limit = READ_ONCE(from->limit);

	*changed |= limit ^ to->limit;
	to->limit = limit;
	load(&to->base, &from->base, changed);
}

static always_inline void load_efer_pat(struct vcpu *v, const struct utcb_state *s, u64 *changed)
{
	struct arch_vcpu *a = &v->arch;
	struct vmcb *b = a->svm.vmcb;
	u64 efer = READ_ONCE(s->efer);

	if (unlikely(efer != a->efer)) {
		a->pending |= PENDING_TLB; /* execute-disable may have another meaning */
		svm_cr_set_efer(v, efer);
		*changed = 1;
	}
	load(&b->pat, &s->pat, changed);
}

/* Written by VMLOAD, which takes any value that is canonical or not; Intel's kernel refuses them. */
static always_inline u32 load_syscall_msrs(struct vmcb *b, const struct utcb_state *s)
{
	u64 lstar = READ_ONCE(s->lstar), fmask = READ_ONCE(s->fmask), gs = READ_ONCE(s->kernel_gs_base);

	if (unlikely(!arch_is_canonical(gs)) || unlikely(!arch_is_canonical(lstar)) || unlikely(fmask >> 32))
		return REASON_BAD_MSR;
	b->kernel_gs_base = gs;
	b->star = READ_ONCE(s->star);
	b->lstar = lstar;
	b->fmask = fmask;
	return 0;
}

/* The longest timeout that Intel's timer has is none here. */
static void load_timeout(struct vcpu *v, const struct utcb_state *s)
{
	v->arch.svm.left = min_u64(READ_ONCE(s->tsc_timeout), SVM_NO_TIMEOUT);
	v->arch.has_timeout = v->arch.svm.left != SVM_NO_TIMEOUT;
	virt_set_pending(&v->arch, PENDING_TIMED, v->arch.has_timeout);
}

static always_inline void load_tsc(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u64 offset = READ_ONCE(s->tsc_off);
	u32 aux = READ_ONCE(s->tsc_aux);

	if (unlikely(offset != a->svm.offset)) {
		a->svm.offset = offset;
		svm_set_controls(v, a->asked_primary);
	}
	if (unlikely(aux != a->tsc_aux) && svm.tsc_aux)
		virt_set_tsc_aux(a, aux);
}

static always_inline void load_segments(struct vmcb *b, const struct utcb_state *s, u64 mtd, u64 *changed)
{
	u64 ignored = 0;

	if (mtd & MTD_DS_ES) {
		load_segment(&b->es, &s->es, &ignored);
		load_segment(&b->ds, &s->ds, &ignored);
	}
	if (mtd & MTD_CS_SS) {
		load_segment(&b->cs, &s->cs, changed);
		load_stack_segment(b, s, changed);
	}
	if (mtd & MTD_FS_GS) {
		load_segment(&b->fs, &s->fs, &ignored);
		load_segment(&b->gs, &s->gs, &ignored);
	}
	if (mtd & MTD_LDTR)
		load_segment(&b->ldtr, &s->ldtr, changed);
	if (mtd & MTD_TR)
		load_task(b, s, changed);
	if (mtd & MTD_GDTR)
		load_table(&b->gdtr, &s->gdtr, changed);
	if (mtd & MTD_IDTR)
		load_table(&b->idtr, &s->idtr, changed);
}

/* Of RFLAGS the flags of arithmetic, TF, DF and IOPL may be anything. */
#define RFLAGS_ANY 0x7dd5ul

static always_inline void load_rflags(struct vmcb *b, const struct utcb_state *s, u64 *changed)
{
	u64 rflags = READ_ONCE(s->rflags);

	*changed |= (rflags ^ b->rflags) & ~RFLAGS_ANY;
	b->rflags = rflags;
}

static always_inline void load_registers(struct vcpu *v, const struct utcb_state *s, u64 mtd, u64 *changed)
{
	struct vmcb *b = v->arch.svm.vmcb;

	if (mtd & MTD_GPR_BSD)
		BLOCK_COPY(&v->regs, s, rbp, rdi);
	if (mtd & MTD_GPR_R8_R15)
		BLOCK_COPY(&v->regs, s, r8, r15);
	if (mtd & MTD_RSP)
		b->rsp = READ_ONCE(s->rsp);
	if (mtd & MTD_RFLAGS)
		load_rflags(b, s, changed);
	if (mtd & MTD_DR)
		load(&b->dr7, &s->dr7, changed);
	if (mtd & MTD_SYSENTER) {
		b->sysenter_cs = READ_ONCE(s->sysenter_cs);
		load(&b->sysenter_rsp, &s->sysenter_rsp, changed);
		load(&b->sysenter_rip, &s->sysenter_rip, changed);
	}
}

/* INJ comes after CTRL: both choose windows. PDPTEs are in the guest's memory, where the processor reads them. */
static always_inline u32 load_selected(struct vcpu *v, u64 mtd)
{
	const struct utcb_state *s = v->state;
	u64 changed = 0;
	u32 refused = 0;

	if (mtd & MTD_CTRL)
		load_controls(v, s);
	if (mtd & MTD_CR)
		refused |= load_cr(v, s, &changed);
	load_registers(v, s, mtd, &changed);
	load_segments(v->arch.svm.vmcb, s, mtd, &changed);
	if (mtd & MTD_STA)
		load_activity(v, s);
	if (mtd & MTD_INJ)
		load_injection(v, s);
	if (mtd & MTD_EFER_PAT)
		load_efer_pat(v, s, &changed);
	if (mtd & MTD_SYSCALL_SWAPGS)
		refused |= load_syscall_msrs(v->arch.svm.vmcb, s);
	if (mtd & MTD_TSC)
		load_tsc(v, s);
	if (unlikely(changed))
		v->arch.pending |= PENDING_CHECK;
	return refused;
}

/* What a VMM writes that does not look closely. It gets a copy of load_selected() without a test of each group. */
#define MTD_WHOLE                                                                                                \
	(MTD_GPR_BSD | MTD_RSP | MTD_RFLAGS | MTD_DS_ES | MTD_FS_GS | MTD_CS_SS | MTD_TR | MTD_LDTR | MTD_GDTR | \
	 MTD_IDTR | MTD_CR | MTD_DR | MTD_SYSENTER | MTD_CTRL | MTD_INJ | MTD_STA | MTD_TSC | MTD_EFER_PAT |     \
	 MTD_GPR_R8_R15 | MTD_SYSCALL_SWAPGS)

#define MTD_RARE (MTD_TSC_TIMEOUT | MTD_TLB)

static noinline void load_rare(struct vcpu *v)
{
	if (v->mtd & MTD_TSC_TIMEOUT)
		load_timeout(v, v->state);
	if (v->mtd & MTD_TLB)
		v->arch.pending |= PENDING_TLB;
}

u32 svm_state_load_rest(struct vcpu *v)
{
	if (unlikely(v->mtd & MTD_RARE)) {
		load_rare(v);
		if (!(v->mtd & ~(SVM_MTD_OFTEN | MTD_RARE)))
			return 0;
	}
	return (v->mtd & MTD_WHOLE) == MTD_WHOLE ? load_selected(v, MTD_WHOLE) : load_selected(v, v->mtd);
}

bool svm_has_event(const struct vcpu *v)
{
	if (v->mtd & MTD_INJ)
		return READ_ONCE(v->state->intr_info) & INTR_VALID;
	return v->arch.pending & PENDING_EVENT;
}
