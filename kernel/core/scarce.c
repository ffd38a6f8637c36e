/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/scarce.h"

#include "arch/cpu.h"
#include "core/ec.h"
#include "core/rcu.h"
#include "core/remote.h"
#include "core/unfinished.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "space/pd.h"
#include "space/slot_sweep.h"

/* ---- Empty pages of slots ---- */

/* At most so many looks, even if others empty pages, or make new ones, all the time. */
static u32 pages_of(const struct ec *self, struct pd *pd)
{
	return slot_sweep_num(self->pd) + (pd != self->pd ? slot_sweep_num(pd) : 0);
}

static void sweep(struct unfinished *u, const struct ec *self, struct pd *pd, bool *found)
{
	u32 pages = slot_sweep(self->pd, SLOT_SWEEP_SCARCE, found);

	if (pd != self->pd)
		pages += slot_sweep(pd, SLOT_SWEEP_SCARCE, found);
	u->unswept = pages && pages < u->unswept ? u->unswept - pages : 0;
}

/* ---- Lists of other CPUs ---- */

/* One for each CPU. */
static struct {
	struct work question; /* whoever asks */
	bool asked;           /* atomic: the question is in the mailbox */
} lists[HEDRON_CPU_MAX];

static void give_back(struct work *w)
{
	(void)w;
	(void)page_reclaim();
	__atomic_store_n(&lists[cpu_current()->id].asked, false, __ATOMIC_RELEASE);
}

static void ask(unsigned n)
{
	if (!__atomic_exchange_n(&lists[n].asked, true, __ATOMIC_ACQ_REL))
		remote_call(n, &lists[n].question, give_back);
}

/* A CPU that has nothing is left alone, so failing again and again costs others nothing. Nobody waits for one that is
 * lost in sleep. */
static void await_lists(struct cpu *cpu)
{
	bool any = false;

	for (unsigned n = 0; n < cpu_count; n++) {
		if (n == cpu->id || !cpu_online(n) || !slab_is_kept(n))
			continue;
		ask(n);
		any = true;
	}
	for (unsigned n = 0; any && n < cpu_count; n++)
		while (cpu_online(n) && __atomic_load_n(&lists[n].asked, __ATOMIC_ACQUIRE))
			rcu_help_others(cpu);
}

/* ---- All of it ---- */

/* The EC must not be freed meanwhile; one that has begun to die gets no reference, and does not wait. */
static void wait_for_others(struct cpu *cpu, struct ec *self)
{
	if (!kobject_get(&self->obj))
		return;
	(void)rcu_expedite(cpu);
	await_lists(cpu);
	kobject_unref(&self->obj);
}

bool scarce_seek(struct unfinished *u, const struct ec *self, struct pd *pd)
{
	if (u->scarce == SCARCE_NOT)
		u->unswept = pages_of(self, pd);
	else if (u->scarce == SCARCE_TRIED && !u->unswept)
		return false;
	u->scarce = SCARCE_SEEKS;
	return true;
}

enum scarce scarce_await(struct cpu *cpu, struct unfinished *u, struct pd *pd)
{
	struct ec *self = cpu->ec;
	bool found = false;

	if (!scarce_seek(u, self, pd))
		return SCARCE_OOM;
	while (u->unswept && !found) {
		sweep(u, self, pd, &found);
		if (!found && u->unswept && unfinished_wanted(cpu))
			return SCARCE_LATER;
	}
	u->scarce = SCARCE_TRIED;
	wait_for_others(cpu, self);
	return ec_is_dead(self) ? SCARCE_OOM : SCARCE_TRY;
}

void scarce_end(struct unfinished *u)
{
	u->scarce = SCARCE_NOT;
}
