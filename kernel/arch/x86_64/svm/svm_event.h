/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits by events, and what the kernel has to do about events that the processor does not. */
#pragma once

#include "core/vcpu.h"
#include "lib/types.h"

struct cpu;
struct ec;

/* An exit by an exception; `pending` is what was pending before the entry. Before svm_run_to_host(). */
struct ec *svm_event_exception(struct cpu *cpu, struct vcpu *v, unsigned vector, u32 pending);
/* An exit by an NMI, which comes when it is let in. */
struct ec *svm_event_nmi(struct cpu *cpu, struct vcpu *v);
/* The same with nothing pending but what a guest that goes on may have, and no event whose delivery was cut short. */
struct ec *svm_event_nmi_plain(struct cpu *cpu, struct vcpu *v);
/* An exit by an IRET, while NMIs are blocked. */
struct ec *svm_event_iret(struct cpu *cpu, struct vcpu *v);

/* The guest gets an exception instead of the instruction that has exited, or its VMM, if that has asked for it.
 * Before svm_run_to_host(). */
struct ec *svm_event_raise(struct cpu *cpu, struct vcpu *v, unsigned vector);

/* The next instruction is a single step, behind which the kernel looks at what the VMM waits for; and the end of
 * that, for whatever reason the guest has exited. */
void svm_event_step(struct arch_vcpu *a);
void svm_event_end_step(struct vcpu *v);

/* The VMCB has an event whose delivery the exit has cut short: the next entry delivers it, if the VMM does not hear
 * of it. */
void svm_event_redeliver(struct vcpu *v);
