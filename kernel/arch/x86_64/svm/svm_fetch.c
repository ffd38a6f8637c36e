/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual: APM vol. 2, chapter 5 (the guest's tables), 15.25 (nested tables). */
#include "svm/svm_fetch.h"

#include "arch/memory.h"
#include "arch/switch.h"
#include "lib/string.h"
#include "mmu/kspace.h"
#include "svm/vmcb.h"

#define CR4_PSE (1ul << 4)

/* ---- through nested tables ---- */

/*
 * Copies what is in one page of guest-physical memory. Only memory that is cached like RAM: looking at the registers
 * of a device may change it.
 */
static bool read_physical(const struct vcpu *v, u64 gpa, void *to, unsigned size)
{
	unsigned order;
	u64 page = gpa >> PAGE_BITS;

	if (gpa >= HEDRON_USER_END)
		return false;
	u64 leaf = ptab_lookup(&v->pd->mem.guest, page, &order);
	if (!(leaf & PTE_P) || (leaf & PTE_TYPE) >> PTE_TYPE_SHIFT != MEM_WB)
		return false;
	u64 pa = (leaf & PTE_ADDR & ~(bits_low(order) << PAGE_BITS)) + (gpa & (bits_low(order + PAGE_BITS)));
	memcpy(to, kspace_window_open(paddr(pa), KPTE_RO), size);
	kspace_window_close();
	return true;
}

/* ---- through the guest's own tables ---- */

struct paging {
	unsigned levels;     /* 0: none */
	unsigned entry_size; /* bytes */
	unsigned bits;       /* of an address, for each level */
	unsigned top_bits;   /* for the highest one */
};

static struct paging paging_of(const struct vmcb *b)
{
	if (!(b->cr0 & CR0_PG))
		return (struct paging){0};
	if (b->efer & EFER_LMA)
		return (struct paging){4, 8, 9, 9};
	if (b->cr4 & CR4_PAE)
		return (struct paging){3, 8, 9, 2};
	return (struct paging){2, 4, 10, 10};
}

static bool large_leaf(const struct vmcb *b, const struct paging *p, unsigned level, u64 entry)
{
	if (!(entry & PTE_PS) || !level || level > 2)
		return false;
	if (p->entry_size == 4)
		return b->cr4 & CR4_PSE;
	return level == 1 || p->levels == 4;
}

static bool translate(const struct vcpu *v, u64 linear, u64 *gpa)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	struct paging p = paging_of(b);
	u64 table = b->cr3 & (p.levels == 3 ? ~0x1full : ~(u64)PAGE_MASK) & PTE_ADDR;

	if (p.levels == 3)
		table = b->cr3 & 0xffffffe0;
	*gpa = linear;
	for (unsigned level = p.levels; level--;) {
		unsigned shift = PAGE_BITS + level * p.bits;
		u64 index = linear >> shift & bits_low(level == p.levels - 1 ? p.top_bits : p.bits), entry = 0;

		if (!read_physical(v, table + index * p.entry_size, &entry, p.entry_size) || !(entry & PTE_P))
			return false;
		table = entry & PTE_ADDR;
		if (!level || large_leaf(b, &p, level, entry)) {
			*gpa = (table & ~bits_low(shift)) | (linear & bits_low(shift));
			return true;
		}
	}
	return true;
}

/* As many bytes as there are, up to `size`, which may reach into a second page. */
static unsigned read_linear(const struct vcpu *v, u64 linear, void *to, unsigned size)
{
	unsigned done = 0;

	while (done < size) {
		u64 at = linear + done, gpa;
		unsigned part = (unsigned)min_u64(size - done, PAGE_SIZE - (at & PAGE_MASK));

		if (!translate(v, at, &gpa) || !read_physical(v, gpa, (u8 *)to + done, part))
			break;
		done += part;
	}
	return done;
}

bool svm_fetch_word(const struct vcpu *v, u64 linear, u16 *word)
{
	return read_linear(v, linear, word, sizeof(*word)) == sizeof(*word);
}

/* ---- instructions ---- */

/* Bits of the code segment's access rights, in the VMCB's format. */
#define RIGHTS_LONG (1u << 9)
#define RIGHTS_32 (1u << 10)

static enum svm_insn_mode mode_of(const struct vmcb *b)
{
	if (b->efer & EFER_LMA && b->cs.ar & RIGHTS_LONG)
		return SVM_INSN_64;
	return b->cs.ar & RIGHTS_32 ? SVM_INSN_32 : SVM_INSN_16;
}

struct svm_insn svm_fetch_insn(const struct vcpu *v)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	enum svm_insn_mode mode = mode_of(b);
	u64 linear = mode == SVM_INSN_64 ? b->rip : (u32)(b->cs.base + b->rip);
	u8 code[SVM_INSN_MAX];

	return svm_insn_decode(code, read_linear(v, linear, code, sizeof(code)), mode);
}

/* In the order of the numbers. The VMCB has the two that VMRUN loads. */
static u64 *gpr(struct vcpu *v, unsigned number)
{
	struct vmcb *b = v->arch.svm.vmcb;

	switch (number & 15) {
	case 0:
		return &b->rax;
	case 4:
		return &b->rsp;
	default:
		return &(&v->regs.rax)[number & 15];
	}
}

u64 svm_fetch_gpr(const struct vcpu *v, unsigned number)
{
	u64 value = *gpr((struct vcpu *)v, number);

	return mode_of(v->arch.svm.vmcb) == SVM_INSN_64 ? value : (u32)value;
}

void svm_fetch_set_gpr(struct vcpu *v, unsigned number, u64 value)
{
	*gpr(v, number) = mode_of(v->arch.svm.vmcb) == SVM_INSN_64 ? value : (u32)value;
}

static u64 address_of(const struct vcpu *v, const struct svm_insn *i)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	u64 address = (u64)(s64)i->displacement;

	if (i->base != SVM_INSN_NONE)
		address += svm_fetch_gpr(v, i->base);
	if (i->index != SVM_INSN_NONE)
		address += svm_fetch_gpr(v, i->index) << i->scale;
	if (i->ip_relative)
		address += b->rip + i->length;
	return address & bits_low(i->address_size * 8u);
}

u64 svm_fetch_operand(const struct vcpu *v, const struct svm_insn *i)
{
	const struct vmcb *b = v->arch.svm.vmcb;
	const struct utcb_seg *const segments[] = {&b->es, &b->cs, &b->ss, &b->ds, &b->fs, &b->gs};
	u64 address = address_of(v, i);

	if (mode_of(b) != SVM_INSN_64)
		return (u32)(segments[i->segment]->base + address);
	if (i->segment < SVM_INSN_FS)
		return address;
	__asm__ volatile("vmsave %0" : : "a"(v->arch.svm.vmcb_pa) : "memory");
	return segments[i->segment]->base + address;
}
