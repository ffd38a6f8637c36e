/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fast path: call and reply between ECs of one CPU. Whatever is out of the ordinary leaves through a cold
 * function below. Locking: none; both ECs belong to this CPU. Lifetime: no references are taken; the portal and its
 * EC cannot be freed before this CPU is back in user mode (core/rcu.h).
 */
#include "core/ipc.h"

#include "arch/switch.h"
#include "core/dispatch.h"
#include "core/exception.h"
#include "core/pt.h"
#include "core/scarce.h"
#include "core/sm.h"
#include "lib/bits.h"
#include "lib/nospec.h"
#include "platform/console.h"
#include "space/delegate.h"
#include "space/space_obj.h"
#include "trace/trace.h"

static cold struct ec *call_slow(u64 arg1, struct ec *self, struct cpu *cpu, struct pt *pt);
static cold struct ec *call_fail(struct ec *self, enum status s);
static keep_arguments struct ec *send_and_switch_slow(u64 arg1, struct ec *to, u64 unused3, u64 items,
						      struct cpu *cpu, struct ec *from);
static keep_arguments struct ec *send_items_and_switch(u64 unused1, struct ec *to, u64 unused3, u64 items,
						       struct cpu *cpu, struct ec *from);

/* Up to so many words are copied by a loop, which is done before REP MOVSQ would have started. */
#define SHORT_WORDS 24

static always_inline void copy_words(struct ec *from, struct ec *to, u64 items)
{
	u64 n = nospec_byte(items); /* stays inside of the UTCB even if the branch before was mispredicted */
	u64 *dst = to->utcb->words;
	const u64 *src = from->utcb->words;
	if (n & 1) {
		n--;
		dst[n] = READ_ONCE(src[n]);
	}
	for (; n; n -= 2) {
		dst[n - 1] = READ_ONCE(src[n - 1]);
		dst[n - 2] = READ_ONCE(src[n - 2]);
	}
}

/*
 * Copies the message, then switches. A message without words and items is just its header. The unlikely parts come
 * last, so that they are jumps and the fast path keeps everything in registers that need not be saved.
 */
static always_inline struct ec *send_and_switch(u64 arg1, u64 unused3, struct cpu *cpu, struct ec *from,
						struct ec *to)
{
	u64 items = READ_ONCE(from->utcb->items);
	to->utcb->items = items;
	if (unlikely((u32)items)) {
		if ((u32)items > SHORT_WORDS) /* or typed items, whose number is above */
			return send_and_switch_slow(arg1, to, unused3, items, cpu, from);
		copy_words(from, to, items);
	}
	return arch_ec_switch(cpu, from, to);
}

struct ec *ipc_call(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self)
{
	(void)unused2, (void)unused4;

	/* Look up */
	struct pt *pt = (struct pt *)cap_lookup_or_nothing(arg1 >> 12, KOBJ_PT, PERM_PT_CALL);
	struct ec *callee = pt->callee;

	/* Check: a portal; its EC is here, alive and idle */
	if (unlikely(!ec_is_idle_here(cpu, callee)))
		return call_slow(arg1, self, cpu, pt);

	/* Commit: nothing fails or blocks from here on */
	callee->caller = self;
	self->callee = callee;
	callee->regs.rip = pt->rip;
	callee->regs.rdi = READ_ONCE(pt->id);

	/* Switch */
	return send_and_switch(arg1, unused3, cpu, self, callee);
}

struct ec *ipc_reply(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self)
{
	/* Check: a plain reply by an EC in a plain call */
	if (unlikely(bits_any(&self->special)))
		return exception_reply(arg1, unused2, unused3, unused4, cpu, self);
	if (unlikely(arg1 > 0xfff))
		return ipc_reply_slow(arg1, unused2, unused3, unused4, cpu, self);
	struct ec *caller = self->caller;

	/* Commit */
	self->caller = cpu->idle_ec;
	caller->callee = NULL;
	caller->regs.rdi = SUCCESS;

	/* Switch */
	return send_and_switch(arg1, unused3, cpu, self, caller);
}

static always_inline void copy_many_words(struct ec *from, struct ec *to, u64 items)
{
	u64 *dst = to->utcb->words;
	const u64 *src = from->utcb->words;
	u64 n = min_u64(items & 0xffff, UTCB_WORDS_MAX);

	__asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(n) : : "memory");
}

/* The EC that was called goes on with the items when it is chosen: ipc_take_items(). */
static noinline struct ec *call_interrupted(struct cpu *cpu, struct ec *to)
{
	to->cont = CONT_ITEMS;
	hazard_set(cpu, HAZARD_SCHED);
	arch_dispatch();
}

/* As if the reply was still to be made: that is what happens when the EC is chosen again. */
static noinline struct ec *reply_interrupted(u64 arg1, struct cpu *cpu, struct ec *self, struct ec *caller)
{
	self->caller = caller;
	caller->callee = self;
	self->regs.rdi = arg1;
	self->cont = CONT_REPLY;
	hazard_set(cpu, HAZARD_SCHED);
	arch_dispatch();
}

static keep_arguments struct ec *send_and_switch_slow(u64 arg1, struct ec *to, u64 unused3, u64 items,
						      struct cpu *cpu, struct ec *from)
{
	if (unlikely((u32)items >> 16))
		return send_items_and_switch(arg1, to, unused3, items, cpu, from);
	copy_many_words(from, to, items);
	return arch_ec_switch(cpu, from, to);
}

/* A typed item has found no memory: that is waited for when its owner is the current EC and can be left at any time,
 * because others may end it or the other EC meanwhile. Then it goes on as if it had been interrupted. */
static void await_memory(struct cpu *cpu, struct ec *self, struct pd *pd)
{
	if (scarce_await(cpu, &self->unfinished, pd) != SCARCE_LATER && !ec_is_dead(self))
		return;
	hazard_set(cpu, HAZARD_SCHED);
	arch_dispatch();
}

/*
 * For CONT_ITEMS: a call has brought typed items that are not all taken yet. If the caller has gone the rest is
 * nothing.
 */
void ipc_take_items(struct cpu *cpu, struct ec *self)
{
	if (unlikely(self->unfinished.scarce) && self->caller)
		await_memory(cpu, self, self->pd);
	struct utcb *utcb = self->utcb;
	u64 n = min_u64(utcb->items >> 16 & 0xffff, UTCB_ITEMS_MAX);

	if (!self->caller) {
		for (u64 i = self->unfinished.item; i < n; i++)
			*UTCB_TYPED(utcb, i) = (struct utcb_item){0, 0};
		unfinished_drop_items(&self->unfinished);
	} else if (!ipc_transfer_items(self->caller, self, utcb->items, utcb->xlt, utcb->del, utcb)) {
		call_interrupted(cpu, self);
	}
	self->cont = CONT_SYSRET;
}

/* Of a message that is under way: who answers the call. He is not idle, and goes on with items that are left. */
static struct ec *owner_of_items(struct ec *from, struct ec *to)
{
	return from->callee == to ? to : from;
}

/* There is no memory for an item. True: it arrives as nothing. False: memory is sought first; but not again if it was
 * sought in vain (`lost`) just before. */
static bool is_lost(struct ec *owner, struct ec *to, bool lost)
{
	if (!lost && scarce_seek(&owner->unfinished, owner, to->pd))
		return false;
	scarce_end(&owner->unfinished);
	return true;
}

/* An item of an answer to an exception was lost: the EC would just have the same one again. */
static void kill_for_memory(struct ec *ec)
{
	log_user("killed EC: no memory for the answer to its exception at rip %#lx, cr2 %#lx", ec->regs.rip,
		 ec->regs.cr2);
	ec_kill(ec);
}

static void lose_item(struct ec *to, struct utcb_item *result)
{
	if (result)
		result->crd = 0;
	else
		kill_for_memory(to);
}

/* Item n was not transferred. False: it will be tried again. */
static cold bool item_failed(struct ec *from, struct ec *to, u64 n, enum status s, struct utcb_item *result,
			     bool lost)
{
	struct ec *owner = owner_of_items(from, to);

	result->crd = 0;
	if (s != OOM || is_lost(owner, to, lost))
		return true;
	owner->unfinished.item = (u32)n + 1;
	return false;
}

/* There are hazards after item n, or it is only begun: its delegation, which is done here at the cost of the owner.
 * False: the CPU is wanted, or there is no memory, and what is left is for later. `result` is NULL in an answer to an
 * exception. */
static noinline bool after_item(struct ec *from, struct ec *to, u64 n, struct utcb_item *result, bool lost)
{
	struct cpu *cpu = cpu_current();
	struct ec *owner = owner_of_items(from, to);
	struct unfinished *u = &owner->unfinished;

	if (cpu->hazard & HAZARD_UNFINISHED && cpu->ec != owner)
		unfinished_hand_over(cpu->ec, owner);
	enum status s = unfinished_delegate_item(cpu, u);
	if (s == OOM && is_lost(owner, to, lost)) {
		space_obj_delegate_drop(&u->delegation);
		lose_item(to, result);
		s = SUCCESS;
	}
	if (s == SUCCESS && !unfinished_wanted(cpu))
		return true;
	u->item = (u32)n + 1;
	return false;
}

/* From item `at` on. Other CPUs may write to the sender's UTCB meanwhile, so each word is read once. */
static always_inline bool transfer_items(struct ec *from, struct ec *to, u64 items, u64 xlt, u64 del,
					 struct utcb *results, u64 at, bool lost)
{
	const struct cpu *cpu = cpu_current();
	u64 n = min_u64(items >> 16 & 0xffff, UTCB_ITEMS_MAX);
	struct utcb_item *item = UTCB_TYPED(from->utcb, at), *end = UTCB_TYPED(from->utcb, n);
	struct utcb_item unused, *result = results ? UTCB_TYPED(results, at) : &unused;
	struct pd *src = from->pd, *dst = to->pd;

	for (; item > end; item--) {
		struct utcb_item in = {READ_ONCE(item->crd), READ_ONCE(item->meta)};
		enum status s = delegate_item(src, dst, in, xlt, del, result);
		if (unlikely(s != SUCCESS) &&
		    !item_failed(from, to, (u64)(UTCB_TYPED(from->utcb, 0) - item), s, result, lost))
			return false;
		if (unlikely(cpu->hazard) &&
		    !after_item(from, to, (u64)(UTCB_TYPED(from->utcb, 0) - item), results ? result : NULL, lost))
			return false;
		if (results)
			result--;
	}
	return true;
}

enum item_end {
	ITEM_LATER,
	ITEM_DONE,
	ITEM_LOST,
};

/* Item n has found no memory, which has been waited for. */
static enum item_end try_again(struct ec *from, struct ec *to, u64 xlt, u64 del, struct utcb_item *result, u64 n)
{
	struct ec *owner = owner_of_items(from, to);
	struct unfinished *u = &owner->unfinished;
	const struct utcb_item *item = UTCB_TYPED(from->utcb, n);
	struct utcb_item in = {READ_ONCE(item->crd), READ_ONCE(item->meta)};
	bool whole = space_obj_delegate_is_over(&u->delegation);
	enum status s = whole ? delegate_item(from->pd, to->pd, in, xlt, del, result)
			      : space_obj_delegate_step(&u->delegation);

	if (s != OOM) {
		scarce_end(u);
		if (s != SUCCESS && result)
			result->crd = 0;
		return ITEM_DONE;
	}
	if (!is_lost(owner, to, false))
		return ITEM_LATER;
	if (!whole)
		space_obj_delegate_drop(&u->delegation);
	lose_item(to, result);
	return ITEM_LOST;
}

/* The rest of item n, after which it was interrupted. */
static noinline enum item_end finish_item(struct ec *from, struct ec *to, u64 xlt, u64 del, struct utcb_item *result,
					  u64 n)
{
	struct unfinished *u = &owner_of_items(from, to)->unfinished;
	enum item_end end = u->scarce ? try_again(from, to, xlt, del, result, n) : ITEM_DONE;

	if (end == ITEM_LATER)
		u->item = (u32)n + 1;
	else if (!space_obj_delegate_is_over(&u->delegation) && !after_item(from, to, n, result, false))
		end = ITEM_LATER;
	return end;
}

bool ipc_transfer_items(struct ec *from, struct ec *to, u64 items, u64 xlt, u64 del, struct utcb *results)
{
	struct unfinished *u = &owner_of_items(from, to)->unfinished;
	enum item_end before = ITEM_DONE;
	u64 at = u->item;

	u->item = 0;
	if (unlikely(at)) {
		before = finish_item(from, to, xlt, del, results ? UTCB_TYPED(results, at - 1) : NULL, at - 1);
		if (before == ITEM_LATER)
			return false;
	}
	return transfer_items(from, to, items, xlt, del, results, at, before == ITEM_LOST);
}

/* A reply without a semaphore, or a call. */
static keep_arguments struct ec *send_items_and_switch(u64 unused1, struct ec *to, u64 unused3, u64 items,
						       struct cpu *cpu, struct ec *from)
{
	struct utcb *utcb = to->utcb;

	(void)unused1, (void)unused3;
	if (!utcb)
		unreachable(); /* saves a test of each result */
	copy_many_words(from, to, items);
	if (unlikely(!transfer_items(from, to, items, utcb->xlt, utcb->del, utcb, 0, false)))
		return from->callee == to ? call_interrupted(cpu, to) : reply_interrupted(0, cpu, from, to);
	return arch_ec_switch(cpu, from, to);
}

static cold struct ec *call_fail(struct ec *self, enum status s)
{
	self->regs.rdi = s;
	return self;
}

static cold struct ec *call_slow(u64 arg1, struct ec *self, struct cpu *cpu, struct pt *pt)
{
	struct ec *callee = pt->ec;
	if (kobject_is_nothing(&pt->obj))
		return call_fail(self, BAD_CAP);
	if (callee->cpu_id != cpu->id)
		return call_fail(self, BAD_CPU);
	if (ec_is_dead(callee))
		return call_fail(self, TIMEOUT);
	if (ec_is_idle_here(cpu, callee) && !arch_is_canonical(pt->rip)) {
		log_user("killed EC: portal entry %#lx is not canonical", pt->rip);
		ec_kill(callee);
		return call_fail(self, ABORT);
	}
	if (arg1 >> 8 & CALL_NONBLOCK)
		return call_fail(self, TIMEOUT);
	self->regs.rdi = arg1;
	self->cont = CONT_CALL;
	ipc_help(cpu, self, callee);
}

void ipc_help(struct cpu *cpu, struct ec *self, struct ec *busy)
{
	if (ec_chain_end(busy) == self) {
		log_user("killed EC: its call at %#lx would wait for itself", self->regs.rip);
		ec_kill(self);
	} else {
		TRACE(HELP, 0, self, busy);
		ec_help(self, busy);
	}
	hazard_set(cpu, HAZARD_SCHED);
	arch_dispatch();
}

void ipc_finish_reply(struct cpu *cpu, struct ec *self)
{
	struct ec *caller = self->caller;
	if (caller)
		caller->callee = NULL;
	self->caller = cpu->idle_ec;
	self->special &= ~(EC_EXCEPTION | EC_ORPHAN);
	(void)ec_release_helpers(self);
}

/* A reply that nobody waits for. A global EC never has a caller: it stops for good, and its SC with it. A local one
 * has lost its caller, and is idle again. */
static void reply_nowhere(struct cpu *cpu, struct ec *self)
{
	unfinished_drop_items(&self->unfinished);
	if (ec_is_global(self))
		self->special |= EC_DETACHED;
	else
		ipc_finish_reply(cpu, self);
}

struct ec *ipc_reply_slow(u64 arg1, u64 unused2, u64 unused3, u64 unused4, struct cpu *cpu, struct ec *self)
{
	(void)unused2, (void)unused3, (void)unused4;
	struct sm *sm = NULL;
	bool again = self->unfinished.item, lost = false;
	if (arg1 >> 12) {
		sm = (struct sm *)cap_lookup_object(arg1 >> 12, KOBJ_SM, PERM_SM_DOWN);
		lost = !sm;
		if (lost && !again)
			return call_fail(self, BAD_CAP);
	}

	struct ec *caller = ec_is_global(self) ? NULL : self->caller;
	self->cont = CONT_SYSRET;
	if (!caller) {
		reply_nowhere(cpu, self);
	} else if (self->special & EC_EXCEPTION) {
		if (!exception_take_reply(cpu, self, caller))
			reply_interrupted(arg1, cpu, self, caller);
	} else {
		u64 items = READ_ONCE(self->utcb->items);
		caller->utcb->items = items;
		copy_many_words(self, caller, items);
		if ((u32)items >> 16 &&
		    !ipc_transfer_items(self, caller, items, caller->utcb->xlt, caller->utcb->del, caller->utcb))
			reply_interrupted(arg1, cpu, self, caller);
		caller->regs.rdi = SUCCESS;
		caller->cont = CONT_SYSRET;
		ipc_finish_reply(cpu, self);
	}
	if (caller && !ec_is_dead(caller) && (lost || (sm && sm_down(sm, caller) != SUCCESS)))
		ec_set_status(caller, BAD_CAP); /* the semaphore has ended meanwhile */

	hazard_set(cpu, HAZARD_SCHED);
	arch_dispatch();
}

struct ec *ipc_resume_reply(struct cpu *cpu, struct ec *self)
{
	if (self->unfinished.scarce && self->caller)
		await_memory(cpu, self, self->caller->pd);
	return ipc_reply_slow(self->regs.rdi, 0, 0, 0, cpu, self);
}
