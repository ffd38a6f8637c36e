/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the contract about switching the fake machine has: its CPUs, and counting how often they were told to look.
 */
#pragma once

#include "core/percpu.h"
#include "host.h"

static always_inline struct cpu *arch_cpu(unsigned n)
{
	return &host_cpus[n];
}

static always_inline bool arch_is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

void arch_signal(struct cpu *cpu);
void arch_kick(struct cpu *cpu);
