/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls in pieces. What takes long depends on what users have built, so it has preemption points: after each
 * piece it is asked whether the CPU is wanted for something else (unfinished_wanted()). If so, the EC keeps here how
 * far it has come, and goes on (CONT_UNFINISHED) when it is chosen again. So the time is that of whoever asked for
 * the work, and a more important thread waits for a piece at most. User land sees one hypercall.
 * docs/design/bounded.md.
 *
 * Locking: belongs to the EC's CPU, but for what is in a tree meanwhile (space/space_obj_revoke.h).
 */
#pragma once

#include "core/percpu.h"
#include "space/space_obj.h"
#include "space/space_obj_revoke.h"

struct ec;

/* A hypercall, by all but its fourth argument, which is where the entry stored it. */
typedef enum status (*hypercall_fn)(u64, u64, u64, struct ec *, u64);

struct unfinished {
	struct space_obj_revocation revocation;
	struct space_obj_delegation delegation;
	struct list dying;     /* objects that the EC has killed, to be dismantled at its cost */
	struct list keeper;    /* in the CPU's `keepers`; valid while `dying` is not empty */
	u64 rdx, rax;          /* in case the delegation fails: what was in these registers */
	struct cap_slot *slot; /* DELEGATE_INITIAL: reserved in the EC's PD for the new one, */
	cap_t perm;            /* with these permissions */
	hypercall_fn again;    /* of DELEGATE_NOTHING: what is to begin anew, and its first argument */
	u64 arg1;
	u32 unswept; /* pages of slots still to be looked at before there is no memory (core/scarce.h) */

	/* set to 0 together */
	u32 item;    /* the typed item of a message that is next (core/ipc.c) */
	u16 crowded; /* a CPU to which too much was sent that it has not taken yet, plus 1; 0: none */
	u8 scarce;   /* enum scarce_state */
	u8 then;     /* enum ec_cont: how it goes on after that */
};

void unfinished_init(struct unfinished *u);

/* Whether something may be more important than what this CPU is at: work items have come, somebody was woken, or a
 * grace period waits for it. */
static always_inline bool unfinished_wanted(const struct cpu *cpu)
{
	return cpu->hazard & (HAZARD_SCHED | HAZARD_REMOTE | HAZARD_NMI | HAZARD_MCA) || READ_ONCE(cpu->rcu_asked);
}

/* In a hypercall, for HAZARD_REAP and HAZARD_UNFINISHED: does here and now what there is time for, which saves the
 * long way out. What is left then is seen to there. */
void unfinished_begin(struct cpu *cpu);

/* In CREATE_PD, which has begun to delegate to the new PD (HAZARD_UNFINISHED): nobody sees the PD before all is
 * there. Then its first capability is put into the slot. If that fails, or the EC ends, the PD ends and the slot is
 * free. */
void unfinished_create(struct cpu *cpu, struct cap_slot *slot, cap_t perm);
/* In a message: goes on with the delegation of the typed item that is under way. BUSY: the CPU is wanted. OOM: it can
 * go on if there is memory. */
enum status unfinished_delegate_item(struct cpu *cpu, struct unfinished *u) must_check;

/*
 * A hypercall, whose arguments are still where the entry stored them, has found no memory of pd's and changed
 * nothing. It is kept, and begins anew when memory has been waited for (core/scarce.h). No lock is held then, and
 * what it names is looked up again, as it may have gone. Returns the status until then.
 */
enum status unfinished_again(struct ec *self, struct pd *pd, hypercall_fn fn, u64 arg1);

/* That delegation goes on as another EC's, or not at all. */
void unfinished_hand_over(struct ec *from, struct ec *to);
void unfinished_drop_items(struct unfinished *u);

/* The current EC has sent more to that CPU than it can take at once: it goes on when that is taken. */
void unfinished_await_room(unsigned cpu_id);
/* It need not if it is freeing what others have deleted, unless nobody else is there. */
void unfinished_excuse_slow(struct cpu *cpu);
static always_inline void unfinished_excuse(struct cpu *cpu)
{
	if (unlikely(cpu->hazard & HAZARD_CROWD))
		unfinished_excuse_slow(cpu);
}

/* On the way out, when the current EC has all its registers stored: for HAZARD_REAP, HAZARD_UNFINISHED and
 * HAZARD_CROWD. Either all is done, or the EC keeps it, or it is for HAZARD_ORPHANS: cpu->dying is empty then. */
void unfinished_keep(struct cpu *cpu);
/* Behind that: the current EC takes over what is nobody's, in the same way. There is some. */
void unfinished_take_orphans(struct cpu *cpu);
/* For CONT_UNFINISHED: returns when the EC can go on, else to the dispatcher. */
void unfinished_resume(struct cpu *cpu, struct ec *ec);

/* What was run at the end of a call chain, which has lost an SC or is about to be cut, may not run again: what that
 * EC has not dismantled is for whoever is current at the CPU's next way out, and its revocation refers to no object,
 * which may refer to the EC. */
void unfinished_disown_slow(struct cpu *cpu, struct unfinished *u);
static always_inline void unfinished_disown(struct cpu *cpu, struct unfinished *u)
{
	if (unlikely(u->revocation.object || !list_empty(&u->dying)))
		unfinished_disown_slow(cpu, u);
}
/* False: an EC that ends leaves something to unfinished_bury(). */
static always_inline bool unfinished_is_over(const struct unfinished *u)
{
	return space_obj_revoke_is_over(&u->revocation) && space_obj_delegate_is_over(&u->delegation);
}
/* The object, which waits in cpu->dying, is for whoever is current at the next way out. */
void unfinished_make_orphan(struct cpu *cpu, struct kobject *o);

/*
 * Memory is short (rcu_expedite()): it may be long until ECs run again that keep objects, so whoever waits for memory
 * takes these over. Asks all other CPUs, by a work item, for such objects and for orphans, and gives those of this
 * CPU. unfinished_adopt() brings what was given to cpu->dying, until unfinished_has_adopted() others wait for that.
 */
bool unfinished_is_kept_anywhere(void) must_check;
void unfinished_ask_for_objects(struct cpu *cpu);
bool unfinished_is_asked(unsigned n) must_check;
void unfinished_adopt(struct cpu *cpu);
void unfinished_has_adopted(struct cpu *cpu);
bool unfinished_adopts(unsigned n) must_check;

/* An EC ends: a piece of what it has left. False: there is no more. */
bool unfinished_bury(struct ec *ec) must_check;
