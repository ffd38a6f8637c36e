/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every kernel object starts with.
 * Lifetime: an object lives while `refs` > 0: one for "some capability names it" plus one for each live object
 *   that refers to it (PT and SC refer to their EC, an EC to its PD). Hypercalls take no references to what they look
 *   up: the memory of a dead object is freed only after every CPU has passed through user mode or sleep (core/rcu.h),
 *   so an object that was found stays until the kernel is left (or memory is waited for: rcu_expedite()). It may have
 *   begun to die, though.
 * Locking: `lock` guards the tree of this object's capabilities (space/mdb.h), the words that name it, and `caps`.
 */
#pragma once

#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h"
#include "mm/account.h"

enum kobject_type { KOBJ_NONE, KOBJ_PD, KOBJ_EC, KOBJ_SC, KOBJ_PT, KOBJ_SM, KOBJ_KP, KOBJ_VCPU };

struct kobject {
	/* immutable after create */
	u8 type; /* enum kobject_type */

	/* belongs to whoever dismantles it (core/reap.c) */
	bool sent; /* it is on its way to its owner CPU, or has arrived there, to be dismantled */

	/* guarded by the lock */
	struct spinlock lock;

	/* atomic */
	u32 refs;

	/* guarded by the lock */
	u32 caps; /* capabilities that name this object: slots are 32 bytes, and the heap is smaller than 128 GiB */

	/* immutable after create */
	u32 account; /* the name of the one that pays for it (account_named()) */

	/* belongs to whoever has taken the last capability or reference, then to whomever it was handed to */
	union {
		struct list dying; /* queued for reap_all() */
		struct work work;  /* on its way to another CPU, or waiting to be freed */
	};
};

/* Objects are aligned to this, so that a capability keeps its permissions in the low bits of the pointer. */
#define KOBJECT_ALIGN 64

/*
 * What a look-up finds in place of an object that may not be used. It is of no kind (KOBJ_NONE), and each of its
 * words points to its beginning. A look-up chooses it without a branch (cap_pick()), so speculation that takes it for
 * a real object only follows pointers that lead back to it. It is constant. cap_pick() also uses its first word,
 * which is its address, as an operand in memory.
 */
#define KOBJECT_NOTHING_SIZE PAGE_SIZE
extern const void *const kobject_nothing[KOBJECT_NOTHING_SIZE / sizeof(void *)];

static always_inline bool kobject_is_nothing(const struct kobject *o)
{
	return (const void *)o == kobject_nothing;
}

/* Takes another reference. The caller holds one already. */
static always_inline void kobject_ref(struct kobject *o)
{
	__atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
}

/* Takes a reference to an object that was found through a capability. It is for callers that keep the object after
 * they leave the kernel, or cannot have it dismantled meanwhile. False: it has begun to die. */
static always_inline bool must_check kobject_get(struct kobject *o)
{
	u32 refs = __atomic_load_n(&o->refs, __ATOMIC_RELAXED);
	while (refs)
		if (__atomic_compare_exchange_n(&o->refs, &refs, refs + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

/*
 * What the spaces need from above: core/reap.c defines them, because it knows the kinds of objects. The first gives a
 * reference back, the second says that the last capability that names the object is gone. Both may be called with
 * locks held: they only queue the object, which is dismantled on the way out of the kernel.
 */
void kobject_unref(struct kobject *o);
void kobject_caps_gone(struct kobject *o);
/* Has fn(w) called after a grace period (core/rcu.h). */
void kobject_call_later(struct work *w, void (*fn)(struct work *));

/* Initializes all but `dying` and `work` of an object that nobody knows yet. */
static always_inline void kobject_init(struct kobject *o, enum kobject_type type, const struct account *account)
{
	o->type = (u8)type;
	o->sent = false;
	o->lock = (struct spinlock){0};
	o->refs = 0;
	o->caps = 0;
	o->account = account_name(account);
}

/* A fresh object's first capability is about to be made: from now on `refs` counts one for "has capabilities". */
static always_inline void kobject_publish(struct kobject *o)
{
	o->refs = 1;
}
