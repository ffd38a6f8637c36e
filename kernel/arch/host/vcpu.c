/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/vcpu.h"

bool host_has_vcpus = true;
bool (*host_guest)(struct vcpu *v);

bool arch_vcpu_supported(void)
{
	return host_has_vcpus;
}

enum status arch_vcpu_init(struct vcpu *v)
{
	v->arch = (struct arch_vcpu){0};
	return SUCCESS;
}

void arch_vcpu_retire(struct vcpu *v)
{
	if (host_cpu->vcpu == v)
		host_cpu->vcpu = NULL;
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
	return v->arch.event;
}

enum status arch_vcpu_begin(struct vcpu *v)
{
	(void)v;
	hazard_set(cpu_current(), HAZARD_VCPU);
	return SUCCESS;
}

/* As on the real CPU: the mark that others look for, then their flag. */
struct ec *arch_vcpu_run(struct cpu *cpu, struct ec *ec)
{
	struct vcpu *v = ec->vcpu;

	__atomic_store_n(&cpu->vcpu, v, __ATOMIC_SEQ_CST);
	if (READ_ONCE(v->poked)) {
		v->state->exit_reason = VCPU_EXIT_POKED;
		return vcpu_end_run(v);
	}
	v->mtd = 0;
	if (host_guest && !host_guest(v)) {
		ec->cont = CONT_VCPU;
		arch_dispatch();
	}
	return vcpu_end_run(v);
}
