/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/remote.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/percpu.h"
#include "core/unfinished.h"
#include "trace/trace.h"

/* Others have sent work items that are not taken yet. */
static noinline void note_crowd(struct cpu *to)
{
	if (__atomic_add_fetch(&to->mailbox.crowd, 1, __ATOMIC_RELAXED) >= REMOTE_CROWD && to != cpu_current())
		unfinished_await_room(to->id);
}

void remote_call(unsigned cpu_id, struct work *w, void (*fn)(struct work *))
{
	struct cpu *cpu = arch_cpu(cpu_id);
	w->fn = fn;
	TRACE(WAKE_REMOTE, cpu_id, w, 0);
	if (!mailbox_push(&cpu->mailbox, w)) {
		note_crowd(cpu);
		return;
	}
	if (cpu == cpu_current())
		hazard_set(cpu, HAZARD_REMOTE);
	else
		arch_signal(cpu);
}

static noinline void take_several(struct work *newest)
{
	struct work *w = mailbox_reverse(newest);
	while (w) {
		struct work *next = w->next; /* the work item may be gone or sent again after fn */
		w->fn(w);
		w = next;
	}
}

void remote_take(struct cpu *cpu)
{
	if (!__atomic_load_n(&cpu->mailbox.newest, __ATOMIC_RELAXED))
		return;
	struct work *w = mailbox_take(&cpu->mailbox);
	if (likely(!w->next))
		w->fn(w);
	else
		take_several(w);
}

/* The owner that has taken all of them may not have set the number back since. */
bool remote_is_crowded(unsigned cpu_id)
{
	const struct cpu *to = arch_cpu(cpu_id);

	return cpu_online(cpu_id) && __atomic_load_n(&to->mailbox.crowd, __ATOMIC_RELAXED) >= REMOTE_CROWD &&
	       __atomic_load_n(&to->mailbox.newest, __ATOMIC_RELAXED);
}
