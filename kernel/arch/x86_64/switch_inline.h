/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the architecture's contract that needs to know ECs and PDs: switching, the ways out, messages. */
#pragma once

#include "core/ec.h"
#include "core/percpu.h"
#include "cpu/cpu.h"
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

/* Everything but the general registers. Returns `to`, so that the slow part can be a jump (see fpu.h). */
static always_inline struct ec *arch_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to)
{
	cpu->ec = to;
	switch_bases(from, to);
	switch_space(cpu, from, to);
	return fpu_switch(cpu, from, to);
}

/* The same, but the receiver starts with a copy of the sender's extended state. */
static always_inline void arch_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to)
{
	cpu->ec = to;
	switch_bases(from, to);
	fpu_save(from);
	to->fpu_load = fpu_initial;
	switch_space(cpu, from, to);
}

/* cpu->residue is not 0: makes it so before the current EC goes on. */
void arch_clear_residue(struct cpu *cpu);

/* The extended state that is in the CPU now (the current EC's) becomes that of `to`, too. */
static always_inline void arch_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to)
{
	(void)cpu;
	(void)self;
	fpu_save(to);
}

/* The ways out (entry/entry.S); all start over on an empty stack. */
__attribute__((noreturn)) void arch_return_syscall(struct ec *ec);
__attribute__((noreturn)) void arch_return_trap(struct ec *ec);
__attribute__((noreturn)) void arch_dispatch(void);
__attribute__((noreturn)) void arch_idle(struct cpu *cpu, u32 sleeping);
/* What arch_idle() does best on this machine. */
u32 arch_idle_mode(void);

/* Makes the CPU look at its mailbox, which was written before: one that waits for just that write needs no more. */
void arch_signal(struct cpu *cpu);
/* Makes it look at everything that is asked of it. */
void arch_kick(struct cpu *cpu);

/* Of exceptions, for messages on the console. */
const char *arch_event_name(unsigned event);

/* The extended state of a new EC: initial. */
void arch_fpu_init(struct ec *ec);
