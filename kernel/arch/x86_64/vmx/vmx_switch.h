/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers that neither VM entry nor VM exit switches, each only where that makes a difference. */
#pragma once

#include "lib/types.h"

struct cpu;
struct ec;
struct vcpu;

/* From the VMM to the guest. False: extended state or XCR0 of the guest are malformed, and nothing has changed. */
bool vmx_switch_to_guest(struct cpu *cpu, struct ec *ec, struct vcpu *v) must_check;
/* And back. */
void vmx_switch_to_host(struct cpu *cpu, struct ec *ec, struct vcpu *v);

/* Debug registers, KERNEL_GS_BASE: no user of the host can see them. v may be NULL: nobody's. */
void vmx_switch_guest_regs(struct cpu *cpu, struct vcpu *v);
