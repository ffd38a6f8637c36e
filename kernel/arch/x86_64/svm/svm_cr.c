/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: APM vol. 2, 3.1 (control registers), 15.8 (accesses); SDM vol. 3, table 28-3 (qualification). */
#include "svm/svm_cr.h"

#include "arch/switch.h"
#include "svm/svm.h"
#include "svm/svm_fetch.h"
#include "svm/svm_state.h"
#include "virt/virt_switch.h"

#define CR0_ET (1ul << 4)
#define CR0_LMSW 0xful /* PE, MP, EM and TS */
/* Writes that change nothing but these do not exit, unless the VMM monitors them. */
#define CR0_SELECTIVE (CR0_TS | CR0_MP)
#define CR0_EXISTING (CR0_LMSW | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
/* VME to OSXMMEXCPT: all processors have them. */
#define CR4_BASIC 0x7fful

#define CR0_OURS (CR0_CD | CR0_NW)

u64 svm_cr4_may(void)
{
	return CR4_BASIC | CR4_OSXSAVE | CR4_FSGSBASE | (cpu_features.umip ? CR4_UMIP : 0) |
	       (cpu_features.pcid ? CR4_PCIDE : 0) | (cpu_features.smep ? CR4_SMEP : 0) |
	       (cpu_features.smap ? CR4_SMAP : 0);
}

static u64 mask0(const struct vcpu *v)
{
	return CR0_OURS | v->arch.cr0_mon;
}

/* Of MCE, which stays set, as a machine check while it is clear shuts the processor down, the guest sees its own. */
static u64 mask4(const struct vcpu *v)
{
	return CR4_MCE | ~svm_cr4_may() | v->arch.cr4_mon;
}

#define CR0_BIT 1u
#define CR4_BIT (1u << 4)

/* Reading exits as long as the guest must not see what is there. */
static void choose_intercepts(struct vcpu *v)
{
	struct vmcb *b = v->arch.svm.vmcb;
	unsigned reads = (svm_cr0_seen(v) != b->cr0 ? CR0_BIT : 0) | (svm_cr4_seen(v) != b->cr4 ? CR4_BIT : 0);
	unsigned writes = CR4_BIT | (v->arch.cr0_mon & CR0_SELECTIVE ? CR0_BIT : 0);

	b->cr_reads = (u16)((b->cr_reads & ~(CR0_BIT | CR4_BIT)) | reads);
	b->cr_writes = (u16)((b->cr_writes & ~(CR0_BIT | CR4_BIT)) | writes);
}

static void set_cr0(struct vcpu *v, u64 value)
{
	v->arch.cr0_shadow = value;
	v->arch.svm.vmcb->cr0 = value & ~CR0_OURS;
}

static void set_cr4(struct vcpu *v, u64 value)
{
	v->arch.cr4_shadow = value;
	v->arch.svm.cr4_seen = value;
	v->arch.svm.vmcb->cr4 = (value & svm_cr4_may()) | CR4_MCE;
}

/* XCR0 is in force while the guest can tell. */
static void choose_xcr0(struct vcpu *v)
{
	bool differs = v->arch.xcr0 != cpu_features.xcr0;

	v->arch.own_xcr0 = differs;
	virt_set_pending(&v->arch, PENDING_XCR0, differs && v->arch.svm.vmcb->cr4 & CR4_OSXSAVE);
}

#define EFER_SVME (1u << 12)

/*
 * While paging is off LME means nothing to the processor, and the guest does not read EFER without an exit. So it is
 * not shown then: QEMU does not leave a guest that has LME, and neither PG nor PAE, with the host's CR0.
 */
static void show_efer(struct vcpu *v)
{
	struct vmcb *b = v->arch.svm.vmcb;

	b->efer = EFER_SVME | (b->cr0 & CR0_PG ? v->arch.efer : v->arch.efer & ~(u64)EFER_LME);
}

void svm_cr_set_efer(struct vcpu *v, u64 efer)
{
	v->arch.efer = efer;
	show_efer(v);
}

/* The paging mode and permissions may be others: what is cached of the guest's tables means nothing any more. */
#define CR0_PAGING (CR0_PG | CR0_WP)

void svm_cr_set(struct vcpu *v, u64 cr0, u64 cr4)
{
	struct vmcb *b = v->arch.svm.vmcb;
	u64 old0 = b->cr0, old4 = b->cr4;

	set_cr0(v, cr0);
	set_cr4(v, cr4);
	show_efer(v);
	if (unlikely((old0 ^ b->cr0) & CR0_PAGING) || unlikely(old4 != b->cr4)) {
		choose_xcr0(v);
		v->arch.pending |= PENDING_TLB;
	}
	choose_intercepts(v);
}

void svm_cr_set_monitored(struct vcpu *v, u64 cr0_mon, u64 cr4_mon)
{
	u64 cr0 = svm_cr0_seen(v), cr4 = svm_cr4_seen(v);

	v->arch.cr0_mon = cr0_mon;
	v->arch.cr4_mon = cr4_mon;
	v->arch.cr0_mask = mask0(v);
	v->arch.cr4_mask = mask4(v);
	svm_cr_set(v, cr0, cr4);
}

void svm_cr_set_xcr0(struct vcpu *v, u64 xcr0)
{
	v->arch.xcr0 = xcr0;
	virt_set_pending(&v->arch, PENDING_BAD_XCR0, !virt_xcr0_is_valid(xcr0));
	choose_xcr0(v);
}

void svm_cr_init(struct vcpu *v)
{
	v->arch.cr0_mask = mask0(v);
	v->arch.cr4_mask = mask4(v);
	svm_cr_set(v, 0, 0);
}

/* ---- accesses ---- */

enum { QUAL_MOV_TO = 0 << 4, QUAL_MOV_FROM = 1 << 4, QUAL_CLTS = 2 << 4, QUAL_LMSW = 3 << 4 };
#define QUAL_MEMORY (1u << 6)

struct access {
	u64 qualification;
	u64 value; /* to be written, or what was read */
	u8 length;
	u8 gpr;
	bool known;
	bool register_operand;
};

/* MOV without a look at memory, where the processor tells the register. APM vol. 2, 15.33. */
#define INFO1_MOV_CR (1ull << 63)

static bool told(const struct vcpu *v, struct access *a)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	bool mov = b->exit_code >= EXIT_DR_READ || b->exit_info1 & INFO1_MOV_CR;

	if (!svm.decodes || !svm.next_rip || !mov)
		return false;
	a->gpr = b->exit_info1 & 15;
	a->length = (u8)(b->next_rip - b->rip);
	a->known = a->register_operand = true;
	return true;
}

#define OPCODE_GROUP7 0x01
#define OPCODE_CLTS 0x06
#define GROUP7_SMSW 4
#define GROUP7_LMSW 6

static void lmsw(const struct vcpu *v, const struct svm_insn *i, struct access *a)
{
	u64 seen = svm_cr0_seen(v);
	u16 source = (u16)svm_fetch_gpr(v, i->rm);

	if (i->memory)
		a->known = svm_fetch_word(v, svm_fetch_operand(v, i), &source);
	a->value = (seen & ~CR0_LMSW) | (source & CR0_LMSW) | (seen & CR0_PE);
	a->qualification = QUAL_LMSW | (i->memory ? QUAL_MEMORY : 0) | (u64)source << 16;
}

/* Of the instructions that access CR0, those that are no MOV. SMSW to memory is not known. */
static void other_access(const struct vcpu *v, const struct svm_insn *i, struct access *a)
{
	unsigned which = i->modrm >> 3 & 7;

	if (i->opcode == OPCODE_CLTS) {
		a->value = svm_cr0_seen(v) & ~CR0_TS;
		a->qualification = QUAL_CLTS;
	} else if (i->opcode == OPCODE_GROUP7 && which == GROUP7_LMSW) {
		lmsw(v, i, a);
	} else if (i->opcode == OPCODE_GROUP7 && which == GROUP7_SMSW && !i->memory) {
		a->gpr = i->rm;
		a->register_operand = true;
	} else {
		a->known = false;
	}
}

static struct access decode(const struct vcpu *v, bool write)
{
	struct access a = {0};

	if (!told(v, &a)) {
		struct svm_insn i = svm_fetch_insn(v);
		bool mov = i.two_bytes && (i.opcode & 0xfc) == 0x20;

		a.length = i.length;
		a.known = i.length && i.two_bytes;
		a.register_operand = mov;
		a.gpr = i.rm;
		if (a.known && !mov)
			other_access(v, &i, &a);
	}
	if (a.known && a.register_operand) {
		a.qualification = (write ? QUAL_MOV_TO : QUAL_MOV_FROM) | (u64)a.gpr << 8;
		a.value = svm_fetch_gpr(v, a.gpr);
	}
	return a;
}

#define RIGHTS_LONG (1u << 9)

/* False: a #GP. Manual: APM vol. 2, 14.6 (long mode), 3.1.1. */
static bool paging_may_change(const struct vcpu *v, u64 cr0)
{
	const struct vmcb *b = v->arch.svm.vmcb;

	if (cr0 & CR0_PG && v->arch.efer & EFER_LME)
		return b->cr4 & CR4_PAE && !(b->cs.ar & RIGHTS_LONG);
	return cr0 & CR0_PG || !(b->efer & EFER_LMA) || !(b->cs.ar & RIGHTS_LONG || b->cr4 & CR4_PCIDE);
}

static bool change_cr0(struct vcpu *v, u64 value)
{
	struct vmcb *b = v->arch.svm.vmcb;
	bool paging = (value ^ b->cr0) & CR0_PG;

	if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) || (paging && !paging_may_change(v, value)))
		return false;
	if (paging && value & CR0_PG && v->arch.efer & EFER_LME)
		v->arch.efer |= EFER_LMA;
	else if (paging)
		v->arch.efer &= ~(u64)EFER_LMA;
	svm_cr_set(v, (value & CR0_EXISTING) | CR0_ET, svm_cr4_seen(v));
	return true;
}

static bool change_cr4(struct vcpu *v, u64 value)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	bool long_mode = b->efer & EFER_LMA;

	if (long_mode && !(value & CR4_PAE))
		return false;
	if (value & ~b->cr4 & CR4_PCIDE && (!long_mode || b->cr3 & (PCID_COUNT - 1)))
		return false;
	svm_cr_set(v, svm_cr0_seen(v), value);
	return true;
}

/* CR0.ET cannot be written. MCE is not the VMM's unless it monitors it. */
static enum svm_cr_outcome write(struct vcpu *v, unsigned number, const struct access *a)
{
	bool ok;

	if (number == 0) {
		if ((a->value ^ svm_cr0_seen(v)) & mask0(v) & ~CR0_ET)
			return SVM_CR_TELL;
		ok = change_cr0(v, a->value);
	} else {
		u64 ours = v->arch.cr4_mon & CR4_MCE ? 0 : CR4_MCE;
		if ((a->value ^ svm_cr4_seen(v)) & mask4(v) & ~ours)
			return SVM_CR_TELL;
		ok = change_cr4(v, a->value);
	}
	return ok ? SVM_CR_DONE : SVM_CR_FAULT;
}

enum svm_cr_outcome svm_cr_access(struct vcpu *v, unsigned number, bool writing, unsigned *length)
{
	struct access a = decode(v, writing);

	v->state->qual[0] = number | a.qualification;
	v->state->inst_len = *length = a.length;
	if (!a.known)
		return SVM_CR_FAULT;
	if (number != 0 && number != 4)
		return SVM_CR_TELL;
	if (writing)
		return write(v, number, &a);
	svm_fetch_set_gpr(v, a.gpr, number ? svm_cr4_seen(v) : svm_cr0_seen(v));
	return SVM_CR_DONE;
}

void svm_cr_debug_access(struct vcpu *v, unsigned number, bool writing)
{
	struct access a = decode(v, writing);

	v->state->qual[0] = number | (writing ? 0 : 1u << 4) | (u64)a.gpr << 8;
	v->state->inst_len = a.length;
}
