/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch between ECs for the machine of tests/interleave, as far as other CPUs can see it: the order of stores
 * and barriers is that of arch/x86_64/switch_inline.h, entry/entry.S, entry/nmi.c and apic/lapic.c, which cannot run
 * here.
 */
#pragma once

#include "core/ec.h"
#include "core/percpu.h"
#include "entry/message.h" /* the real one: it needs no real CPU */
#include "space/pd.h"

#define ARCH_USER_FLAGS RFLAGS_FIXED

extern struct cpu interleave_cpus[HEDRON_CPU_MAX];

static always_inline struct cpu *arch_cpu(unsigned n)
{
	return &interleave_cpus[n];
}

static always_inline u32 arch_idle_mode(void)
{
	return cpu_current()->id % 2 ? SLEEPING_HALTED : SLEEPING_MWAIT; /* both kinds take part */
}

static always_inline bool arch_is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

struct ec *interleave_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to);
void interleave_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to);
void interleave_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to);

static always_inline struct ec *arch_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to)
{
	return interleave_ec_switch(cpu, from, to);
}

static always_inline void arch_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to)
{
	interleave_ec_switch_fpu(cpu, from, to);
}

static always_inline void arch_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to)
{
	interleave_fpu_hand_over(cpu, self, to);
}
