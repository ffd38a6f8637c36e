/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revocation of object capabilities, in pieces: a tree may have millions of nodes, and the CPU may be wanted for
 * something more important meanwhile. docs/design/bounded.md says what others see of that.
 *
 * A capability that loses all of its permissions loses them when it is met, before those below it do; look-ups and
 * delegations find nothing in it from then on. It keeps its place in the tree, as a *dying* one (an object without
 * permissions), until nothing is below it any more. Whoever meets a dying one goes on with it as if it had been the
 * one who began: nobody waits for anybody, and nothing depends on a thread that may never run again.
 *
 * Locking: as space_obj.h says; between two pieces no lock is held.
 */
#pragma once

#include "space/block.h"
#include "space/mdb.h"

struct pd;

/* So many pages of slots are looked at together. */
#define SPACE_OBJ_REVOKE_PAGES 3

/* A revocation that is under way; all zero: none is. It belongs to whoever has begun it. */
struct space_obj_revocation {
	/* where it is in the tree of `object`: guarded by that one's lock */
	struct mdb_place place, climb;
	struct kobject *object; /* referenced; NULL: between two slots */
	bool climbing;          /* `climb` is in the tree */

	struct pd *pd; /* referenced; NULL: it is over */
	struct block range;
	u64 next; /* the first selector or port that was not looked at */
	cap_t perm;
	bool self;
	u8 kind;                            /* enum space_obj_revoke_kind */
	u8 passed_num;                      /* pages of slots that it is through with */
	u32 passed[SPACE_OBJ_REVOKE_PAGES]; /* their numbers: they may be empty (space/slot_sweep.h) */
};

enum space_obj_revoke_kind {
	REVOKE_OBJECTS,
	REVOKE_PORTS,  /* (space/space_pio.h) */
	REVOKE_TABLES, /* memory was taken away, and page tables are to be freed (space/space_mem.h) */
};

/* Takes `perm` away from all that was derived from 2^order selectors of pd's, and with `self` from these. The range
 * is naturally aligned and lies inside the space. What is left to do then belongs to space_obj_unfinished(). */
void space_obj_revoke(struct pd *pd, u64 sel, unsigned order, unsigned perm, bool self);

/* Begins the same, with r, which is over. Nothing is done yet. */
void space_obj_revoke_begin(struct space_obj_revocation *r, struct pd *pd, u64 sel, unsigned order, unsigned perm,
			    bool self);
/* Begins one of another kind as space_obj_unfinished(). */
void space_obj_revoke_begin_tables(struct pd *pd);
void space_obj_revoke_begin_ports(struct pd *pd, struct block range, u64 next, bool self);
/* Does a piece. False: it is over. */
bool space_obj_revoke_step(struct space_obj_revocation *r) must_check;

/* For when nobody may ever go on with r: its place leaves the tree, and with it the reference to the object, which
 * might be what keeps r's owner alive. The slot that is being walked from is begun again if r goes on after all. */
void space_obj_revoke_leave(struct space_obj_revocation *r);

static always_inline bool space_obj_revoke_is_over(const struct space_obj_revocation *r)
{
	return !r->pd;
}

/* What the space needs from above: the revocation of the hypercall that this CPU is in, which sees to it before it
 * returns (core/unfinished.c). */
struct space_obj_revocation *space_obj_unfinished(void);
