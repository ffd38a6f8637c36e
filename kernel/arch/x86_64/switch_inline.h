/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of arch/switch.h for x86_64. */
#pragma once

#include "core/ec.h"
#include "core/percpu.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/fpu.h"
#include "entry/message.h"
#include "mmu/tlb.h"
#include "space/pd.h"

/* User mode runs without interrupts: they belong to guests (docs/design/kernel.md). The bit is shown as set in
 * messages. */
#define ARCH_USER_FLAGS RFLAGS_FIXED

static always_inline struct cpu *arch_cpu(unsigned n)
{
	return (struct cpu *)(CPU_AREA + (u64)n * CPU_AREA_SIZE);
}

static always_inline u32 arch_idle_mode(void)
{
	return cpu_features.mwait ? SLEEPING_MWAIT : SLEEPING_HALTED;
}

static always_inline bool arch_is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/* Bases can be changed by user land at any time: what is in the CPU is the truth. */
static always_inline void switch_bases(struct ec *from, const struct ec *to)
{
	u64 fs = fsbase_read(), gs = gsbase_read();
	from->fs_base = fs;
	from->gs_base = gs;
	/* The second load keeps the first one a memory operand of the comparison. */
	if (unlikely(to->fs_base != fs))
		fsbase_write(READ_ONCE(to->fs_base));
	if (unlikely(to->gs_base != gs))
		gsbase_write(READ_ONCE(to->gs_base));
}

/*
 * DS, ES, FS and GS are of no use in 64-bit mode, but each can hold any of some selectors, which the next PD could
 * read: null ones with RPL 0 to 3, user data and code. All are below 256, so storing them in ascending order leaves a
 * byte of each. Before the load of CR3: that waits for the stores, and the exit's look at all of them need not.
 */
static always_inline void note_selectors(struct cpu *cpu)
{
	_Static_assert((SEL_USER_CODE | 3) < 256 && SEL_USER_CODE > SEL_USER_DATA, "a byte each");
	__asm__ volatile("mov %%ds, %0\n\tmov %%es, 1+%0\n\tmov %%fs, 2+%0\n\tmov %%gs, 3+%0"
			 : "=m"(cpu->residue), "=m"(cpu->residue_end));
}

static always_inline void switch_space(struct cpu *cpu, const struct ec *from, const struct ec *to)
{
	struct pd *pd = to->pd;
	if (from->pd == pd)
		return;
	unsigned id = cpu->id;
	note_selectors(cpu);
	cr3_write(pd->cr3[id]);
	cpu->space = pd; /* only now is the old one out of use */
	/*
	 * Another CPU that has changed the tables marks the tag stale and then looks who runs the PD (mmu/tlb.c).
	 * Here `cpu->ec` was written first, and the load of CR3 serializes: one of the two sees the other.
	 */
	if (unlikely(pd->tlb_stale[id]))
		tlb_refresh_preserving();
}

/* The slow part of the last line is a jump (cpu/fpu.h). */
static always_inline struct ec *arch_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to)
{
	cpu->ec = to;
	switch_bases(from, to);
	switch_space(cpu, from, to);
	return fpu_switch(cpu, from, to);
}

static always_inline void arch_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to)
{
	cpu->ec = to;
	switch_bases(from, to);
	fpu_save(from);
	to->fpu_load = fpu_initial;
	switch_space(cpu, from, to);
}

static always_inline void arch_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to)
{
	(void)cpu;
	(void)self;
	fpu_save(to);
}
