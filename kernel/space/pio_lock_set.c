/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_lock_set.h"

#include "arch/cpu.h"
#include "space/pd.h"

#define LOOKS_MAX 4096 /* looks at a lock: longer than most hold one */

static struct spinlock exclusive_lock;

static bool lock_in_a_while(struct spinlock *l)
{
	for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
		if (!__atomic_load_n(&l->held, __ATOMIC_RELAXED) && spin_trylock(l))
			return true;
		arch_relax();
	}
	return false;
}

/* An exclusive set waits without limit. So does one that has no lock yet, because nobody can be waiting for it. */
static bool lock(const struct pio_lock_set *set, struct spinlock *l)
{
	if (set->first && !set->exclusive)
		return lock_in_a_while(l);
	spin_lock(l);
	return true;
}

/* `locked_by` is written under the lock only. It can be `set` only if this CPU has written it, so the look without
 * the lock is enough. */
bool pio_lock_set_add(struct pio_lock_set *set, struct pd *pd)
{
	struct space_pio *sp = &pd->pio;

	if (__atomic_load_n(&sp->locked_by, __ATOMIC_RELAXED) == set)
		return true;
	if (!lock(set, &sp->lock))
		return false;
	__atomic_store_n(&sp->locked_by, set, __ATOMIC_RELAXED);
	sp->locked_next = set->first;
	set->first = pd;
	return true;
}

static void unlock_all(struct pio_lock_set *set)
{
	while (set->first) {
		struct space_pio *sp = &set->first->pio;
		set->first = sp->locked_next;
		__atomic_store_n(&sp->locked_by, NULL, __ATOMIC_RELAXED);
		if (unlikely(sp->guests_stopped))
			__atomic_store_n(&sp->guests_stopped, false, __ATOMIC_RELEASE);
		spin_unlock(&sp->lock);
	}
}

void pio_lock_set_restart(struct pio_lock_set *set)
{
	unlock_all(set);
	if (!set->exclusive)
		spin_lock(&exclusive_lock);
	set->exclusive = true;
}

void pio_lock_set_release(struct pio_lock_set *set)
{
	unlock_all(set);
	if (set->exclusive)
		spin_unlock(&exclusive_lock);
}
