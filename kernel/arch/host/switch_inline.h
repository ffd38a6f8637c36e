/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inline part of arch/switch.h for the fake CPU. A switch between ECs is real as far as a program can be told
 * from it: bases, extended state (one word of it) and address space go along. The ways out end in host_leave().
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

static always_inline u32 arch_idle_mode(void)
{
	return host_idle_mode;
}

static always_inline bool arch_is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/* Both return or end with `to` as the current EC. */
struct ec *host_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to);
void host_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to);
void host_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to);

static always_inline struct ec *arch_ec_switch(struct cpu *cpu, struct ec *from, struct ec *to)
{
	return host_ec_switch(cpu, from, to);
}

static always_inline void arch_ec_switch_fpu(struct cpu *cpu, struct ec *from, struct ec *to)
{
	host_ec_switch_fpu(cpu, from, to);
}

static always_inline void arch_fpu_hand_over(struct cpu *cpu, struct ec *self, struct ec *to)
{
	host_fpu_hand_over(cpu, self, to);
}

/* The part of host_reset() that is about the above. */
void host_reset_switch(void);
