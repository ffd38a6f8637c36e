/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMCBs: making them, their address space identifiers, and whose registers the CPU has. */
#pragma once

#include "virt/virt.h"

struct cpu;
struct svm_cpu;
struct vcpu;

/* What takes the place of functions of arch/vcpu.h. */
extern const struct virt_twin svm_vcpu_twins[];

/* v becomes the loaded vCPU, and the registers that only guests use become v's. */
void svm_vcpu_load(struct cpu *cpu, struct vcpu *v);
/* No vCPU is loaded any more, and all guest registers are in memory. */
void svm_vcpu_forget(struct cpu *cpu);

/* No vCPU of this CPU has an ASID any more, and the next entry flushes everything. */
void svm_vcpu_restart_asids(struct svm_cpu *c);
/* The same for translations that changed: no vCPU of this CPU has an ASID any more. */
void svm_vcpu_outdate_asids(struct svm_cpu *c);
/* The first state: nothing of it is valid. */
void svm_vcpu_reset(struct vcpu *v);
/* v gets an ASID that has not been used since the last flush. */
void svm_vcpu_new_asid(struct cpu *cpu, struct vcpu *v);

/* The twins (svm_run.c, svm_load.c, svm_vcpu.c): as in arch/vcpu.h. */
struct ec;
struct ec *svm_run(struct cpu *cpu, struct ec *ec);
bool svm_has_event(const struct vcpu *v);
