/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/sc.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "core/dispatch.h"
#include "core/ec.h"
#include "core/remote.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "space/pd.h"

static struct slab_cache sc_cache;

void sc_init_cache(void)
{
	slab_init(&sc_cache, "sc", align_up(sizeof(struct sc), KOBJECT_ALIGN), KOBJECT_ALIGN);
}

enum status sc_create(struct pd *parent, struct ec *ec, unsigned prio, u32 quantum_us, struct sc **out)
{
	struct sc *sc = slab_take(&sc_cache, &parent->account);
	if (!sc)
		return OOM;
	if (!kobject_get(&ec->obj)) {
		slab_return(&sc_cache, sc, &parent->account);
		return BAD_CAP;
	}
	kobject_init(&sc->obj, KOBJ_SC, &parent->account);
	sc->ec = ec;
	sc->cpu_id = ec->cpu_id;
	sc->prio = (u8)prio;
	sc->quantum_us = quantum_us;
	sc->account = 0;
	sc->state = SC_PARKED;
	sc->leads = false;
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

/* Those that are parked behind the SC are parked behind the first of them. */
static noinline void hand_over_peers(struct sc *sc)
{
	if (list_empty(&sc->peers))
		return;
	struct sc *first = list_first(&sc->peers, struct sc, link);

	list_unlink(&first->link);
	list_insert_before(&sc->link, &first->link);
	first->leads = true;
	list_init(&first->peers);
	list_move_all(&sc->peers, &first->peers);
}

/* It may also be ready: `state` does not tell. */
static void leave_parked(struct cpu *cpu, struct sc *sc)
{
	if (unlikely(sc->leads))
		hand_over_peers(sc);
	sched_dequeue(&cpu->sched, &sc->link, sc->prio);
}

void sc_retire(struct sc *sc)
{
	struct cpu *cpu = cpu_current();

	if (sc_is_current(sc))
		stop_current(cpu);
	else if (sc->state == SC_READY)
		sched_dequeue(&cpu->sched, &sc->link, sc->prio);
	else if (sc->state == SC_PREEMPTED)
		cpu->preempted = NULL;
	else
		leave_parked(cpu, sc);
	sc->state = SC_DEAD;
	unfinished_disown(cpu, &ec_chain_end(sc->ec)->unfinished);
	kobject_unref(&sc->ec->obj);
}

void sc_free(struct sc *sc)
{
	slab_return(&sc_cache, sc, account_named(sc->obj.account));
}

/* While it is the current one `account` stays as it is, and changes before `sc_since` does when that ends: so if it
 * is the same before and after, what was read in between was when this SC became the current one. */
u64 sc_consumed(const struct sc *sc)
{
	const struct cpu *cpu = arch_cpu(sc->cpu_id);
	u64 account, since, now;

	do {
		account = __atomic_load_n(&sc->account, __ATOMIC_ACQUIRE);
		since = __atomic_load_n(&cpu->sc_since, __ATOMIC_ACQUIRE);
		now = arch_tsc_twice();
	} while (unlikely(account & 1) && account != __atomic_load_n(&sc->account, __ATOMIC_RELAXED));
	return (account + 1 + (account & 1 && now > since ? now - since : 0)) / 2;
}
