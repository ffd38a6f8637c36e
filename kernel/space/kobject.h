/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every kernel object starts with.
 * Lifetime: an object lives while `refs` > 0: one for "some capability names it" plus one for each live object
 *   that refers to it (PT and SC refer to their EC, an EC to its PD). No path of IPC or scheduling counts references:
 *   memory of a dead object is freed only after every CPU has passed through user mode (core/rcu.h).
 * Locking: `lock` guards the tree of this object's capabilities (space/mdb.h) and `caps`.
 */
#pragma once

#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h"

enum kobject_type { KOBJ_NONE, KOBJ_PD, KOBJ_EC, KOBJ_SC, KOBJ_PT, KOBJ_SM, KOBJ_KP, KOBJ_VCPU };

/* A work item: something to do later (core/rcu.h) or on another CPU (core/remote.h). In one list at a time. */
struct work {
	struct work *next;
	void (*fn)(struct work *);
};

struct kobject {
	/* immutable after create */
	u8 type; /* enum kobject_type */

	/* whoever dismantles it */
	bool sent; /* on its way to its owner CPU, to die there */

	/* guarded by the lock; so is `caps` */
	struct spinlock lock;
	bool walk_suspended; /* a long walk of the tree lets others in (struct mdb_walk) */
	u8 unused;           /* written with the others: one store */

	/* everybody, atomically */
	u32 refs;

	u64 caps; /* capabilities that name this object */

	/* whoever has taken the last capability or reference, then whoever it was handed to */
	union {
		struct list dying; /* queued for reap_all() */
		struct work work;  /* on its way to another CPU, or waiting to be freed */
	};
};

/* Objects are aligned to this, so that a capability keeps its permissions in the low bits of the pointer. */
#define KOBJECT_ALIGN 64

/*
 * What a look-up finds in place of an object that may not be used: of no kind, and each word of it points to itself.
 * It is chosen without a branch, so that speculation, which believes that all is well, gets nowhere from it: its
 * pointers are the kernel's, and lead back to it. Nobody writes to it. Its first word is its address, as an operand.
 */
#define KOBJECT_NOTHING_SIZE PAGE_SIZE
extern const void *const kobject_nothing[KOBJECT_NOTHING_SIZE / sizeof(void *)];

static always_inline bool kobject_is_nothing(const struct kobject *o)
{
	return (const void *)o == kobject_nothing;
}

/* For somebody who holds a reference already. */
static always_inline void kobject_ref(struct kobject *o)
{
	__atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
}

/* For somebody who found the object through a capability: false if it has died meanwhile. */
static always_inline bool must_check kobject_get(struct kobject *o)
{
	u32 refs = __atomic_load_n(&o->refs, __ATOMIC_RELAXED);
	while (refs)
		if (__atomic_compare_exchange_n(&o->refs, &refs, refs + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

/*
 * What the spaces want from above; core/reap.c has it, because an object's end is the business of its kind. Both only
 * queue the object, which is dismantled on the way out of the kernel: so they may be called with locks held. The
 * first gives a reference back, the second says that the last capability that names the object is gone.
 */
void kobject_unref(struct kobject *o);
void kobject_caps_gone(struct kobject *o);

/* Of an object that nobody knows yet. */
static always_inline void kobject_init(struct kobject *o, enum kobject_type type)
{
	o->type = (u8)type;
	o->sent = false;
	o->lock = (struct spinlock){0};
	o->walk_suspended = false;
	o->unused = 0;
	o->refs = 0;
	o->caps = 0;
}

/* A fresh object's first capability is about to be made: from now on `refs` counts one for "has capabilities". */
static always_inline void kobject_publish(struct kobject *o)
{
	o->refs = 1;
}
