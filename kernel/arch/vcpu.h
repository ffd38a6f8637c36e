/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What core/vcpu.c wants from the architecture, which has its own part of a vCPU: struct arch_vcpu. */
#pragma once

#include "lib/types.h"

#include <hedron/abi.h>

struct cpu;
struct ec;
struct vcpu;

/* Whether this machine has virtualization that can be used; from the end of boot on. */
bool arch_vcpu_supported(void);

/* Of a vCPU whose other parts are there. OOM: nothing is left behind. */
enum status arch_vcpu_init(struct vcpu *v) must_check;
/* On the vCPU's CPU, which forgets it: nothing of it is loaded any more. */
void arch_vcpu_retire(struct vcpu *v);
/* On any CPU, after arch_vcpu_retire() on its own, and when no CPU can still look at it. */
void arch_vcpu_free(struct vcpu *v);

/* On the vCPU's CPU: a run ends without telling the page. */
void arch_vcpu_leave_run(struct vcpu *v);

/* Whether the next entry would deliver an event; looks at the state page as the next run would. On its CPU. */
bool arch_vcpu_has_event(const struct vcpu *v);

/*
 * The current EC begins a run, at the end of its hypercall. Called in place of a return all the way up to the entry
 * it goes straight to arch_vcpu_run(), and does not return; otherwise it leaves that to HAZARD_VCPU.
 */
enum status arch_vcpu_begin(struct vcpu *v);
/* Goes on with the run of the current EC. Called from an empty stack, or as good as that: returns the EC that goes on
 * when the run is over, or leaves for the guest and does not return. */
struct ec *arch_vcpu_run(struct cpu *cpu, struct ec *ec);

#include "vcpu_inline.h"
