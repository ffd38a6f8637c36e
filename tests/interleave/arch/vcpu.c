/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests: in the order of arch/x86_64/vmx/vmx_run.c and vmx_vcpu.c, what other CPUs see of a run. A guest runs until
 * it is interrupted. */
#include "core/vcpu.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "kernel_side.h"

bool arch_vcpu_supported(void)
{
	return true;
}

enum status arch_vcpu_init(struct vcpu *v)
{
	v->arch = (struct arch_vcpu){0};
	return SUCCESS;
}

void arch_vcpu_retire(struct vcpu *v)
{
	struct cpu *cpu = cpu_current();
	if (cpu->vcpu == v)
		__atomic_store_n(&cpu->vcpu, NULL, __ATOMIC_RELAXED);
	v->arch.retired = true;
}

void arch_vcpu_leave_run(struct vcpu *v)
{
	(void)v;
}
void arch_vcpu_free(struct vcpu *v)
{
	(void)v;
}
bool arch_vcpu_has_event(const struct vcpu *v)
{
	(void)v;
	return false;
}

enum status arch_vcpu_begin(struct vcpu *v)
{
	(void)v;
	hazard_set(cpu_current(), HAZARD_VCPU);
	return SUCCESS;
}

/* vmx_load_vcpu(): the mark that others look for goes first, then their flag is read. */
static void load_vcpu(struct cpu *cpu, struct vcpu *v)
{
	__atomic_store_n(&cpu->vcpu, v, __ATOMIC_SEQ_CST);
}

/* Back in the host with hazards to look at: vmx_interrupted(). */
struct ec *arch_vcpu_run(struct cpu *cpu, struct ec *ec)
{
	struct vcpu *v = ec->vcpu;

	if (cpu->vcpu != v)
		load_vcpu(cpu, v);
	if (READ_ONCE(v->poked)) {
		v->state->exit_reason = VCPU_EXIT_POKED;
		return vcpu_end_run(v);
	}
	v->mtd = 0;
	interleave_guest(cpu);
	ec->cont = CONT_VCPU;
	arch_dispatch();
}
