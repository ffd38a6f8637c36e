/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sm.h"
#include "kernel_side.h"
#include "machine.h"
#include "platform/console.h"
#include "report.h"
#include "space/cap.h"
#include "world_state.h"

static void check_cpu(unsigned n)
{
	const struct cpu *cpu = &interleave_cpus[n];
	unsigned top = sched_top(&cpu->sched);

	if (cpu->rcu_asked)
		report_fail("a grace period waits for CPU %u, which does not know", n);
	if (!cpu_online(n))
		return;
	if (machine_is_stuck(n))
		report_fail("CPU %u waits for ever in the kernel", n);
	if (cpu->mailbox.newest)
		report_fail("CPU %u has work items that nobody told it about", n);
	if (cpu->hazard & ~(u32)HAZARD_RCU)
		report_fail("CPU %u rests in spite of hazards %#x", n, cpu->hazard);
	if (cpu->ec == cpu->idle_ec && (top || cpu->preempted))
		report_fail("CPU %u is idle while somebody is ready", n);
	if (cpu->ec != cpu->idle_ec && (!cpu->sc || top > cpu->sc->prio))
		report_fail("CPU %u does not run who is most important", n);
	if (cpu->tlb_requested != cpu->tlb_done)
		report_fail("CPU %u owes a flush", n);
}

/* No up or down is under way (core/sm.h): nothing is owed, and the state is the number of free units, or minus that
 * of waiters. */
static void check_sm(unsigned n)
{
	const struct cap_slot *slot = space_obj_slot(&world.pds[0]->objs, WORLD_OBJECT(n));
	const struct sm *sm = slot && slot->cap ? (const struct sm *)cap_object(slot->cap) : NULL;
	s64 waiting = 0;

	if (!sm || sm->obj.type != KOBJ_SM)
		return;
	for (const struct list *l = sm->waiters.next; l != &sm->waiters && waiting < WORLD_THREADS; l = l->next)
		waiting++;
	if (sm->owed || (waiting ? sm->state != -waiting : sm->state < 0))
		report_fail("semaphore %u has state %ld, owes %d, and %ld wait", n, sm->state, sm->owed, waiting);
}

static void check_ports(void)
{
	for (unsigned n = 0; n < WORLD_PDS && !report_failure(); n++)
		for (unsigned i = 0; world.pds[n] && i < 1u << WORLD_PORTS_ORDER; i++)
			if (space_pio_lookup(world.pds[n], WORLD_PORTS + i))
				report_fail("PD %u still has port %#x", n, WORLD_PORTS + i);
}

static void check_thread(unsigned t)
{
	const struct thread *spec = &world.scenario->threads[t];

	if (!world_has_thread(t) || spec->local || spec->may_die || spec->may_wait || world.threads[t].ended ||
	    !cpu_online(spec->cpu))
		return;
	report_fail("thread %u never comes back from its operation %u", t, world.threads[t].at);
}

static void check_console(void)
{
	for (unsigned n = 0; n < cpu_count && console_pending; n++)
		if (cpu_online(n) && interleave_cpus[n].ec == interleave_cpus[n].idle_ec)
			report_fail("CPU %u is idle while something is left to be written", n);
}

void world_check(void)
{
	for (unsigned n = 0; n < cpu_count && !report_failure(); n++)
		check_cpu(n);
	if (!report_failure())
		check_console();
	for (unsigned t = 0; t < WORLD_THREADS && !report_failure(); t++)
		check_thread(t);
	for (unsigned n = 0; n < WORLD_OBJECTS && !report_failure(); n++)
		check_sm(n);
	if (world.scenario->ports_end && !report_failure())
		check_ports();
}
