/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the state page to the VMCS. The page belongs to user land at every moment: each word is read once, and what
 * the CPU would not check at the entry (or what would fault when the kernel loads it) is checked here.
 * Manual: SDM vol. 3, 25.4 (guest state), 27.3 (its checks).
 */
#include "vmx/vmx_state.h"

#include "arch_switch.h"
#include "core/vcpu.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_vcpu.h"

/* ---- control registers ---- */

static u64 cr0_actual(u64 seen)
{
	return (seen | vmx.cr0_must) & vmx.cr0_may & ~(CR0_CD | CR0_NW);
}
static u64 cr4_actual(u64 seen)
{
	return (seen | vmx.cr4_must) & vmx.cr4_may;
}

void vmx_set_cr0(struct vcpu *v, u64 value)
{
	v->arch.cr0_shadow = value;
	vmwrite(VMCS_CR0_SHADOW, value);
	vmwrite(VMCS_GUEST_CR0, cr0_actual(value));
}

void vmx_set_cr4(struct vcpu *v, u64 value)
{
	v->arch.cr4_shadow = value;
	vmwrite(VMCS_CR4_SHADOW, value);
	vmwrite(VMCS_GUEST_CR4, cr4_actual(value));
}

/* What the guest sees stays the same. */
void vmx_set_cr_masks(struct vcpu *v, u64 cr0_mon, u64 cr4_mon)
{
	struct arch_vcpu *a = &v->arch;
	u64 mask0 = vmx.cr0_must | ~vmx.cr0_may | CR0_CD | CR0_NW | cr0_mon;
	u64 mask4 = vmx.cr4_must | ~vmx.cr4_may | cr4_mon;

	if (likely(mask0 == a->cr0_mask && mask4 == a->cr4_mask))
		return;
	u64 cr0 = vmx_cr_seen(vmread(VMCS_GUEST_CR0), a->cr0_mask, a->cr0_shadow);
	u64 cr4 = vmx_cr_seen(vmread(VMCS_GUEST_CR4), a->cr4_mask, a->cr4_shadow);
	a->cr0_mask = mask0;
	a->cr4_mask = mask4;
	vmwrite(VMCS_CR0_MASK, mask0);
	vmwrite(VMCS_CR4_MASK, mask4);
	vmx_set_cr0(v, cr0);
	vmx_set_cr4(v, cr4);
}

/* ---- from the page ---- */

static bool xcr0_is_valid(u64 v)
{
	const u64 avx = 1 << 2, avx512 = 7 << 5;
	u64 both = v & avx512;

	return v & 1 && !(v & ~(u64)cpu_features.xcr0) && (!(v & avx) || v & 2) && (!both || both == avx512) &&
	       (!both || v & avx);
}

/* A value that this CPU has: tried out, because which bits exist is nowhere said in one place. */
static bool spec_ctrl_is_valid(u64 v)
{
	if (!v)
		return true;
	bool ok = msr_write_safe(MSR_SPEC_CTRL, v);
	msr_write(MSR_SPEC_CTRL, 0);
	return ok;
}

static noinline u32 load_cr(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u64 spec_ctrl = READ_ONCE(s->spec_ctrl);

	vmx_set_cr0(v, READ_ONCE(s->cr0));
	v->regs.cr2 = READ_ONCE(s->cr2);
	vmwrite(VMCS_GUEST_CR3, READ_ONCE(s->cr3));
	vmx_set_cr4(v, READ_ONCE(s->cr4));
	a->xcr0 = READ_ONCE(s->xcr0);
	a->xcr0_valid = xcr0_is_valid(a->xcr0);
	if (vmx.spec_ctrl && spec_ctrl != a->spec_ctrl) {
		if (!spec_ctrl_is_valid(spec_ctrl))
			return REASON_BAD_MSR;
		a->spec_ctrl = spec_ctrl;
	}
	return 0;
}

/* Window requests travel in intr_info; the field has no such bits. */
static always_inline void load_injection(struct vcpu *v, const struct utcb_state *s)
{
	u32 info = READ_ONCE(s->intr_info), primary = v->arch.primary & ~(PRI_INTERRUPT_WINDOW | PRI_NMI_WINDOW);

	vmwrite(VMCS_ENTRY_INTR_INFO, info & ~(INTR_WANT_WINDOW | INTR_WANT_NMI_WINDOW));
	vmwrite(VMCS_ENTRY_INTR_ERROR, READ_ONCE(s->intr_error));
	if (info & INTR_WANT_WINDOW)
		primary |= PRI_INTERRUPT_WINDOW;
	if (info & INTR_WANT_NMI_WINDOW)
		primary |= PRI_NMI_WINDOW;
	vmx_write_primary(v, primary);
	v->arch.event = info & INTR_VALID;
}

static always_inline void load_activity(struct vcpu *v, const struct utcb_state *s)
{
	u32 activity = READ_ONCE(s->actv_state);

	vmwrite(VMCS_GUEST_INTR_STATE, READ_ONCE(s->intr_state));
	v->arch.waits_sipi = activity == ACTIVITY_WAIT_SIPI; /* whose field vmx_run.c writes */
	vmwrite(VMCS_GUEST_ACTV_STATE, activity);
}

static noinline void load_controls(struct vcpu *v, const struct utcb_state *s)
{
	vmx_set_controls(v, READ_ONCE(s->ctrl[0]), READ_ONCE(s->ctrl[1]));
	vmwrite(VMCS_EXC_BITMAP, READ_ONCE(s->exc_bitmap) | 1u << VECTOR_AC);
	vmx_set_cr_masks(v, READ_ONCE(s->cr0_mon), READ_ONCE(s->cr4_mon));
}

static always_inline void load_segment(enum vmcs_segment n, const struct utcb_seg *seg)
{
	u64 low = READ_ONCE(*(const u64 *)seg); /* selector, access rights, limit */
	u64 ar = low >> 16;

	vmwrite(VMCS_GUEST_ES_SEL + 2 * n, (u16)low);
	vmwrite(VMCS_GUEST_ES_AR + 2 * n, (ar & 0xff) | (ar & 0x1f00) << 4);
	vmwrite(VMCS_GUEST_ES_LIMIT + 2 * n, low >> 32);
	vmwrite(VMCS_GUEST_ES_BASE + 2 * n, READ_ONCE(seg->base));
}

/* Limit and base. */
static always_inline void load_table(u64 limit_field, u64 base_field, const struct utcb_seg *seg)
{
	vmwrite(limit_field, READ_ONCE(seg->limit));
	vmwrite(base_field, READ_ONCE(seg->base));
}

/* EFER.LMA also selects the mode that the entry ends in (SDM vol. 3, 25.8.1). */
static void load_efer_pat(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u64 entry = vmread(VMCS_ENTRY_CONTROLS);

	a->kernel_gs_base = msr_read(MSR_KERNEL_GS_BASE); /* SWAPGS may become impossible now */
	a->efer = READ_ONCE(s->efer);
	a->pat = READ_ONCE(s->pat);
	a->uses_syscall = a->efer & EFER_SCE;
	u64 wanted = a->efer & EFER_LMA ? entry | ENTRY_IA32E : entry & ~(u64)ENTRY_IA32E;
	if (wanted != entry)
		vmwrite(VMCS_ENTRY_CONTROLS, wanted);
	vmwrite(VMCS_GUEST_EFER, a->efer);
	vmwrite(VMCS_GUEST_PAT, a->pat);
}

/* These go into MSRs with WRMSR, which must not fault. */
static u32 load_syscall_msrs(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u64 lstar = READ_ONCE(s->lstar), fmask = READ_ONCE(s->fmask), gs = READ_ONCE(s->kernel_gs_base);

	if (!arch_is_canonical(lstar) || !arch_is_canonical(gs) || fmask >> 32)
		return REASON_BAD_MSR;
	a->star = READ_ONCE(s->star);
	a->lstar = lstar;
	a->fmask = fmask;
	a->kernel_gs_base = gs;
	msr_write(MSR_KERNEL_GS_BASE, gs);
	return 0;
}

/* Rounded up to ticks of the timer. */
static void load_timeout(struct vcpu *v, const struct utcb_state *s)
{
	u64 tsc = READ_ONCE(s->tsc_timeout);
	u64 ticks = (tsc >> vmx.timer_shift) + ((tsc & bits_low(vmx.timer_shift)) != 0);
	vmwrite(VMCS_TIMER, min_u64(ticks, ~0u));
	v->arch.has_timeout = true;
}

static void load_tsc(struct vcpu *v, const struct utcb_state *s)
{
	v->arch.tsc_offset = READ_ONCE(s->tsc_off);
	vmwrite(VMCS_TSC_OFFSET, v->arch.tsc_offset);
	if (vmx.tsc_aux)
		v->arch.tsc_aux = READ_ONCE(s->tsc_aux);
}

static void load_pdpte(struct vcpu *v, const struct utcb_state *s)
{
	for (unsigned i = 0; i < 4; i++) {
		v->arch.pdpte[i] = READ_ONCE(s->pdpte[i]);
		vmwrite(VMCS_GUEST_PDPTE + 2 * i, v->arch.pdpte[i]);
	}
}

/* What only some CPUs have is ignored by the others. */
static void load_apic(u64 mtd, const struct utcb_state *s)
{
	if (mtd & MTD_TPR && vmx.primary.may & PRI_TPR_SHADOW)
		vmwrite(VMCS_TPR_THRESHOLD, READ_ONCE(s->tpr_threshold));
	if (!(vmx.secondary.may & SEC_VIRTUAL_INTERRUPTS))
		return;
	if (mtd & MTD_VINTR)
		vmwrite(VMCS_GUEST_INTR_STATUS, READ_ONCE(s->vintr_status));
	if (mtd & MTD_EOI)
		for (unsigned i = 0; i < 4; i++)
			vmwrite(VMCS_EOI_BITMAP + 2 * i, READ_ONCE(s->eoi_bitmap[i]));
}

static void load_segments(u64 mtd, const struct utcb_state *s)
{
#define X(group, n, member)    \
	if (mtd & MTD_##group) \
		load_segment(n, &s->member);
	VMX_SEGMENT_LIST(X)
#undef X
	if (mtd & MTD_GDTR)
		load_table(VMCS_GUEST_GDTR_LIMIT, VMCS_GUEST_GDTR_BASE, &s->gdtr);
	if (mtd & MTD_IDTR)
		load_table(VMCS_GUEST_IDTR_LIMIT, VMCS_GUEST_IDTR_BASE, &s->idtr);
}

static void load_known_msrs(struct vcpu *v, u64 mtd, const struct utcb_state *s)
{
#define X(group, field, member)                        \
	if (mtd & MTD_##group) {                       \
		v->arch.member = READ_ONCE(s->member); \
		vmwrite(field, v->arch.member);        \
	}
	VMX_KNOWN_MSR_LIST(X)
#undef X
}

#define MTD_OFTEN \
	(MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS | MTD_INJ | MTD_STA)

/* INJ comes after CTRL: both write the primary controls. */
static noinline u32 load_seldom(struct vcpu *v, u64 mtd, const struct utcb_state *s)
{
	u32 refused = 0;

	if (mtd & MTD_CTRL)
		load_controls(v, s);
	if (mtd & MTD_CR)
		refused |= load_cr(v, s);
	load_segments(mtd, s);
	load_known_msrs(v, mtd, s);
	if (mtd & MTD_DR)
		vmwrite(VMCS_GUEST_DR7, READ_ONCE(s->dr7));
	if (mtd & MTD_EFER_PAT)
		load_efer_pat(v, s);
	if (mtd & MTD_SYSCALL_SWAPGS)
		refused |= load_syscall_msrs(v, s);
	if (mtd & MTD_TSC)
		load_tsc(v, s);
	if (mtd & MTD_TSC_TIMEOUT)
		load_timeout(v, s);
	if (mtd & MTD_PDPTE)
		load_pdpte(v, s);
	if (mtd & (MTD_TPR | MTD_VINTR | MTD_EOI))
		load_apic(mtd, s);
	if (mtd & MTD_TLB)
		vmx_flush_vpid(v);
	return refused;
}

u32 vmx_state_load(struct vcpu *v)
{
	const struct utcb_state *s = v->state;
	struct regs *r = &v->regs;
	u64 mtd = v->mtd;
	u32 refused = 0;

	if (unlikely(mtd & ~(u64)MTD_OFTEN))
		refused = load_seldom(v, mtd, s);
	if (mtd & MTD_GPR_ACDB)
		BLOCK_COPY(r, s, rax, rbx);
	if (mtd & MTD_GPR_BSD)
		BLOCK_COPY(r, s, rbp, rdi);
	if (mtd & MTD_GPR_R8_R15)
		BLOCK_COPY(r, s, r8, r15);
	if (mtd & MTD_RIP_LEN) {
		vmwrite(VMCS_GUEST_RIP, READ_ONCE(s->rip));
		vmwrite(VMCS_ENTRY_INST_LEN, READ_ONCE(s->inst_len));
	}
	if (mtd & MTD_RSP)
		vmwrite(VMCS_GUEST_RSP, READ_ONCE(s->rsp));
	if (mtd & MTD_RFLAGS)
		vmwrite(VMCS_GUEST_RFLAGS, READ_ONCE(s->rflags));
	if (mtd & MTD_INJ)
		load_injection(v, s);
	if (mtd & MTD_STA)
		load_activity(v, s);
	return refused;
}

bool arch_vcpu_has_event(const struct vcpu *v)
{
	if (v->mtd & MTD_INJ)
		return READ_ONCE(v->state->intr_info) & INTR_VALID;
	return v->arch.event;
}
