/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake of arch/x86_64/vcpu_inline.h: a guest that a test plays. */
#pragma once

#include "lib/types.h"

#include <hedron/abi.h>

struct cpu;
struct ec;
struct vcpu;

struct arch_vcpu {
	bool event;   /* the next entry injects one */
	bool retired; /* by its CPU */
};

/* host_reset() says that there is virtualization. */
extern bool host_has_vcpus;
/* Called for each entry of the guest, on its CPU: returns true if it exits, false if it is interrupted. NULL: it
 * exits at once, with reason 0. */
extern bool (*host_guest)(struct vcpu *v);

bool arch_vcpu_supported(void);
enum status arch_vcpu_init(struct vcpu *v) must_check;
void arch_vcpu_retire(struct vcpu *v);
void arch_vcpu_free(struct vcpu *v);
void arch_vcpu_leave_run(struct vcpu *v);
bool arch_vcpu_has_event(const struct vcpu *v);
enum status arch_vcpu_begin(struct vcpu *v);
struct ec *arch_vcpu_run(struct cpu *cpu, struct ec *ec);
