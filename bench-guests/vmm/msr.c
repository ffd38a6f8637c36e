/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/msr.h"

#include "vmm/scale.h"

#include "rt/cpu.h"

/* Manual: Intel SDM volume 4, "Architectural MSRs". */
enum {
	TSC = 0x10,
	APIC_BASE = 0x1b,
	PLATFORM_ID = 0x17,
	MICROCODE = 0x8b,
	SYSENTER_CS = 0x174,
	SYSENTER_ESP = 0x175,
	SYSENTER_EIP = 0x176,
	MISC_ENABLE = 0x1a0,
	DEBUGCTL = 0x1d9,
	PAT = 0x277,
	TSC_DEADLINE = 0x6e0,
};
#define AMD_C1E 0xc0010055u /* asked for by who takes the processor for one of AMD's: there is no such state */
#define EFER 0xc0000080u
#define STAR 0xc0000081u
#define LSTAR 0xc0000082u
#define CSTAR 0xc0000083u
#define FMASK 0xc0000084u
#define TSC_AUX 0xc0000103u
enum { EFER_SCE = 1, EFER_LME = 0x100, EFER_LMA = 0x400, EFER_NXE = 0x800 };

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/*
 * The registers that are words of the state page: which one, and what changes with it. Guests reach the bases of FS
 * and GS without an exit.
 */
static uint64_t *state_word(struct utcb_state *s, uint32_t msr, uint64_t *group, bool *is_address)
{
	*is_address = false;
	*group = MTD_SYSENTER;
	if (msr == SYSENTER_CS)
		return &s->sysenter_cs;
	*group = MTD_SYSCALL_SWAPGS;
	if (msr == STAR)
		return &s->star;
	if (msr == FMASK)
		return &s->fmask;
	*is_address = true;
	if (msr == LSTAR)
		return &s->lstar;
	*group = MTD_SYSENTER;
	if (msr == SYSENTER_ESP)
		return &s->sysenter_rsp;
	return msr == SYSENTER_EIP ? &s->sysenter_rip : NULL;
}

/* ---- The local APIC ---- */

static bool is_x2apic(uint32_t msr)
{
	return msr - LAPIC_MSRS < LAPIC_MSRS_COUNT;
}

/*
 * When the guest's TSC has a value: at once if that is in the past. What is so far away that it could not be computed
 * will not be seen.
 */
static uint64_t time_of_tsc(const struct guest_cpu *cpu, uint64_t tsc)
{
	uint64_t since = tsc - cpu->s->tsc_off - cpu->vm->start;

	if ((int64_t)since <= 0)
		return 0;
	return since >> 56 ? NEVER : scale_up(since, NS_PER_S / 1000, cpu->cpuid.tsc_khz);
}

/* Without the timer being in that mode, writes are lost. SDM volume 3, 11.5.4.1. */
static void write_deadline(struct guest_cpu *cpu, uint64_t value)
{
	if (lapic_has_deadline(cpu->lapic))
		lapic_set_deadline(cpu->lapic, value, time_of_tsc(cpu, value));
}

/* The deadline stays where it is on a clock that jumps. */
static void write_tsc(struct guest_cpu *cpu, uint64_t value)
{
	cpu->s->tsc_off = value - rt_rdtsc();
	cpu->changed |= MTD_TSC;
	write_deadline(cpu, cpu->lapic->deadline);
}

/* ---- */

bool msr_read(const struct guest_cpu *cpu, uint32_t msr, uint64_t *value)
{
	bool is_address;
	uint64_t group;
	const uint64_t *word = state_word(cpu->s, msr, &group, &is_address);

	if (word) {
		*value = *word;
		return true;
	}
	if (is_x2apic(msr))
		return lapic_read_msr(cpu->lapic, msr, vm_now(cpu->vm), value);
	switch (msr) {
	case TSC:
		*value = rt_rdtsc() + cpu->s->tsc_off;
		return true;
	case EFER:
		*value = cpu->s->efer;
		return true;
	case APIC_BASE:
		*value = cpu->lapic->base;
		return true;
	case TSC_DEADLINE:
		*value = cpu->lapic->deadline;
		return true;
	case PAT:
		*value = cpu->s->pat;
		return true;
	case MISC_ENABLE:
		*value = cpu->misc_enable;
		return true;
	case TSC_AUX:
		*value = cpu->s->tsc_aux;
		return cpu->cpuid.has_rdtscp;
	case MICROCODE:
		*value = 1ul << 32; /* a revision that no update is newer than matters to */
		return true;
	case AMD_C1E:
	case CSTAR: /* Intel's processors have it and never use it */
	case PLATFORM_ID:
	case DEBUGCTL:
		*value = 0;
		return true;
	default:
		return false;
	}
}

/* SDM volume 3, 4.1.1 and 2.2.1: long mode cannot be changed under paging. LMA is the processor's. */
static bool write_efer(struct guest_cpu *cpu, uint64_t value)
{
	struct utcb_state *s = cpu->s;

	if (value & ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))
		return false;
	if (s->cr0 >> 31 & 1 && (value ^ s->efer) & EFER_LME)
		return false;
	s->efer = (value & ~(uint64_t)EFER_LMA) | (s->efer & EFER_LMA);
	cpu->changed |= MTD_EFER_PAT;
	return true;
}

/* Each byte is a memory type; 2 and 3 are reserved, and so is everything above 7. */
static bool write_pat(struct guest_cpu *cpu, uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		unsigned type = value >> shift & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	cpu->s->pat = value;
	cpu->changed |= MTD_EFER_PAT;
	return true;
}

static bool write_state_word(struct guest_cpu *cpu, uint32_t msr, uint64_t value, bool *known)
{
	bool is_address;
	uint64_t group;
	uint64_t *word = state_word(cpu->s, msr, &group, &is_address);

	*known = word;
	if (!word || (is_address && !is_canonical(value)) || (msr == FMASK && value >> 32))
		return false;
	*word = value;
	cpu->changed |= group;
	return true;
}

bool msr_write(struct guest_cpu *cpu, uint32_t msr, uint64_t value)
{
	bool known, done = write_state_word(cpu, msr, value, &known);

	if (known)
		return done;
	if (is_x2apic(msr))
		return lapic_write_msr(cpu->lapic, msr, value, vm_now(cpu->vm));
	switch (msr) {
	case TSC:
		write_tsc(cpu, value);
		return true;
	case TSC_DEADLINE:
		write_deadline(cpu, value);
		return true;
	case APIC_BASE:
		return lapic_set_base(cpu->lapic, value);
	case EFER:
		return write_efer(cpu, value);
	case PAT:
		return write_pat(cpu, value);
	case MISC_ENABLE:
		cpu->misc_enable = value;
		return true;
	case TSC_AUX:
		if (!cpu->cpuid.has_rdtscp || value >> 32)
			return false;
		cpu->s->tsc_aux = (uint32_t)value;
		cpu->changed |= MTD_TSC;
		return true;
	case CSTAR:
		return is_canonical(value);
	case MICROCODE:
		return true; /* before CPUID tells the revision, operating systems write 0 */
	case DEBUGCTL:
		return !value; /* no branch records, no single steps of branches */
	default:
		return false;
	}
}
