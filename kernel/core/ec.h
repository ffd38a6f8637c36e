/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Execution context: a thread. Global ECs run when one of their SCs is chosen; local ECs run when a portal is called.
 *
 * Edges of a call chain: `callee` is the EC that this one waits for, because it has called it, or because it helps it
 * (lends it its SC until it has replied); `caller` is the EC whose call this one answers. A local EC that waits for a
 * message has the idle EC of its CPU as its caller, so that one comparison tells `call` that it is on this CPU, alive
 * and idle (ec_is_idle_here()).
 *
 * Locking: each group of fields says who may touch it; "its CPU" is the owner CPU, `cpu_id`, which needs no lock.
 * Lifetime: PT and SC refer to it, it refers to its PD.
 */
#pragma once

#include "core/dispatch.h"
#include "core/regs.h"
#include "core/sc.h"
#include "core/unfinished.h"
#include "space/kobject.h"

#include <hedron/utcb.h>

struct cpu;
struct pd;
struct sm;
struct vcpu;

/* How an EC that is not running goes on. Calls and replies do not write it: a reply switches to its caller itself. */
enum ec_cont {
	CONT_SYSRET,  /* returns from its hypercall, which may lose RCX and R11 */
	CONT_IRET,    /* returns from a trap, with all of its registers */
	CONT_STARTUP, /* raise the startup event */
	CONT_CALL,    /* start the call in regs.rdi again */
	CONT_EVENT,   /* raise event `event` again: its handler was busy */
	CONT_VCPU,    /* enter the guest of `vcpu` */
	CONT_IDLE,    /* the idle EC's: the CPU sleeps */
	/* what was interrupted, in dispatch.c: resume_interrupted() */
	CONT_REPLY,      /* start the reply in regs.rdi again, from typed item `unfinished.item` on */
	CONT_DIE,        /* be killed: its exception has no answer */
	CONT_ITEMS,      /* take the rest of the typed items that a call has brought, then run */
	CONT_UNFINISHED, /* do what is left in `unfinished` first */
};

/* What takes a reply of this EC, or the choice of it, off the fast path. Zero: a local EC that answers a plain call.
 */
enum ec_special {
	EC_GLOBAL = 1 << 0,    /* constant */
	EC_EXCEPTION = 1 << 1, /* the caller waits in an exception, not in a call */
	EC_HELPED = 1 << 2,    /* `helpers` is not empty: somebody lends an SC, or is to start the call again */
	EC_ORPHAN = 1 << 3,    /* the caller was destroyed */
	EC_DEAD = 1 << 4,      /* killed; never runs again */
	EC_BLOCKED = 1 << 5,   /* waits on a semaphore */
	EC_DETACHED = 1 << 6,  /* replied with nobody waiting: its SCs are parked for good */
};

/*
 * What an EC is at, as its CPU sees it:
 *
 *           calls, or has an exception             the callee replies
 *   runs  ------------------------------> waits  -----------------------+
 *    ^ |    down of an empty semaphore                  an up           |
 *    | +------------------------------> EC_BLOCKED ---------------------+
 *    | |    calls a busy EC                        that one replies     |
 *    | +------------------------------>  helps  ------------------------+
 *    | |    replies, local                            a call            |
 *    | +------------------------------>  idle  -------------------------+
 *    | |    replies, global                                             |
 *    | +------------------------------> EC_DETACHED, for good           |
 *    |                                                                  |
 *    +--- call or reply switch to it, or the dispatcher chooses it -----+
 *
 *   any  -- ec_kill() -->  EC_DEAD: never runs again, and is freed with the last reference
 *
 * Fields are in groups under who may touch them.
 */
struct ec {
	struct kobject obj;

	/* its CPU's: what goes on in user mode, while it is not running */
	struct regs regs;
	u64 fs_base, gs_base;

	/* immutable after create */
	struct utcb *utcb; /* kernel address */

	/* its CPU's: the call chain */
	struct ec *caller, *callee;

	/* immutable after create */
	struct pd *pd;
	void *fpu; /* XSAVE area */

	/* its CPU's: how it goes on */
	const void *fpu_load; /* extended state to continue with: `fpu`, or the initial one */
	bool helping;         /* `callee` is helped, not called */
	u8 cont;              /* enum ec_cont */
	u8 event;             /* of CONT_EVENT */
	bool several;         /* SCs are parked in `parked_more` */
	u32 special;          /* enum ec_special */

	/* immutable after create */
	u32 cpu_id, event_base;

	/* its CPU's: who waits for it, and what it runs */
	struct list helpers;     /* ECs that help this one */
	struct list helper_link; /* in callee->helpers */
	struct list parked;      /* the SC that waits until this EC can run, if it is only one */
	struct list parked_more; /* if they are several: the first of each priority, the highest priority first */

	/* guarded by the lock of the semaphore that it waits on; its CPU reads `sm` without the lock */
	struct list sm_link; /* in sm->waiters */
	struct sm *sm;       /* NULL: it is in no queue */

	/* its CPU's */
	struct vcpu *vcpu; /* the one whose run is in progress, or NULL */

	/* immutable after create */
	u64 utcb_va;        /* user address of the UTCB, 0 if none */
	struct pd *utcb_pd; /* where; referenced */

	/* written by the CPU that wakes it, if that is not its own; read by its CPU when the work item arrives */
	struct work wake; /* the work item */
	u32 wake_status;  /* of the hypercall that it waits in */

	/* its CPU's: what it is not through with */
	struct unfinished unfinished;
};

struct ec_config {
	struct pd *pd, *utcb_pd;
	u64 utcb_va, rsp;
	u32 cpu_id, event_base;
	bool global;
};

enum status ec_create(const struct ec_config *cfg, struct ec **out) must_check;
void ec_init_caches(u32 fpu_size);
/* The EC that stands for "nothing to do" on a CPU. */
struct ec *ec_create_idle(struct pd *kernel, unsigned cpu_id) must_check;
/* The last capability is gone: user land loses the UTCB. */
void ec_unmap_utcb(struct ec *ec);
/* The last reference is gone: takes it out of call chains and queues, on its CPU. */
void ec_retire(struct ec *ec);
/* Frees the memory, a grace period later. */
void ec_free(struct ec *ec);

/*
 * Ends the EC for good: its caller's call ends with ABORT (a caller that waits in an exception dies, too, at the
 * latest when it is chosen), whoever it called goes on without a caller. It may be the current one; then HAZARD_SCHED
 * sees to the rest.
 */
void ec_kill(struct ec *ec);

/* The current SC, whose call chain ends in this EC, waits until the EC can run again. If the EC is dead that is until
 * the SC is destroyed. */
static always_inline void ec_park_current(struct cpu *cpu, struct ec *ec)
{
	struct sc *sc = cpu->sc;
	dispatch_drop_current(cpu);
	sc->state = SC_PARKED;
	list_push_tail(&ec->parked, &sc->link);
}

/* Puts an EC of this CPU to sleep. If it is the current one its SC is parked here, so that the dispatcher need not
 * look at the EC. */
static always_inline void ec_block(struct cpu *cpu, struct ec *ec)
{
	ec->special |= EC_BLOCKED;
	if (likely(ec == cpu->ec))
		ec_park_current(cpu, ec);
	hazard_set(cpu, HAZARD_SCHED);
}

/* The same for an EC that others may wait for already. */
void ec_park_another(struct cpu *cpu, struct ec *ec);

void ec_unpark_slow(struct cpu *cpu, struct ec *ec);

/* The SCs that wait for this EC become ready; whom they run is found when they are chosen. Usually there is one. */
static always_inline void ec_unpark(struct cpu *cpu, struct ec *ec)
{
	struct list *first = ec->parked.next;
	if (likely(first->next == &ec->parked) && likely(first != &ec->parked)) {
		list_init(&ec->parked);
		dispatch_ready(cpu, container_of(first, struct sc, link));
	} else {
		ec_unpark_slow(cpu, ec);
	}
}

/* Sets the status of its hypercall, if it is in one. An EC that waits on the semaphore that the reply to its
 * exception named is in none: there RDI is the program's. */
static always_inline void ec_set_status(struct ec *ec, u32 status)
{
	if (likely(ec->cont == CONT_SYSRET))
		ec->regs.rdi = status;
}

static always_inline void ec_wake_here(struct cpu *cpu, struct ec *ec, u32 status)
{
	ec->special &= ~EC_BLOCKED;
	ec_set_status(ec, status);
	ec_unpark(cpu, ec);
}

void ec_wake_slow(struct ec *ec, enum status s);

/* Wakes an EC of any CPU, with this status for its hypercall. On another CPU it takes effect when the work item is
 * taken there. */
static always_inline void ec_wake(struct cpu *cpu, struct ec *ec, enum status s)
{
	if (likely(ec->cpu_id == cpu->id))
		ec_wake_here(cpu, ec, s);
	else
		ec_wake_slow(ec, s);
}

/* Whether the EC is on this CPU, alive, and waits for a message: in no other case is its caller the CPU's idle EC. */
static always_inline bool ec_is_idle_here(const struct cpu *cpu, const struct ec *ec)
{
	return ec->caller == cpu->idle_ec;
}

/* ec_help(): `helper` lends its SC to `busy`. ec_unhelp() ends that. */
void ec_help(struct ec *helper, struct ec *busy);
void ec_unhelp(struct ec *helper);
/*
 * `busy` has answered, or ends: does so for some helpers. True: there are more. They stay where they are until they
 * are chosen (dispatch.c); if it is called again meanwhile they help it again, as they would if they had started
 * their calls again.
 */
bool ec_release_helpers(struct ec *busy);

/*
 * A chain may be longer, or even lead back to itself, until an SC is chosen that leads so far: then it is cut there
 * (ec_cut_chain()). So whatever follows chains need not go farther.
 */
#define EC_CHAIN_MAX 128

/* The EC at the end of the call chain that starts here: the one that an SC bound to `ec` runs. It still has a callee
 * if the chain is too long. */
static always_inline struct ec *ec_chain_end(struct ec *ec)
{
	if (unlikely(ec->callee != NULL))
		for (unsigned left = EC_CHAIN_MAX; left && ec->callee; left--)
			ec = ec->callee;
	return ec;
}

/* Ends the call that the EC waits in with ABORT. In an exception, or if it is to start one again, it dies. Whoever it
 * called goes on without a caller. */
void ec_cut_chain(struct cpu *cpu, struct ec *ec);

static always_inline bool ec_is_global(const struct ec *ec)
{
	return ec->special & EC_GLOBAL;
}
static always_inline bool ec_is_dead(const struct ec *ec)
{
	return ec->special & EC_DEAD;
}

/* Whether its end takes long: it is still helped, or in the middle of a hypercall. */
static always_inline bool ec_leaves_much(const struct ec *ec)
{
	return ec->special & EC_HELPED || !unfinished_is_over(&ec->unfinished);
}
