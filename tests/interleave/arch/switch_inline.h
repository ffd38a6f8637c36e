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

static always_inline bool arch_is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

struct ec *arch_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to);
void arch_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to);
void arch_fpu_init(struct ec *ec);
void arch_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to);

__attribute__((noreturn)) void arch_return_syscall(struct ec *ec);
__attribute__((noreturn)) void arch_return_trap(struct ec *ec);
__attribute__((noreturn)) void arch_dispatch(void);
__attribute__((noreturn)) void arch_idle(struct cpu *cpu, u32 sleeping);
u32 arch_idle_mode(void);

void arch_signal(struct cpu *cpu);
void arch_kick(struct cpu *cpu);

const char *arch_event_name(unsigned event);
bool arch_report_errors(struct cpu *cpu);
void arch_clear_residue(struct cpu *cpu);
