/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_claim.h"

#include "arch/cpu.h"
#include "space/pd.h"

#define PATIENCE 4096 /* looks at a lock: longer than most hold one */

static struct spinlock patient_lock;

static bool lock_in_a_while(struct spinlock *l)
{
	for (unsigned looks = 0; looks < PATIENCE; looks++) {
		if (!__atomic_load_n(&l->held, __ATOMIC_RELAXED) && spin_trylock(l))
			return true;
		arch_relax();
	}
	return false;
}

/* Who holds nothing may wait, too. */
static bool lock(const struct pio_claims *c, struct spinlock *l)
{
	if (c->first && !c->patient)
		return lock_in_a_while(l);
	spin_lock(l);
	return true;
}

/* The mark changes under the lock only, and says `c` to nobody but who has it. */
bool pio_claim(struct pio_claims *c, struct pd *pd)
{
	struct space_pio *sp = &pd->pio;

	if (__atomic_load_n(&sp->claimed_by, __ATOMIC_RELAXED) == c)
		return true;
	if (!lock(c, &sp->lock))
		return false;
	__atomic_store_n(&sp->claimed_by, c, __ATOMIC_RELAXED);
	sp->claimed_next = c->first;
	c->first = pd;
	return true;
}

static void release(struct pio_claims *c)
{
	while (c->first) {
		struct space_pio *sp = &c->first->pio;
		c->first = sp->claimed_next;
		__atomic_store_n(&sp->claimed_by, NULL, __ATOMIC_RELAXED);
		if (unlikely(sp->guests_stopped))
			__atomic_store_n(&sp->guests_stopped, false, __ATOMIC_RELEASE);
		spin_unlock(&sp->lock);
	}
}

void pio_claim_restart(struct pio_claims *c)
{
	release(c);
	if (!c->patient)
		spin_lock(&patient_lock);
	c->patient = true;
}

void pio_claim_end(struct pio_claims *c)
{
	release(c);
	if (c->patient)
		spin_unlock(&patient_lock);
}
