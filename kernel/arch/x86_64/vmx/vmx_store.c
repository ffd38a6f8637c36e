/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the VMCS to the state page. Fields that the guest cannot change without an exit are not read back: struct
 * arch_vcpu remembers them. Manual: SDM vol. 3, 25.4, 28.2 (exit information).
 */
#include "vmx/vmx_state.h"

#include "arch/switch.h"
#include "core/vcpu.h"
#include "vmx/vmcs.h"
#include "vmx/vmx.h"
#include "vmx/vmx_reason.h"

/*
 * The order is that of the words in the page, because each VMREAD writes 8 bytes, also to a shorter member. Access
 * rights: bits 7:0, and 16:12 in the byte behind (bits 11:8 are 0).
 */
static always_inline void store_segment(enum vmcs_segment n, struct utcb_seg *seg)
{
	u8 *ar = (u8 *)&seg->ar;

	vmread_to(VMCS_GUEST_ES_SEL + 2 * n, &seg->sel);
	u64 rights = vmread(VMCS_GUEST_ES_AR + 2 * n);
	ar[0] = (u8)rights;
	ar[1] = (u8)(rights >> 12);
	vmread_to(VMCS_GUEST_ES_LIMIT + 2 * n, &seg->limit);
	vmread_to(VMCS_GUEST_ES_BASE + 2 * n, &seg->base);
}

static always_inline void store_table(u64 limit_field, u64 base_field, struct utcb_seg *seg)
{
	*(u32 *)seg = 0;
	vmread_to(limit_field, &seg->limit);
	vmread_to(base_field, &seg->base);
}

/* VMX_STATE_LIST, one line for each kind. */
#define STORE_GPRS(first, last) BLOCK_COPY(s, &v->regs, first, last)
#define STORE_FIELD(field, member) vmread_to(field, &s->member)
#define STORE_SEGMENT(n, member) store_segment(n, &s->member)
#define STORE_TABLE(reg, member) store_table(reg##_LIMIT, reg##_BASE, &s->member)
#define STORE_KNOWN(field, member) s->member = v->arch.member

#define X(group, kind, ...)    \
	if (mtd & MTD_##group) \
		STORE_##kind(__VA_ARGS__);

/* The general registers, of which GPR_ACDB is not in the list: it is loaded apart from the others. */
static always_inline void store_registers(const struct vcpu *v, u64 mtd, struct utcb_state *s)
{
	if (mtd & MTD_GPR_ACDB)
		STORE_GPRS(rax, rbx);
	VMX_REGISTER_LIST(X)
}

static always_inline void store_list(const struct vcpu *v, u64 mtd, struct utcb_state *s)
{
	if (mtd & MTD_GPR_ACDB)
		STORE_GPRS(rax, rbx);
	VMX_STATE_LIST(X)
}
#undef X

/*
 * EFER as the guest sees it: LMA is set if LME and CR0.PG are; the rest is what the VMM has set, because WRMSR exits.
 * All three bits are shifted to LMA's place.
 */
static always_inline u64 efer_now(const struct arch_vcpu *a, u64 cr0)
{
	_Static_assert(CR0_PG >> 21 == EFER_LMA && EFER_LME << 2 == EFER_LMA, "bits that only need shifting");
	return (a->efer & ~(u64)EFER_LMA) | (cr0 >> 21 & a->efer << 2 & EFER_LMA);
}

static always_inline void store_cr(struct vcpu *v, u64 cr0, struct utcb_state *s)
{
	const struct arch_vcpu *a = &v->arch;

	s->cr0 = vmx_cr_seen(cr0, a->cr0_mask, a->cr0_shadow);
	s->cr2 = v->regs.cr2;
	vmread_to(VMCS_GUEST_CR3, &s->cr3);
	s->cr4 = vmx_cr_seen(vmread(VMCS_GUEST_CR4), a->cr4_mask, a->cr4_shadow);
	s->xcr0 = a->xcr0;
	s->spec_ctrl = a->spec_ctrl;
}

#define CR4_PAE_BIT (1ul << 5)

/*
 * PDPTEs are of use, and saved by the exit, only with PAE paging in 32-bit mode (SDM vol. 3, 28.3.4). Otherwise the
 * page keeps what the VMM has there.
 */
static void store_pdptes(struct utcb_state *s)
{
	if (!(vmread(VMCS_GUEST_CR4) & CR4_PAE_BIT))
		return;
	for (unsigned i = 0; i < 4; i++)
		vmread_to(VMCS_GUEST_PDPTE + 2 * i, &s->pdpte[i]);
}

/* EDX and EAX go to memory as they are: putting them together would be two instructions more. */
static always_inline void store_halves(u64 *to, u32 low, u32 high)
{
	((u32 *)to)[0] = low;
	((u32 *)to)[1] = high;
}

static always_inline void store_msr(u32 msr, u64 *to)
{
	u32 low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	store_halves(to, low, high);
}

static always_inline void store_tsc(u64 *to)
{
	u32 low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	store_halves(to, low, high);
}

static always_inline void store_syscall_msrs(struct arch_vcpu *a, struct utcb_state *s)
{
	s->star = a->star;
	s->lstar = a->lstar;
	s->fmask = a->fmask;
	if (likely(a->efer & EFER_LME) || a->pending & PENDING_MSR_PASSTHROUGH)
		store_msr(MSR_KERNEL_GS_BASE, &s->kernel_gs_base);
	else
		s->kernel_gs_base = a->kernel_gs_base;
}

static always_inline void store_msrs(struct vcpu *v, u64 mtd, u64 cr0, struct utcb_state *s)
{
	struct arch_vcpu *a = &v->arch;

	if (mtd & MTD_EFER_PAT) {
		s->efer = efer_now(a, cr0);
		s->pat = a->pat;
	}
	if (mtd & MTD_SYSCALL_SWAPGS)
		store_syscall_msrs(a, s);
	if (mtd & MTD_TSC) {
		store_tsc(&s->tsc_val);
		s->tsc_off = a->tsc_offset;
		s->tsc_aux = (u32)a->tsc_aux;
	}
	if (mtd & MTD_TSC_TIMEOUT)
		s->tsc_timeout = vmread(VMCS_TIMER) << vmx.timer_shift;
}

static void store_vectoring(struct utcb_state *s, u32 info)
{
	u32 vectoring = (u32)vmread(VMCS_VECTORING_INFO);

	s->intr_info = info;
	s->intr_error = info & INTR_ERROR_VALID ? (u32)vmread(VMCS_EXIT_INTR_ERROR) : 0;
	s->vect_info = vectoring;
	s->vect_error = vectoring & INTR_ERROR_VALID ? (u32)vmread(VMCS_VECTORING_ERROR) : 0;
}

static void store_undelivered_event(struct utcb_state *s)
{
	s->intr_info = s->intr_error = 0;
	s->vect_info = (u32)vmread(VMCS_ENTRY_INTR_INFO);
	s->vect_error = (u32)vmread(VMCS_ENTRY_INTR_ERROR);
}

static always_inline void store_no_event(struct utcb_state *s)
{
	s->intr_info = s->intr_error = s->vect_info = s->vect_error = 0;
}

static always_inline void store_event(const struct vcpu *v, u32 reason, bool by_hardware)
{
	if (!by_hardware)
		store_undelivered_event(v->state);
	else if (reason == REASON_EXCEPTION)
		store_vectoring(v->state, v->arch.exception);
	else if (VMX_REASONS_IN_DELIVERY >> (reason & 63) & 1)
		store_vectoring(v->state, 0);
	else
		store_no_event(v->state);
}

/*
 * True if the exit tells by itself that the CPU was active, so that the activity state need not be read. Of
 * exceptions, only #DB can come to a CPU that is halted.
 */
static always_inline bool was_active(const struct vcpu *v, u32 reason, bool by_hardware)
{
	if (by_hardware && reason == REASON_EXCEPTION)
		return (v->arch.exception & INTR_VECTOR_MASK) != VECTOR_DB;
	return by_hardware && VMX_REASONS_IN_DELIVERY >> (reason & 63) & 1;
}

static always_inline void store_activity(const struct vcpu *v)
{
	v->state->actv_state = (u32)vmread(VMCS_GUEST_ACTV_STATE);
	if (unlikely(v->arch.pending & PENDING_WAITS_SIPI))
		v->state->actv_state = ACTIVITY_WAIT_SIPI;
}

static always_inline void store_guest_physical(struct utcb_state *s, u32 reason)
{
	if (reason == REASON_EPT_VIOLATION || reason == REASON_EPT_MISCONFIG)
		vmread_to(VMCS_GUEST_PHYSICAL, &s->qual[1]);
}

static always_inline bool has_pdptes(const struct vcpu *v, u64 cr0)
{
	return unlikely(cr0 & CR0_PG) && unlikely(!(v->arch.efer & EFER_LME));
}

static always_inline struct ec *store_rest(struct vcpu *v, u64 mtd, u64 cr0, u32 reason, bool by_hardware)
{
	store_guest_physical(v->state, reason);
	if (mtd & MTD_INJ)
		store_event(v, reason, by_hardware);
	if (mtd & MTD_STA && !was_active(v, reason, by_hardware))
		store_activity(v);
	if (mtd & MTD_PDPTE && has_pdptes(v, cr0))
		store_pdptes(v->state);
	return vcpu_end_run(v);
}

static noinline struct ec *store_rest_selected(struct vcpu *v, u64 cr0, u32 reason, bool by_hardware)
{
	return store_rest(v, v->wanted, cr0, reason, by_hardware);
}
/* The same for the exits for which tells_more() holds, when all is wanted: a copy with fewer tests. */
static noinline struct ec *store_rest_of_all(struct vcpu *v, u64 cr0, u32 reason)
{
	if (reason != REASON_EXCEPTION && !(VMX_REASONS_IN_DELIVERY >> (reason & 63) & 1))
		__builtin_unreachable();
	return store_rest(v, VCPU_WANT_ALL, cr0, reason, true);
}

static always_inline bool tells_more(u32 reason)
{
	return reason == REASON_EXCEPTION || VMX_REASONS_IN_DELIVERY >> (reason & 63) & 1;
}

/*
 * True if nothing is left to store but PDPTEs: an exit by an instruction tells nothing more, and most others only the
 * activity state, which is stored here. False: there is an event, or a guest-physical address.
 */
static always_inline bool tells_no_more(const struct vcpu *v, u64 mtd, u32 reason, bool by_hardware)
{
	if (!by_hardware)
		return false;
	if (likely(VMX_REASONS_BY_INSTRUCTION >> (reason & 63) & 1))
		return true;
	if (tells_more(reason))
		return false;
	if (mtd & MTD_STA)
		store_activity(v);
	return true;
}

static always_inline struct ec *store(struct vcpu *v, struct utcb_state *s, u64 mtd, u32 reason, bool by_hardware)
{
	u64 cr0 = mtd & (MTD_CR | MTD_EFER_PAT | MTD_PDPTE) ? vmread(VMCS_GUEST_CR0) : 0;

	store_list(v, mtd, s);
	if (mtd & MTD_CR)
		store_cr(v, cr0, s);
	if (mtd & MTD_STA)
		vmread_to(VMCS_GUEST_INTR_STATE, &s->intr_state); /* the 8 bytes end with 0, active, in actv_state */
	store_msrs(v, mtd, cr0, s);
	if (mtd & MTD_VINTR && unlikely(v->arch.secondary & SEC_VIRTUAL_INTERRUPTS))
		s->vintr_status = (u16)vmread(VMCS_GUEST_INTR_STATUS);
	if (unlikely(!tells_no_more(v, mtd, reason, by_hardware)))
		return mtd == VCPU_WANT_ALL && by_hardware ? store_rest_of_all(v, cr0, reason)
							   : store_rest_selected(v, cr0, reason, by_hardware);
	if (mtd & MTD_PDPTE && has_pdptes(v, cr0))
		return store_rest_selected(v, cr0, reason, by_hardware);
	if (mtd & MTD_INJ)
		store_no_event(s);
	return vcpu_end_run(v);
}

#define MTD_QUICK (MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RFLAGS)

static noinline struct ec *store_selected(struct vcpu *v, u32 reason, bool by_hardware)
{
	u64 mtd = v->wanted;

	if (unlikely(mtd & ~(u64)MTD_QUICK))
		return store(v, v->state, mtd, reason, by_hardware);
	store_guest_physical(v->state, reason);
	store_registers(v, mtd, v->state);
	return vcpu_end_run(v);
}

static always_inline struct ec *store_all_about(struct vcpu *v, u32 reason, bool by_hardware)
{
	struct utcb_state *s = v->state;

	vmx_state_store_exit(s, reason);
	if (unlikely(v->wanted != VCPU_WANT_ALL))
		return store_selected(v, reason, by_hardware);
	return store(v, s, VCPU_WANT_ALL, reason, by_hardware);
}

struct ec *vmx_state_store(struct vcpu *v, u32 reason)
{
	return store_all_about(v, reason, true);
}

struct ec *vmx_state_store_undelivered(struct vcpu *v, u32 reason)
{
	return store_all_about(v, reason, false);
}
