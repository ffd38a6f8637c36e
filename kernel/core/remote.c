/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/remote.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/percpu.h"
#include "trace/trace.h"

void remote_call(unsigned cpu_id, struct work *w, void (*fn)(struct work *))
{
	struct cpu *cpu = arch_cpu(cpu_id);
	w->fn = fn;
	TRACE(WAKE_REMOTE, cpu_id, w, 0);
	if (!mailbox_push(&cpu->mailbox, w))
		return;
	if (cpu == cpu_current())
		hazard_set(cpu, HAZARD_REMOTE);
	else
		arch_signal(cpu);
}

void remote_take(struct cpu *cpu)
{
	if (!__atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED))
		return;
	struct work *w = mailbox_take(&cpu->mailbox);
	while (w) {
		struct work *next = w->next; /* the work item may be gone or sent again after fn */
		w->fn(w);
		w = next;
	}
}
