/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMCSs: making them, and which one the CPU works with. Manual: SDM vol. 3, 25.11 (software use of VMCSs). */
#pragma once

struct cpu;
struct ec;
struct vcpu;

/*
 * v's VMCS becomes current, and the registers that only guests use become v's. At the first time all fields are
 * written.
 */
void vmx_load_vcpu(struct cpu *cpu, struct vcpu *v);

/* No VMCS is current or active any more, and all guest registers are in memory. */
void vmx_forget_all(struct cpu *cpu);

/* The primary and secondary controls (vmx_controls.c) become what the VMM asks for, as far as that is allowed. */
void vmx_set_controls(struct vcpu *v, unsigned primary, unsigned secondary);
/* The primary controls become exactly these. */
void vmx_write_primary(struct vcpu *v, unsigned primary);
/* The controls of a new VMCS, which is current. */
void vmx_init_controls(struct vcpu *v);

/* Flushes the translations that this CPU has of the vCPU's own page tables. */
void vmx_flush_vpid(const struct vcpu *v);
