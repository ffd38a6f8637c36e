/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sc.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/dispatch.h"
#include "core/ec.h"
#include "core/remote.h"
#include "lib/string.h"
#include "mm/slab.h"

static struct slab_cache sc_cache;

void sc_init_cache(void)
{
	slab_init(&sc_cache, "sc", align_up(sizeof(struct sc), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

enum status sc_create(struct ec *ec, unsigned prio, u32 quantum_us, struct sc **out)
{
	struct sc *sc = slab_alloc(&sc_cache);
	if (!sc)
		return OOM;
	if (!kobject_get(&ec->obj)) {
		slab_free(&sc_cache, sc);
		return BAD_CAP;
	}
	kobject_init(&sc->obj, KOBJ_SC);
	sc->ec = ec;
	sc->cpu_id = ec->cpu_id;
	sc->prio = (u8)prio;
	sc->quantum_us = quantum_us;
	sc->consumed = 0;
	sc->state = SC_PARKED;
	list_init(&sc->link); /* SC_PARKED, but in no EC's list: sc_retire() may unlink it */
	*out = sc;
	return SUCCESS;
}

/* The SC may have been revoked before the work item arrives. It is freed by a later work item, so it is still there.
 */
static void start_here(struct work *w)
{
	struct sc *sc = container_of(w, struct sc, start);
	if (sc->state != SC_DEAD)
		dispatch_ready(cpu_current(), sc);
}

void sc_start(struct sc *sc)
{
	struct cpu *cpu = cpu_current();
	if (sc->cpu_id == cpu->id)
		dispatch_ready(cpu, sc);
	else
		remote_call(sc->cpu_id, &sc->start, start_here);
}

static void stop_current(struct cpu *cpu)
{
	dispatch_drop_current(cpu);
	hazard_set(cpu, HAZARD_SCHED);
}

void sc_retire(struct sc *sc)
{
	struct cpu *cpu = cpu_current();

	if (sc->state == SC_READY)
		sched_dequeue(&cpu->sched, &sc->link, sc->prio);
	else if (sc->state == SC_PREEMPTED)
		cpu->preempted = NULL;
	else if (sc->state == SC_PARKED)
		list_unlink(&sc->link);
	else
		stop_current(cpu);
	sc->state = SC_DEAD;
	kobject_unref(&sc->ec->obj);
}

void sc_free(struct sc *sc)
{
	slab_free(&sc_cache, sc);
}

u64 sc_consumed(const struct sc *sc)
{
	const struct cpu *cpu = arch_cpu(sc->cpu_id);
	u64 consumed = READ_ONCE(sc->consumed), since = READ_ONCE(cpu->sc_since), now = arch_tsc();
	return READ_ONCE(cpu->sc) == sc && now > since ? consumed + now - since : consumed;
}
