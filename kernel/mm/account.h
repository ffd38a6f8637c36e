/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who pays for kernel memory. An account has a number of bytes, which are some of its payer's, and takes from them.
 * One with an allowance has no others: when they are used up that is its owner's want of memory and nobody else's.
 * One without takes more of its payer's when it needs them, a batch at a time, and gives back what it does not use
 * when the payer runs short. The account of the kernel PD has the whole heap and no payer.
 *
 * Payers are accounts with an allowance, so a chain of payers is as long as allowances are nested
 * (ACCOUNT_LEVELS), however long the chain of creators.
 *
 * Locking: `free` is atomic; taking and giving back are one addition each as long as it stays positive. Everything
 * else is behind one lock, which comes after all others. Lifetime: an account outlasts its owner by what others still
 * have of its memory, and the accounts it pays for; account_gone() is told when both have gone.
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "mm/layout.h"

#define ACCOUNT_LEVELS 32
/* Each allowance has a line of its own in the log when it is used up, at most one in 2^32 ticks of the TSC. */
#define ACCOUNT_LINE_BITS 32

/* All zero: an account that nobody limits, as if it was a heap of its own. */
struct account {
	/* Bytes that may be taken. Less than 0: somebody is about to find out that there are not enough; or the
	 * account is closed, and account_give() has more to do. Atomic. */
	aligned(64) s64 free;

	/* guarded by the lock */
	s64 limit;             /* what it has of its payer's: it uses limit - free, or `limit` if it is closed */
	struct account *payer; /* NULL: none */
	struct list link;      /* in payer->payees */
	struct list payees;
	u32 rest; /* closed: what it will have used when nobody has anything of it any more */
	bool allowance, closed;
	u16 said; /* bits of the time of the last line in the log about its allowance; 0: there was none */
};
_Static_assert(sizeof(struct account) == 64, "a line of the caches");

struct account_state {
	u64 used, limit; /* bytes; `limit` is 0 without an allowance */
	u64 left;        /* bytes that can still be taken */
};

/* The account at the top, which every other one has below it. */
extern struct account *account_top;
/* Called without locks when a closed account is not needed any more. */
extern void (*account_gone)(struct account *);

/* Boot: `top` has so many bytes. */
void account_init(struct account *top, u64 bytes);

/* Begins an account without an allowance, which `creator`'s payer pays for; that may be `creator` itself. */
void account_open(struct account *a, struct account *creator);
/* Its owner has gone, but for `rest` bytes that it is stored in. The allowance goes back to the payer: what is not
 * used now, the rest when it is given back. Nothing is taken any more. */
void account_close(struct account *a, u32 rest);

/* Moves bytes that are free from one account to another, which gets an allowance: from then on it can have these
 * bytes and what it uses already. What `from` lacks for that is its payer's, if it has no allowance. OOM: there is
 * not so much. BAD_PAR: allowances are nested too deeply. */
enum status account_move(struct account *from, struct account *to, u64 bytes) must_check;
struct account_state account_look(struct account *a);

/* An account as 32 bits, for what has little room. PDs are in the heap, below HEAP_MAP_SIZE. The kernel PD is not, so
 * its account has no name; but what it pays for is never given back. */
#define ACCOUNT_NAME_SHIFT 6

static always_inline u32 account_name(const struct account *a)
{
	return (u32)(heap_phys(a).v >> ACCOUNT_NAME_SHIFT);
}
static always_inline struct account *account_named(u32 name)
{
	return (struct account *)heap_virt(paddr((u64)name << ACCOUNT_NAME_SHIFT));
}

_Static_assert(HEAP_MAP_SIZE >> ACCOUNT_NAME_SHIFT <= 1ull << 32, "each PD in the heap has a name");

/* For below. */
bool account_take_slow(struct account *a, u64 bytes) must_check;
void account_give_slow(struct account *a, u64 bytes);

/* False: account_take_slow() is to follow. */
must_check static always_inline bool account_took(struct account *a, u64 bytes)
{
	return likely(__atomic_sub_fetch(&a->free, (s64)bytes, __ATOMIC_RELAXED) >= 0);
}

/* False: there is not so much. */
must_check static always_inline bool account_take(struct account *a, u64 bytes)
{
	return account_took(a, bytes) || account_take_slow(a, bytes);
}

/* False: account_give_slow() is to follow. */
must_check static always_inline bool account_gave(struct account *a, u64 bytes)
{
	return __atomic_add_fetch(&a->free, (s64)bytes, __ATOMIC_RELAXED) >= 0;
}

static always_inline void account_give(struct account *a, u64 bytes)
{
	if (unlikely(!account_gave(a, bytes)))
		account_give_slow(a, bytes);
}
