/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fake of arch/x86_64/switch_inline.h. A switch between ECs is real as far as a program can be told from it:
 * bases, extended state (one word of it) and address space go along. The ways out end in host_leave().
 */
#pragma once

#include "core/ec.h"
#include "core/percpu.h"
#include "entry/message.h" /* the real one: it needs no real CPU */
#include "host.h"
#include "space/pd.h"

#define ARCH_USER_FLAGS RFLAGS_FIXED

static always_inline struct cpu *arch_cpu(unsigned n)
{
	return &host_cpus[n];
}

static always_inline bool arch_is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/* Both return or end with `to` as the current EC. */
struct ec *arch_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to);
void arch_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to);
void arch_fpu_init(struct ec *ec);
void arch_clear_residue(struct cpu *cpu);
void arch_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to);

__attribute__((noreturn)) void arch_return_syscall(struct ec *ec);
__attribute__((noreturn)) void arch_return_trap(struct ec *ec);
__attribute__((noreturn)) void arch_dispatch(void);
__attribute__((noreturn)) void arch_idle(struct cpu *cpu, u32 sleeping);
u32 arch_idle_mode(void);

/* Counted in host_calls. */
void arch_signal(struct cpu *cpu);
void arch_kick(struct cpu *cpu);

const char *arch_event_name(unsigned event);

/* The part of host_reset() that is about the above. */
void host_reset_switch(void);
