/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State that Intel's processors do not enter, and those of AMD do, or refuse in their own way. It is refused before
 * the entry, so that a VMM sees the same on both. Manual: SDM vol. 3, 27.2.1.3 (events), 27.3.1 (guest state).
 */
#include "arch/switch.h"
#include "core/vcpu.h"
#include "svm/svm.h"
#include "svm/svm_state.h"

#define RFLAGS_VM (1ul << 17)
#define RFLAGS_ZEROES (~0x3ffffful | 1ul << 15 | 1ul << 5 | 1ul << 3)
#define EFER_MAY (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define CR0_ZEROES (~0xfffffffful)
#define TYPE_TSS32 9 /* busy or not: load_task() */
#define TYPE_TSS16 1
#define TYPE_BUSY 2
#define RIGHTS_TYPE 0xfu
#define RIGHTS_SYSTEM 0x10u /* clear for TSS and LDT */
#define RIGHTS_LONG 0x200u

static bool registers_ok(const struct vcpu *v)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	bool paging = b->cr0 & CR0_PG, lme = b->efer & EFER_LME;

	if (b->cr0 & CR0_ZEROES || (paging && !(b->cr0 & CR0_PE)))
		return false;
	if (v->arch.efer & ~(u64)EFER_MAY || !(b->efer & EFER_LMA) != !(paging && lme))
		return false;
	if (b->efer & EFER_LMA ? !(b->cr4 & CR4_PAE) : b->cr4 & CR4_PCIDE)
		return false;
	return !(b->cr3 & ~bits_low(cpu_features.phys_bits)) && !(b->dr7 >> 32);
}

/* RFLAGS and RIP. */
static bool flags_ok(const struct vcpu *v)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	bool long_mode = b->efer & EFER_LMA;

	if (!(b->rflags & RFLAGS_FIXED) || b->rflags & RFLAGS_ZEROES)
		return false;
	if (b->rflags & RFLAGS_VM && (long_mode || !(b->cr0 & CR0_PE)))
		return false;
	return long_mode && b->cs.ar & RIGHTS_LONG ? arch_is_canonical(b->rip) : !(b->rip >> 32);
}

/* Types of memory: 0, 1, 4, 5, 6 and 7. */
static bool pat_ok(u64 pat)
{
	for (; pat; pat >>= 8)
		if ((pat & 0xff) > 7 || (pat & 0xfe) == 2)
			return false;
	return true;
}

static bool tables_ok(const struct vmcb *b)
{
	if (!arch_is_canonical(b->gdtr.base) || !arch_is_canonical(b->idtr.base))
		return false;
	return b->gdtr.limit <= 0xffff && b->idtr.limit <= 0xffff && arch_is_canonical(b->sysenter_rsp) &&
	       arch_is_canonical(b->sysenter_rip);
}

static bool task_ok(const struct vmcb *b)
{
	unsigned type = b->tr.ar & RIGHTS_TYPE & ~(unsigned)TYPE_BUSY;

	if (!(b->tr.ar & SEG_PRESENT) || b->tr.ar & RIGHTS_SYSTEM || b->tr.sel & 4)
		return false;
	if (type != TYPE_TSS32 && (type != TYPE_TSS16 || b->efer & EFER_LMA))
		return false;
	return arch_is_canonical(b->tr.base) && !(b->ldtr.ar & SEG_PRESENT && b->ldtr.sel & 4);
}

#define CODE_ACCESSED 9 /* and any of conforming and readable */
#define RIGHTS_CODE (SEG_PRESENT | RIGHTS_SYSTEM)

#define RIGHTS_EXECUTABLE 8u

/*
 * The code segment is present and one of code, or, in real mode, of data, which 64-bit mode has not. The stack
 * segment is none of code. In virtual-8086 mode all are alike.
 */
static bool code_ok(const struct vmcb *b)
{
	unsigned type = b->cs.ar & RIGHTS_TYPE;

	if (b->rflags & RFLAGS_VM)
		return true;
	if ((b->cs.ar & RIGHTS_CODE) != RIGHTS_CODE)
		return false;
	if (b->ss.ar & SEG_PRESENT && (b->ss.ar & RIGHTS_EXECUTABLE || !(b->ss.ar & RIGHTS_SYSTEM)))
		return false;
	return (type & CODE_ACCESSED) == CODE_ACCESSED || (type == 3 && !(b->efer & EFER_LMA));
}

/* The LDT is unusable, or one. */
static bool ldt_ok(const struct vmcb *b)
{
	return !(b->ldtr.ar & SEG_PRESENT) || (b->ldtr.ar & (RIGHTS_TYPE | RIGHTS_SYSTEM)) == 2;
}

#define INTR_STATE_MAY (INTR_STATE_STI | INTR_STATE_MOV_SS | INTR_STATE_NMI)

static bool activity_ok(const struct vcpu *v)
{
	const struct arch_svm *s = &v->arch.svm;
	u32 state = s->intr_state;
	bool both = (state & INTR_STATE_STI) && (state & INTR_STATE_MOV_SS);

	if (s->activity > ACTIVITY_WAIT_SIPI || state & ~INTR_STATE_MAY || both)
		return false;
	if (state & INTR_STATE_STI && !(s->vmcb->rflags & RFLAGS_IF))
		return false;
	return s->activity == ACTIVITY_ACTIVE || !(state & (INTR_STATE_STI | INTR_STATE_MOV_SS));
}

/* ---- events ---- */

#define HAS_ERROR_CODE (1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17)
#define INTR_TYPE_INTERRUPT 0x000u
#define INTR_TYPE_EXCEPTION 0x300u
#define INTR_TYPE_SOFT 0x400u
#define INTR_RESERVED 0x7ffff000u
#define INTR_LENGTH_MAX 15

/* Whether there can be such an event at all. */
static bool event_exists(const struct vcpu *v)
{
	u32 info = v->arch.svm.event, type = info & INTR_TYPE_MASK, vector = info & INTR_VECTOR_MASK;
	bool has_error = type == INTR_TYPE_EXCEPTION && v->arch.svm.vmcb->cr0 & CR0_PE && vector < 32 &&
			 HAS_ERROR_CODE >> vector & 1;

	if (info & INTR_RESERVED || type == 0x100 || type == 0x700)
		return false;
	if (!(info & INTR_ERROR_VALID) != !has_error || (has_error && v->arch.svm.event_error >> 15))
		return false;
	if (type == INTR_TYPE_NMI && vector != VECTOR_NMI)
		return false;
	if (type == INTR_TYPE_EXCEPTION && vector > 31)
		return false;
	return type < INTR_TYPE_SOFT || (v->arch.svm.length && v->arch.svm.length <= INTR_LENGTH_MAX);
}

/* Whether it can be delivered in this state. */
static bool event_fits(const struct vcpu *v)
{
	const struct arch_svm *s = &v->arch.svm;
	u32 type = s->event & INTR_TYPE_MASK, vector = s->event & INTR_VECTOR_MASK;
	bool shadow = s->vmcb->interrupt_shadow & 1;

	if (type == INTR_TYPE_INTERRUPT && (shadow || !(s->vmcb->rflags & RFLAGS_IF)))
		return false;
	if (type == INTR_TYPE_NMI && (s->nmi_blocked || s->intr_state & INTR_STATE_MOV_SS))
		return false;
	if (s->activity == ACTIVITY_ACTIVE || type == INTR_TYPE_NMI)
		return true;
	if (type == INTR_TYPE_EXCEPTION)
		return vector == VECTOR_MC || (vector == VECTOR_DB && s->activity == ACTIVITY_HLT);
	return type == INTR_TYPE_INTERRUPT && s->activity == ACTIVITY_HLT;
}

u32 svm_check(const struct vcpu *v)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	bool event = v->arch.pending & PENDING_EVENT;

	if (event && !event_exists(v))
		return VCPU_EXIT_REFUSED;
	if (!registers_ok(v) || !flags_ok(v) || !pat_ok(b->pat) || !tables_ok(b) || !task_ok(b) || !code_ok(b) ||
	    !ldt_ok(b))
		return REASON_BAD_STATE;
	return activity_ok(v) && (!event || event_fits(v)) ? 0 : REASON_BAD_STATE;
}
