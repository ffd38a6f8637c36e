/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test-and-test-and-set lock. The kernel runs with interrupts off; NMI handlers take no locks. */
#pragma once

#include "lib/types.h"

struct spinlock {
	u8 held;
};

static always_inline bool spin_trylock(struct spinlock *l)
{
	return !__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE);
}

static always_inline void spin_lock(struct spinlock *l)
{
	while (unlikely(!spin_trylock(l)))
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}

static always_inline void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}
