/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMCSs: making them, and which one the CPU works with. Manual: SDM vol. 3, 25.11 (software use of VMCSs). */
#pragma once

struct cpu;
struct ec;
struct vcpu;

/* v's VMCS becomes current, and so do the registers that only guests use; written for the first time if need be. */
void vmx_load_vcpu(struct cpu *cpu, struct vcpu *v);

/* No VMCS is current or active any more, and all guest registers are in memory. */
void vmx_forget_all(struct cpu *cpu);

/* Primary, secondary controls and everything that follows from them (vmx_controls.c). `primary`, `secondary`: what
 * the VMM asks for. */
void vmx_set_controls(struct vcpu *v, unsigned primary, unsigned secondary);
/* Exactly these, if they are others than before. */
void vmx_write_primary(struct vcpu *v, unsigned primary);
/* The controls of a new VMCS, which is current. */
void vmx_init_controls(struct vcpu *v);

/* Guest translations of the vCPU's own, of its address space. */
void vmx_flush_vpid(const struct vcpu *v);
