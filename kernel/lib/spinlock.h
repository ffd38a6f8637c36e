/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ticket lock: whoever comes first gets it first, so nobody waits for longer than each other CPU has it once. There
 * are more tickets than CPUs. The kernel runs with interrupts off; NMI handlers take no locks.
 */
#pragma once

#include "lib/types.h"

/* All zero: free. */
struct spinlock {
	union {
		u16 both;
		struct {
			u8 serving; /* the ticket that has it; written by whoever has */
			u8 next;    /* the ticket for who comes next */
		};
	};
};

#define SPINLOCK_TICKET 0x100 /* one of `next`, in `both` */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "`next` is the upper half");

static always_inline bool spin_is_locked(const struct spinlock *l)
{
	u16 both = __atomic_load_n(&l->both, __ATOMIC_RELAXED);
	return (u8)both != both >> 8;
}

/* Nobody who waits is passed: it fails if there is one. */
static always_inline bool spin_trylock(struct spinlock *l)
{
	u16 both = __atomic_load_n(&l->both, __ATOMIC_RELAXED);
	return (u8)both == both >> 8 && __atomic_compare_exchange_n(&l->both, &both, (u16)(both + SPINLOCK_TICKET),
								    false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Draws a ticket. True: it is this one's turn already. */
static always_inline bool spin_draw(struct spinlock *l, u16 *both)
{
#ifdef __SANITIZE_THREAD__ /* wants to see what happens */
	*both = __atomic_fetch_add(&l->both, SPINLOCK_TICKET, __ATOMIC_ACQUIRE);
	return (u8)*both == *both >> 8;
#else
	bool ours;

	*both = SPINLOCK_TICKET;
	__asm__ volatile("lock xaddw %[both], %[lock]\n\tcmpb %b[both], %h[both]"
			 : [both] "+Q"(*both), [lock] "+m"(l->both), "=@cce"(ours)
			 :
			 : "memory");
	return ours;
#endif
}

static always_inline void spin_lock(struct spinlock *l)
{
	u16 both;

	if (unlikely(!spin_draw(l, &both)))
		while (__atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) != both >> 8)
			__builtin_ia32_pause();
}

/* One instruction, which need not be atomic: only the owner writes there. */
static always_inline void spin_unlock(struct spinlock *l)
{
#ifdef __SANITIZE_THREAD__
	u8 serving = __atomic_load_n(&l->serving, __ATOMIC_RELAXED);
	__atomic_store_n(&l->serving, (u8)(serving + 1), __ATOMIC_RELEASE);
#else
	__asm__ volatile("incb %0" : "+m"(l->serving) : : "cc", "memory");
#endif
}
