/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/exit_cr.h"

#include "rt/size.h"

enum { GP = 13 };
enum {
	CR0_PE = 1,
	CR0_TS = 8,
	CR0_NW = 1 << 29,
	CR0_CD = 1 << 30,
	CR4_PAE = 1 << 5,
	CR4_PCIDE = 1 << 17,
	EFER_LME = 0x100,
	EFER_LMA = 0x400
};
#define CR0_PG (1ul << 31)
enum { MOV_TO, MOV_FROM, CLTS, LMSW };

/* SDM volume 3, 4.4.1: a change of these registers under PAE paging reads the four entries anew. */
static bool load_pdptes(struct guest_cpu *cpu, uint64_t cr0, uint64_t cr4)
{
	enum { PRESENT = 1, RESERVED = 0x1e6 };
	struct utcb_state *s = cpu->s;
	const uint64_t *table;

	if (!(cr0 & CR0_PG) || !(cr4 & CR4_PAE) || s->efer & EFER_LME)
		return true;
	table = vm_memory(cpu->vm, s->cr3 & 0xffffffe0, sizeof(s->pdpte));
	for (unsigned i = 0; i < RT_ARRAY(s->pdpte); i++) {
		s->pdpte[i] = table ? table[i] : 0;
		if (s->pdpte[i] & PRESENT && s->pdpte[i] & RESERVED)
			return false;
	}
	cpu->changed |= MTD_PDPTE;
	return true;
}

/*
 * With paging, long mode begins or ends if the guest has asked for it. SDM volume 2, "MOV - Move to/from Control
 * Registers": not from 64-bit code to none, nor with PCIDs, nor into the middle of 64-bit code.
 */
static bool change_paging(struct guest_cpu *cpu, bool on)
{
	struct utcb_state *s = cpu->s;

	if (!on && (exit_in_64(s) || s->cr4 & CR4_PCIDE))
		return false;
	if (!(s->efer & EFER_LME))
		return true;
	if (on && (!(s->cr4 & CR4_PAE) || s->cs.ar & VMX_AR_LONG))
		return false;
	s->efer = on ? s->efer | EFER_LMA : s->efer & ~(uint64_t)EFER_LMA;
	cpu->changed |= MTD_EFER_PAT;
	return true;
}

static bool set_cr0(struct guest_cpu *cpu, uint64_t value)
{
	struct utcb_state *s = cpu->s;

	if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
		return false;
	if ((value ^ s->cr0) & CR0_PG && !change_paging(cpu, value & CR0_PG))
		return false;
	if ((value ^ s->cr0) & (CR0_PG | CR0_CD | CR0_NW) && !load_pdptes(cpu, value, s->cr4))
		return false;
	s->cr0 = value;
	cpu->changed |= MTD_CR;
	return true;
}

static bool set_cr4(struct guest_cpu *cpu, uint64_t value)
{
	struct utcb_state *s = cpu->s;

	if (value & ~cpu->cr4_allowed || (s->efer & EFER_LMA && !(value & CR4_PAE)))
		return false;
	/* PCIDs are for long mode, and begin with number 0. */
	if (value & ~s->cr4 & CR4_PCIDE && (!(s->efer & EFER_LMA) || s->cr3 & 0xfff))
		return false;
	if (!load_pdptes(cpu, s->cr0, value))
		return false;
	s->cr4 = value;
	cpu->changed |= MTD_CR;
	return true;
}

static bool set_cr8(struct guest_cpu *cpu, uint64_t value)
{
	if (value & ~0xful)
		return false;
	lapic_set_cr8(cpu->lapic, (unsigned)value);
	return true;
}

static bool move_to(struct guest_cpu *cpu, unsigned cr, uint64_t value)
{
	switch (cr) {
	case 0:
		return set_cr0(cpu, value);
	case 4:
		return set_cr4(cpu, value);
	case 8:
		return set_cr8(cpu, value);
	default:
		return false; /* CR3 does not exit */
	}
}

/*
 * Qualification: bits 3:0 register, 5:4 access, 11:8 general register, 31:16 operand of LMSW. Outside 64-bit code the
 * general register has 32 bits; what is above may be left from before.
 */
void exit_cr(struct guest_cpu *cpu)
{
	struct utcb_state *s = cpu->s;
	unsigned cr = s->qual[0] & 15, access = s->qual[0] >> 4 & 3;
	uint64_t *reg = &s->rax + (s->qual[0] >> 8 & 15);
	bool done = true;

	if (access == MOV_TO) {
		done = move_to(cpu, cr, exit_in_64(s) ? *reg : (uint32_t)*reg);
	} else if (access == MOV_FROM) {
		*reg = lapic_cr8(cpu->lapic); /* the others do not exit */
		cpu->changed |= MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP;
	} else if (access == CLTS) {
		done = set_cr0(cpu, s->cr0 & ~(uint64_t)CR0_TS);
	} else {
		done = set_cr0(cpu, (s->cr0 & ~0xeul) | (s->qual[0] >> 16 & 0xf));
	}
	if (done)
		exit_skip(cpu);
	else
		exit_raise(cpu, GP, true);
}

_Static_assert(offsetof(struct utcb_state, r15) == offsetof(struct utcb_state, rax) + 15 * sizeof(uint64_t),
	       "general registers are in the order of their numbers");
