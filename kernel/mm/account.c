/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/account.h"

#include "arch/cpu.h"
#include "lib/bits.h"
#include "lib/spinlock.h"
#include "platform/console.h"
#include "platform/panic.h"

#include <hedron/abi.h>

/* What is taken from a payer at a time, if it has so much. */
#define BATCH ((s64)(16 * PAGE_SIZE))
/* Accounts that are looked at for what they do not use, each time that a payer runs short. */
#define COLLECT_MOST 256
/* Taken from `free` of a closed account: more than there are bytes. */
#define CLOSED (1ll << 62)

_Static_assert(_Alignof(struct account) == 1 << ACCOUNT_NAME_SHIFT, "a name is an address without these bits");

struct account *account_top;
void (*account_gone)(struct account *);

static struct spinlock lock;

static always_inline s64 free_of(const struct account *a)
{
	return __atomic_load_n(&a->free, __ATOMIC_RELAXED);
}

static void add_free(struct account *a, s64 bytes)
{
	__atomic_fetch_add(&a->free, bytes, __ATOMIC_RELAXED);
}

/* Takes bytes away that are free, while others take and give. */
static bool take_free_locked(struct account *a, s64 bytes)
{
	s64 f = free_of(a);

	if (!a->payer && !a->allowance) { /* nobody limits it */
		a->limit += bytes;
		return true;
	}
	while (f >= bytes)
		if (__atomic_compare_exchange_n(&a->free, &f, f - bytes, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

/* ---- The end ---- */

/* What an account had of its payer's goes back, to the first one above that is not closed. */
static void give_back_locked(struct account *a, s64 bytes)
{
	a->limit -= bytes;
	for (a = a->payer; a && a->closed; a = a->payer)
		a->limit -= bytes;
	if (a)
		add_free(a, bytes);
}

/* A closed account that nobody needs leaves its payer, who may be in the same state then. Accounts that have left are
 * in `gone`, by `link`. */
static void leave_locked(struct account *a, struct list *gone)
{
	for (; a && a->closed && a->limit == a->rest && list_empty(&a->payees); a = a->payer) {
		give_back_locked(a, a->rest);
		list_unlink(&a->link);
		list_push_tail(gone, &a->link);
	}
}

static void unlock_and_tell(struct list *gone)
{
	spin_unlock(&lock);
	while (!list_empty(gone)) {
		struct account *a = list_first(gone, struct account, link);
		list_unlink(&a->link);
		account_gone(a);
	}
}

/* Payers that are closed are passed over: whoever paid for them pays. */
static void settle_locked(struct account *a, struct list *gone)
{
	struct account *closed;

	while ((closed = a->payer) && closed->closed && closed->payer) {
		list_unlink(&a->link);
		list_push_tail(&closed->payer->payees, &a->link);
		a->payer = closed->payer;
		closed->limit -= a->limit;
		leave_locked(closed, gone);
	}
}

/* ---- Taking ---- */

/* Takes back what the accounts that p pays for have and do not use, until `bytes` are free. */
static void collect_locked(struct account *p, s64 bytes)
{
	if (!p->payees.next)
		return; /* it has never paid */
	struct list *end = p->payees.prev;
	for (unsigned left = COLLECT_MOST; left && free_of(p) < bytes && !list_empty(&p->payees); left--) {
		struct account *a = list_first(&p->payees, struct account, link);
		s64 f = free_of(a);

		list_unlink(&a->link);
		list_push_tail(&p->payees, &a->link);
		if (!a->allowance && f > 0 && take_free_locked(a, f))
			give_back_locked(a, f);
		if (&a->link == end)
			break;
	}
}

static bool take_from_locked(struct account *p, s64 bytes)
{
	if (take_free_locked(p, bytes))
		return true;
	collect_locked(p, bytes);
	return take_free_locked(p, bytes);
}

/* Gets what `a` lacks, and some more, from whoever pays for it. */
static bool draw_locked(struct account *a, struct list *gone)
{
	s64 lack = -free_of(a), got = lack + BATCH;

	settle_locked(a, gone);
	if (a->payer && !take_free_locked(a->payer, got)) {
		got = lack;
		if (!take_from_locked(a->payer, got))
			return false;
	}
	a->limit += got;
	add_free(a, got);
	return true;
}

static bool cover_locked(struct account *a, struct list *gone)
{
	if (free_of(a) >= 0)
		return true;
	if (a->closed)
		return false;
	collect_locked(a, 0);
	return free_of(a) >= 0 || (!a->allowance && draw_locked(a, gone));
}

/* Whether a line about the used up allowance is due; then it has been said. */
static bool say_locked(struct account *a)
{
	u16 now = (u16)(arch_tsc() >> (ACCOUNT_LINE_BITS - 1) | 1); /* never 0 */
	bool due = a->said != now;

	a->said = now;
	return due;
}

/* `free` has lost the bytes already. */
bool account_take_slow(struct account *a, u64 bytes)
{
	struct list gone;

	list_init(&gone);
	spin_lock(&lock);
	bool covered = cover_locked(a, &gone);
	if (!covered)
		add_free(a, (s64)bytes);
	struct account *limited = a->allowance || !a->payer ? a : a->payer;
	s64 limit = limited->limit;
	bool say = !covered && say_locked(limited);
	unlock_and_tell(&gone);
	if (say)
		log_user("the allowance of a PD is used up: %lu KiB of kernel memory", (u64)limit / 1024);
	return covered;
}

/* `free` has got the bytes already. If that is not enough somebody takes more than there is, and finds it out; of a
 * closed account `limit` says what is in use. */
void account_give_slow(struct account *a, u64 bytes)
{
	struct list gone;

	list_init(&gone);
	spin_lock(&lock);
	if (a->closed) {
		settle_locked(a, &gone);
		give_back_locked(a, (s64)bytes);
		leave_locked(a, &gone);
	}
	unlock_and_tell(&gone);
}

/* ---- Begin and end ---- */

void account_init(struct account *top, u64 bytes)
{
	*top = (struct account){.free = (s64)bytes, .limit = (s64)bytes, .allowance = true};
	list_init(&top->link);
	list_init(&top->payees);
	account_top = top;
}

void account_open(struct account *a, struct account *creator)
{
	*a = (struct account){0};
	list_init(&a->payees);
	spin_lock(&lock);
	a->payer = creator->allowance || !creator->payer ? creator : creator->payer;
	if (!a->payer->payees.next)
		list_init(&a->payer->payees);
	list_push_tail(&a->payer->payees, &a->link);
	if (take_free_locked(a->payer, BATCH))
		a->free = a->limit = BATCH;
	spin_unlock(&lock);
}

/* Nobody takes anything any more, so what is free now is what is not in use. Who gives something back meanwhile has
 * done so before the subtraction, or comes to the lock. */
void account_close(struct account *a, u32 rest)
{
	struct list gone;

	list_init(&gone);
	spin_lock(&lock);
	kassert(!a->closed);
	settle_locked(a, &gone);
	give_back_locked(a, __atomic_fetch_sub(&a->free, CLOSED, __ATOMIC_RELAXED));
	a->rest = rest;
	a->closed = true;
	leave_locked(a, &gone);
	unlock_and_tell(&gone);
}

/* ---- Allowances ---- */

static unsigned level(const struct account *a)
{
	unsigned n = 0;
	while ((a = a->payer))
		n++;
	return n;
}

/*
 * What an account has is part of what its payer has. So bytes that go from one to the other leave all accounts on the
 * way up to the lowest one that is above both (which may be one of them), and come into all on the way down.
 */
static void pass_locked(struct account *from, struct account *to, s64 bytes)
{
	unsigned up = level(from), down = level(to);
	struct account *a = from, *b = to;

	while (a != b) {
		bool climb = up >= down;
		struct account *n = climb ? a : b;
		n->limit += climb ? -bytes : bytes;
		*(climb ? &a : &b) = n->payer;
		*(climb ? &up : &down) -= 1;
	}
}

static enum status move_locked(struct account *from, struct account *to, s64 bytes, struct list *gone)
{
	settle_locked(from, gone);
	settle_locked(to, gone);
	if (!to->allowance && level(to) >= ACCOUNT_LEVELS)
		return BAD_PAR;
	if (!from->allowance && from->payer)
		from = from->payer;
	s64 unused = to->allowance ? 0 : free_of(to);
	if (unused > 0 && take_free_locked(to, unused))
		give_back_locked(to, unused);
	if (!take_from_locked(from, bytes))
		return OOM;
	pass_locked(from, to, bytes);
	add_free(to, bytes);
	to->allowance = true;
	return SUCCESS;
}

enum status account_move(struct account *from, struct account *to, u64 bytes)
{
	enum status s = OOM;
	struct list gone;

	list_init(&gone);
	spin_lock(&lock);
	if (from == to)
		s = BAD_PAR;
	else if (bytes <= (u64)account_top->limit)
		s = move_locked(from, to, (s64)bytes, &gone);
	unlock_and_tell(&gone);
	return s;
}

struct account_state account_look(struct account *a)
{
	struct list gone;
	struct account_state s;

	list_init(&gone);
	spin_lock(&lock);
	settle_locked(a, &gone);
	s64 f = free_of(a), above = !a->allowance && a->payer ? free_of(a->payer) : 0;
	s.used = (u64)(a->limit - f);
	s.limit = a->allowance ? (u64)a->limit : 0;
	s.left = (u64)((f > 0 ? f : 0) + (above > 0 ? above : 0));
	unlock_and_tell(&gone);
	return s;
}
