/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rcu.h"

#include "arch/arch.h"
#include "core/percpu.h"

void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *))
{
	struct cpu *cpu = cpu_current();
	head->fn = fn;
	head->next = cpu->rcu;
	cpu->rcu = head;
	cpu->hazard |= HAZARD_RCU;
}

/*
 * With one CPU its way to user mode is the grace period. (More CPUs will need one that all have passed.)
 */
void rcu_quiesce(struct cpu *cpu)
{
	struct rcu_head *head = cpu->rcu;
	cpu->rcu = NULL;
	cpu->hazard &= ~HAZARD_RCU;
	while (head) {
		struct rcu_head *next = head->next;
		head->fn(head);
		head = next;
	}
}
