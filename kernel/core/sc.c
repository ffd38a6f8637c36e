/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sc.h"

#include "arch/arch.h"
#include "core/dispatch.h"
#include "core/ec.h"
#include "lib/string.h"
#include "mm/slab.h"

static struct slab_cache sc_cache;

void sc_init_cache(void) { slab_init(&sc_cache, "sc", align_up(sizeof(struct sc), KOBJECT_ALIGN), KOBJECT_ALIGN); }

enum status sc_create(struct ec *ec, unsigned prio, u32 quantum_us, struct sc **out)
{
	struct sc *sc = slab_alloc(&sc_cache);
	if (!sc)
		return OOM;
	*sc = (struct sc){.obj.type = KOBJ_SC, .ec = ec, .prio = (u8)prio, .quantum_us = quantum_us, .state = SC_PARKED};
	list_init(&sc->link); /* parked nowhere */
	kobject_ref(&ec->obj);
	*out = sc;
	return SUCCESS;
}

void sc_start(struct sc *sc) { dispatch_ready(cpu_current(), sc); }

void sc_retire(struct sc *sc)
{
	struct cpu *cpu = cpu_current();

	if (sc->state == SC_READY)
		sched_dequeue(&cpu->sched, &sc->link, sc->prio);
	else if (sc->state == SC_PARKED)
		list_unlink(&sc->link);
	else
		dispatch_drop_current(cpu);
	sc->state = SC_DEAD;
	cpu->hazard |= HAZARD_SCHED;
	kobject_unref(&sc->ec->obj);
}

void sc_free(struct sc *sc) { slab_free(&sc_cache, sc); }

u64 sc_consumed(const struct sc *sc)
{
	return sc->consumed + (sc->state == SC_RUNNING ? arch_tsc() - cpu_current()->sc_since : 0);
}
