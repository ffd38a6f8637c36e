/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits by events, and entries that fail because of one. */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

struct cpu;
struct ec;
struct vcpu;

/* An exit by an exception or an NMI. `pending` is what was pending before the entry. */
struct ec *vmx_event_exit(struct cpu *cpu, struct vcpu *v, u32 pending);
/* An entry that has failed because of a machine check. */
cold struct ec *vmx_event_at_entry(struct cpu *cpu, struct vcpu *v);
