/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Object space of a PD: the tables behind its slot window (space/cap.h), and all that is done with slots.
 *
 * Locking: `lock` is held by all that fills empty slots, makes table pages or closes the space. The object's lock
 * guards its tree and every word that names it, hence emptying a slot takes only that one. Order: space's lock,
 * object's lock, allocators; at most one of each kind is held. Whoever finds an object in a slot and then locks it
 * looks again: the slot may have changed, but the object's memory is still there (core/rcu.h). Look-ups take no lock.
 *
 * Lifetime: a slot that is in use never moves. Pages of slots without any go back now and then (space/slot_sweep.h).
 */
#pragma once

#include "arch/space.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "mm/layout.h"
#include "space/block.h"
#include "space/cap.h"

#include <hedron/crd.h>

struct account;
struct pd;

#define SPACE_OBJ_ORDER 26
_Static_assert(HEDRON_SEL_NUM == 1 << SPACE_OBJ_ORDER, "order of an object space");

struct space_obj {
	struct spinlock lock;
	bool closed; /* guarded by the lock: no slot is filled any more */
	/* The PDPT of the private PML4 entry. Entries 0 and 1 are the window, those from 128 on the architecture's.
	 * The pointer is immutable. */
	u64 *pdpt;
	/* guarded by the lock: pages of slots, in the order in which they are looked at next, and how many */
	struct list pages;
	u32 num_pages;
};

/* ---- Look-up ---- */

/* The current PD's capability at sel, 0 if there is none. */
static always_inline cap_t cap_lookup(u64 sel)
{
	return arch_window_load(sel, HEDRON_SEL_NUM, CAP_SLOT_SHIFT);
}

/* The current PD's object at sel; kobject_nothing if the slot is empty, the type is another, or the bit `perm` is
 * missing. There is no branch: callers notice kobject_nothing by a test that they make anyway. */
static always_inline struct kobject *cap_lookup_or_nothing(u64 sel, enum kobject_type type, unsigned perm)
{
	bool other;
	return cap_pick(cap_lookup(sel), type, perm, &other);
}

/* The object of the capability c, with NULL for kobject_nothing. */
static always_inline struct kobject *cap_check(cap_t c, enum kobject_type type, unsigned perm)
{
	bool other;
	struct kobject *o = cap_pick(c, type, perm, &other);

	if (unlikely(other))
		return NULL;
	if (!o)
		unreachable(); /* saves the caller's test */
	return o;
}

/* The current PD's object at sel, or NULL. */
static always_inline struct kobject *cap_lookup_object(u64 sel, enum kobject_type type, unsigned perm)
{
	return cap_check(cap_lookup(sel), type, perm);
}

/* The slot of sel in any space, by walking its tables; NULL if no page is there (or sel is out of range). */
struct cap_slot *space_obj_slot(const struct space_obj *sp, u64 sel);

/* The PD that a slot belongs to, and its selector there. */
struct pd *space_obj_owner(const struct cap_slot *slot, u64 *sel);

/* So many capabilities above one are looked at: a message may translate it 254 times (docs/adr/0027). */
#define SPACE_OBJ_TRANSLATE_MAX 256

/* The slot nearest above src's (by delegation) that is dst's and in `window`, else src's own if src is dst and it is
 * in the window: {object, its selector, order 0, permissions of src's}; 0 if there is none. */
crd_t space_obj_translate(struct pd *src, u64 src_sel, struct pd *dst, struct block window);

/* ---- Start and end ---- */

enum status space_obj_init(struct space_obj *sp, struct account *account) must_check;

/* Closes the space, for when the PD's last capability is gone; then all it holds is revoked. A closed space refuses
 * to be filled, else the dead PD's threads could hold on to each other for ever. */
void space_obj_close(struct pd *pd);
/* Whether there has never been anything. */
bool space_obj_is_empty(const struct space_obj *sp);

/* Frees the PDPT, whose entries are zero again. No CPU can look up here any more. */
void space_obj_free(struct space_obj *sp);

/* ---- Creation: reserve, make the object, commit ---- */

/* BAD_PAR out of range, OOM, BAD_CAP occupied or closed. A reserved slot is occupied for others and empty for
 * look-ups. */
enum status space_obj_reserve(struct pd *pd, u64 sel, struct cap_slot **slot) must_check;
/* Puts the first capability of a new object (caps 0) into the reserved slot. perm != 0. If the space was closed
 * meanwhile, the capability is gone at once, as if revoked right after (kobject_caps_gone). */
void space_obj_commit(struct pd *pd, struct cap_slot *slot, struct kobject *o, unsigned perm);
/* Gives the reserved slot back. */
void space_obj_cancel(struct pd *pd, struct cap_slot *slot);

/* Reserves and commits, for a new object that is complete. */
enum status space_obj_insert_root(struct pd *pd, u64 sel, struct kobject *o, unsigned perm) must_check;

/* ---- Ranges: naturally aligned, order up to 26, inside the space ---- */

/* Empty source slots and occupied destination slots are skipped. OOM: what was delegated until then stays. What is
 * more than a page of slots is only begun, and belongs to space_obj_unfinished_delegation(). */
enum status space_obj_delegate(struct pd *src, u64 src_sel, struct pd *dst, u64 dst_sel, unsigned order,
			       unsigned perm) must_check;

/* A delegation that is under way, in pieces; all zero: none is. It belongs to whoever has begun it. */
struct space_obj_delegation {
	struct pd *src, *dst; /* referenced; NULL: it is over */
	u64 next, end;        /* selectors of src's, ports, or pages, that are still to come */
	u64 offset;           /* from them to dst's */
	cap_t perm;           /* ports: enum pio_where; memory: how */
	u8 kind;              /* enum space_obj_delegate_kind */
};

enum space_obj_delegate_kind {
	DELEGATE_OBJECTS,
	DELEGATE_INITIAL, /* the objects that a PD which nobody knows yet begins with */
	DELEGATE_PORTS,   /* (space/space_pio.h) */
	DELEGATE_MEMORY,  /* (space/space_mem.h) */
	/* nothing: a hypercall has found no memory of dst's, and is to begin anew (core/unfinished.c) */
	DELEGATE_NOTHING,
};

static always_inline bool space_obj_delegate_is_over(const struct space_obj_delegation *d)
{
	return !d->src;
}

/* Begins one of another kind as space_obj_unfinished_delegation(). */
void space_obj_delegate_begin(struct space_obj_delegation begun);
/* Does a piece. SUCCESS: go on, unless it is over. OOM: it has not got further, and may go on or be dropped. */
enum status space_obj_delegate_step(struct space_obj_delegation *d) must_check;
/* It is over, wherever it is. */
void space_obj_delegate_drop(struct space_obj_delegation *d);

/* What the space needs from above: the delegation of the hypercall that this CPU is in (core/unfinished.c). */
struct space_obj_delegation *space_obj_unfinished_delegation(void);
