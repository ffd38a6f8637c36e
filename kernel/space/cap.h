/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capability slots and the one-load look-up.
 *
 * A PD's object space is an array of HEDRON_SEL_NUM slots in a window that lies at the same kernel address
 * (OBJ_WINDOW, mm/layout.h) in every PD's address space; table pages appear on demand. Looking up a selector of the
 * current PD is one load that may fault: the fault means "empty" and is fixed up (arch_window_load). Not-present
 * translations are never cached by the CPU (SDM vol. 3, 4.10.2.3), so a page that appears needs no flush.
 * Other PDs' slots are found by walking their tables (space/space_obj.h).
 *
 * A slot is also its own node of the mapping tree (space/mdb.h); slots never move.
 */
#pragma once

#include "lib/types.h"
#include "space/kobject.h"

#include <hedron/abi.h>

/* Pointer to the object in bits 63:6, permissions in bits 4:0; 0 = empty. Without permissions it is dying
 * (space/space_obj_revoke.h), and as good as empty for look-ups. Read without a lock, written under the lock
 * of the object that it names (or, for the first one of a new object, of the space: space_obj_commit()). */
typedef u64 cap_t;

#define CAP_PERM_MASK 31ull

static always_inline cap_t cap_make(struct kobject *o, unsigned perm)
{
	return (u64)o | perm;
}
static always_inline struct kobject *cap_object(cap_t c)
{
	return (struct kobject *)(c & ~63ull);
}
static always_inline unsigned cap_perm(cap_t c)
{
	return c & CAP_PERM_MASK;
}

/*
 * The capability's object, if it is of this kind and the capability has the permission `perm` (one bit; 0: any); else
 * kobject_nothing, and `other` is true. The choice is made without a branch: speculation that goes on before `other`
 * is known has an object of the right kind, or one that leads nowhere (space/kobject.h). So it never takes a word of
 * an object for a pointer because another kind has a pointer there. It is in assembly because a compiler might make
 * branches of anything else.
 */
static always_inline struct kobject *cap_pick(cap_t c, enum kobject_type type, unsigned perm, bool *other)
{
	if (perm)
		__asm__("test %b[perm], %b[c]\n\tcmovz %[nothing], %[c]"
			: [c] "+q"(c)
			: [perm] "qi"((u8)perm), [nothing] "m"(kobject_nothing[0])
			: "cc");
	else
		__asm__("test %[any], %b[c]\n\tcmovz %[nothing], %[c]"
			: [c] "+q"(c)
			: [any] "i"((u8)CAP_PERM_MASK), [nothing] "m"(kobject_nothing[0])
			: "cc");
	struct kobject *o = cap_object(c);
	__asm__("cmpb %b[type], %[is]\n\tcmovne %[nothing], %[o]"
		: [o] "+r"(o), "=@ccne"(*other)
		: [type] "qi"((u8)type), [is] "m"(o->type), [nothing] "m"(kobject_nothing[0]));
	return o;
}

/*
 * Node of the mapping tree: the tree in pre-order as a doubly linked list, plus the parent.
 * Guarded by the lock of the object.
 */
struct mdb_node {
	struct mdb_node *parent, *prev, *next;
};

struct cap_slot {
	cap_t cap;
	struct mdb_node node;
};

#define CAP_SLOT_SHIFT 5 /* slots are half a cache line */
_Static_assert(sizeof(struct cap_slot) == 1 << CAP_SLOT_SHIFT, "size of a slot");
#define CAP_SLOTS_PER_PAGE (PAGE_SIZE / sizeof(struct cap_slot))
