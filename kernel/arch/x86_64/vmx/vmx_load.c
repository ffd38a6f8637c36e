/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the state page to the VMCS. The page belongs to user land at every moment: each word is read once, and what
 * the CPU would not check at the entry (or what would fault when the kernel loads it) is checked here.
 * Manual: SDM vol. 3, 25.4 (guest state), 27.3 (its checks).
 */
#include "vmx/vmx_reason.h"
#include "vmx/vmx_state.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_switch.h"
#include "vmx/vmx_vcpu.h"

/* Whether this CPU accepts the value. It is tried out, because no single CPUID leaf tells which bits exist. */
static bool spec_ctrl_is_valid(const struct arch_vcpu *a, u64 v)
{
	if (!v)
		return true;
	bool ok = msr_write_safe(MSR_SPEC_CTRL, v);
	msr_write(MSR_SPEC_CTRL, a->host_spec_ctrl);
	return ok;
}

static noinline u32 load_spec_ctrl(struct arch_vcpu *a, u64 value)
{
	if (!spec_ctrl_is_valid(a, value))
		return REASON_BAD_MSR;
	virt_set_spec_ctrl(a, value);
	return 0;
}

static always_inline void set_monitored(struct vcpu *v, u64 cr0_mon, u64 cr4_mon)
{
	struct arch_vcpu *a = &v->arch;
	if (likely(a->cr0_mon == cr0_mon) && likely(a->cr4_mon == cr4_mon))
		return;
	a->cr0_mon = cr0_mon;
	a->cr4_mon = cr4_mon;
	vmx_write_cr_masks(v);
}

static always_inline u32 load_cr(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u64 xcr0 = READ_ONCE(s->xcr0), cr4 = READ_ONCE(s->cr4), spec_ctrl = READ_ONCE(s->spec_ctrl);

	vmx_set_cr0(v, READ_ONCE(s->cr0));
	v->regs.cr2 = READ_ONCE(s->cr2);
	vmwrite_from(VMCS_GUEST_CR3, &s->cr3);
	vmx_set_cr4(v, cr4);
	if (unlikely(xcr0 != a->xcr0) || unlikely(a->own_xcr0))
		vmx_choose_xcr0(v, xcr0, cr4);
	if (unlikely(spec_ctrl != a->spec_ctrl) && vmx.spec_ctrl)
		return load_spec_ctrl(a, spec_ctrl);
	return 0;
}

#define PRI_WINDOWS (PRI_INTERRUPT_WINDOW | PRI_NMI_WINDOW)

/* Requests for windows travel in intr_info, where the VMCS field has no such bits (docs/abi.md). */
static always_inline void load_injection(struct vcpu *v, const struct utcb_state *s)
{
	u32 info = READ_ONCE(s->intr_info), primary = v->arch.primary & ~PRI_WINDOWS;

	vmwrite(VMCS_ENTRY_INTR_INFO, info & ~(INTR_WANT_WINDOW | INTR_WANT_NMI_WINDOW));
	vmwrite_from(VMCS_ENTRY_INTR_ERROR, &s->intr_error);
	primary |= info & INTR_WANT_WINDOW ? PRI_INTERRUPT_WINDOW : 0;
	primary |= info & INTR_WANT_NMI_WINDOW ? PRI_NMI_WINDOW : 0;
	if (unlikely(primary != v->arch.primary))
		vmx_write_primary(v, primary);
	if (info & INTR_VALID)
		v->arch.pending |= PENDING_EVENT;
	else
		v->arch.pending &= ~(u32)PENDING_EVENT;
}

static always_inline void load_activity(struct vcpu *v, const struct utcb_state *s)
{
	u64 activity = READ_ONCE(s->actv_state);

	vmwrite_from(VMCS_GUEST_INTR_STATE, &s->intr_state);
	vmwrite(VMCS_GUEST_ACTV_STATE, activity);
	if (unlikely(activity == ACTIVITY_WAIT_SIPI) || unlikely(v->arch.pending & PENDING_WAITS_SIPI))
		virt_set_pending(&v->arch, PENDING_WAITS_SIPI, activity == ACTIVITY_WAIT_SIPI); /* choose_wait() */
}

static noinline void write_exceptions(struct arch_vcpu *a, u32 exceptions)
{
	a->exceptions = exceptions;
	vmwrite(VMCS_EXC_BITMAP, exceptions | EXCEPTIONS_KEPT);
}

/*
 * The window bits of the primary controls may differ from those that were asked for here last, because
 * load_injection() changes them, too.
 */
static always_inline void load_controls(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u32 primary = READ_ONCE(s->ctrl[0]), secondary = READ_ONCE(s->ctrl[1]);
	u32 exceptions = READ_ONCE(s->exc_bitmap) | EXCEPTIONS_SHOWN;

	if (unlikely(primary != a->asked_primary) || unlikely(secondary != a->asked_secondary) ||
	    unlikely((primary ^ a->primary) & PRI_WINDOWS))
		vmx_set_controls(v, primary, secondary);
	if (unlikely(exceptions != a->exceptions))
		write_exceptions(a, exceptions);
	set_monitored(v, READ_ONCE(s->cr0_mon), READ_ONCE(s->cr4_mon));
}

/*
 * The page has bits 7:0 of the access rights, and bits 16:12 in the byte behind. The first byte goes to where the
 * shifted second one leaves zeros.
 */
static always_inline u64 access_rights(const u8 *ar)
{
	u64 rights = (u64)READ_ONCE(ar[1]) << 12;
	__asm__ volatile("movb %1, %b0" : "+q"(rights) : "m"(ar[0]));
	return rights;
}

/* User land may write to the page meanwhile: each word is read in one access. */
static always_inline void load_segment(enum vmcs_segment n, const struct utcb_seg *seg)
{
	u64 rights = access_rights((const u8 *)&seg->ar);

	vmwrite_from(VMCS_GUEST_ES_SEL + 2 * n, &seg->sel);
	vmwrite(VMCS_GUEST_ES_AR + 2 * n, rights);
	vmwrite_from(VMCS_GUEST_ES_LIMIT + 2 * n, &seg->limit);
	vmwrite_from(VMCS_GUEST_ES_BASE + 2 * n, &seg->base);
}

static always_inline void load_table(u64 limit_field, u64 base_field, const struct utcb_seg *seg)
{
	vmwrite_from(limit_field, &seg->limit);
	vmwrite_from(base_field, &seg->base);
}

static noinline void write_efer(struct arch_vcpu *a, u64 efer, u64 entry)
{
	a->kernel_gs_base = msr_read(
		MSR_KERNEL_GS_BASE); /* without 64-bit mode the guest has no SWAPGS, and the exits do not read it */
	a->efer = efer;
	virt_set_pending(a, PENDING_SYSCALL, efer & EFER_SCE);
	vmwrite(VMCS_ENTRY_CONTROLS, efer & EFER_LMA ? entry | ENTRY_IA32E : entry & ~(u64)ENTRY_IA32E);
	vmwrite(VMCS_GUEST_EFER, efer);
}

/*
 * EFER.LMA also selects the mode that the entry ends in (SDM vol. 3, 25.8.1). The guest changes both with CR0.PG, so
 * the entry control is read.
 */
static always_inline void load_efer_pat(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u64 efer = READ_ONCE(s->efer), entry = vmread(VMCS_ENTRY_CONTROLS);

	_Static_assert(EFER_LMA == ENTRY_IA32E << 1, "one is the other, shifted");
	if (unlikely(efer != a->efer) || unlikely((efer ^ entry << 1) & EFER_LMA))
		write_efer(a, efer, entry);
	u64 pat = READ_ONCE(s->pat);
	if (unlikely(pat != a->pat))
		vmwrite(VMCS_GUEST_PAT, a->pat = pat);
}

/* The kernel writes these values with WRMSR, which must not fault. */
static noinline u32 change_syscall_msrs(struct arch_vcpu *a, u64 star, u64 lstar, u64 fmask)
{
	if (!arch_is_canonical(lstar) || fmask >> 32)
		return REASON_BAD_MSR;
	a->star = star;
	a->lstar = lstar;
	a->fmask = fmask;
	return 0;
}

static always_inline u32 load_syscall_msrs(struct arch_vcpu *a, const struct utcb_state *s)
{
	u64 star = READ_ONCE(s->star), lstar = READ_ONCE(s->lstar), fmask = READ_ONCE(s->fmask);
	u64 gs = READ_ONCE(s->kernel_gs_base);

	if (unlikely(!arch_is_canonical(gs)))
		return REASON_BAD_MSR;
	a->kernel_gs_base = gs;
	msr_write(MSR_KERNEL_GS_BASE, gs);
	if (unlikely(star != a->star) || unlikely(lstar != a->lstar) || unlikely(fmask != a->fmask))
		return change_syscall_msrs(a, star, lstar, fmask);
	return 0;
}

/* The timeout is rounded up to ticks of the preemption timer. */
static always_inline void load_timeout(struct vcpu *v, const struct utcb_state *s)
{
	u64 tsc = READ_ONCE(s->tsc_timeout);
	u64 ticks = (tsc >> vmx.timer_shift) + ((tsc & bits_low(vmx.timer_shift)) != 0);
	vmwrite(VMCS_TIMER, min_u64(ticks, ~0u));
	v->arch.pending &= ~(u32)PENDING_IMMEDIATE_EXIT;
	v->arch.has_timeout = true;
}

static always_inline void load_tsc(struct vcpu *v, const struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;
	u64 offset = READ_ONCE(s->tsc_off);
	u32 aux = READ_ONCE(s->tsc_aux);

	if (unlikely(offset != a->tsc_offset))
		vmwrite(VMCS_TSC_OFFSET, a->tsc_offset = offset);
	if (unlikely(aux != a->tsc_aux) && vmx.tsc_aux)
		virt_set_tsc_aux(a, aux);
}

static always_inline void load_pdpte(const struct utcb_state *s)
{
#pragma GCC unroll 4
	for (unsigned i = 0; i < 4; i++)
		vmwrite_from(VMCS_GUEST_PDPTE + 2 * i, &s->pdpte[i]);
}

/* What this CPU does not have is ignored. */
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

/* VMX_STATE_LIST, one line for each kind. */
#define LOAD_GPRS(first, last) BLOCK_COPY(&v->regs, s, first, last)
#define LOAD_FIELD(field, member) vmwrite_from(field, &s->member)
#define LOAD_SEGMENT(n, member) load_segment(n, &s->member)
#define LOAD_TABLE(reg, member) load_table(reg##_LIMIT, reg##_BASE, &s->member)
#define LOAD_KNOWN(field, member) load_known(field, &v->arch.member, READ_ONCE(s->member))

static always_inline void load_known(u64 field, u64 *known, u64 value)
{
	if (unlikely(value != *known))
		vmwrite(field, *known = value);
}

static always_inline void load_list(struct vcpu *v, u64 mtd, const struct utcb_state *s)
{
#define X(group, kind, ...)    \
	if (mtd & MTD_##group) \
		LOAD_##kind(__VA_ARGS__);
	VMX_STATE_LIST(X)
#undef X
}

#define MTD_RARE (MTD_TSC_TIMEOUT | MTD_TPR | MTD_VINTR | MTD_EOI | MTD_TLB)

static noinline void load_rare(struct vcpu *v)
{
	const struct utcb_state *s = v->state;

	if (v->mtd & MTD_TSC_TIMEOUT)
		load_timeout(v, s);
	if (v->mtd & MTD_TLB)
		vmx_flush_vpid(v);
	load_apic(v->mtd, s);
}

/* INJ comes after CTRL: both write the primary controls, and the window bits are INJ's. */
static always_inline u32 load(struct vcpu *v, u64 mtd)
{
	const struct utcb_state *s = v->state;
	u32 refused = 0;

	if (mtd & MTD_CTRL)
		load_controls(v, s);
	if (mtd & MTD_CR)
		refused |= load_cr(v, s);
	load_list(v, mtd, s);
	if (mtd & MTD_INJ)
		load_injection(v, s);
	if (mtd & MTD_STA)
		load_activity(v, s);
	if (mtd & MTD_EFER_PAT)
		load_efer_pat(v, s);
	if (mtd & MTD_SYSCALL_SWAPGS)
		refused |= load_syscall_msrs(&v->arch, s);
	if (mtd & MTD_TSC)
		load_tsc(v, s);
	if (mtd & MTD_PDPTE)
		load_pdpte(s);
	return refused;
}

/* What a VMM writes that does not look closely. It gets a copy of load() without a test of each group. */
#define MTD_WHOLE                                                                                                \
	(MTD_GPR_BSD | MTD_RSP | MTD_RFLAGS | MTD_DS_ES | MTD_FS_GS | MTD_CS_SS | MTD_TR | MTD_LDTR | MTD_GDTR | \
	 MTD_IDTR | MTD_CR | MTD_DR | MTD_SYSENTER | MTD_CTRL | MTD_INJ | MTD_STA | MTD_TSC | MTD_EFER_PAT |     \
	 MTD_PDPTE | MTD_GPR_R8_R15 | MTD_SYSCALL_SWAPGS)

u32 vmx_state_load_rest(struct vcpu *v)
{
	if (unlikely(v->mtd & MTD_RARE)) {
		load_rare(v);
		if (!(v->mtd & ~(VMX_MTD_OFTEN | MTD_RARE)))
			return 0;
	}
	return (v->mtd & MTD_WHOLE) == MTD_WHOLE ? load(v, MTD_WHOLE) : load(v, v->mtd);
}

bool arch_vcpu_has_event(const struct vcpu *v)
{
	if (v->mtd & MTD_INJ)
		return READ_ONCE(v->state->intr_info) & INTR_VALID;
	return v->arch.pending & PENDING_EVENT;
}
