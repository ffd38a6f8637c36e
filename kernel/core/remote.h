/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work for another CPU. What belongs to a CPU is touched by it alone; others send it work items: a lock-free list
 * that all CPUs push to and the owner takes as a whole, in the order of arrival. The sender that finds the list empty
 * signals the owner, the others need not. Work items are taken for HAZARD_REMOTE, in core/dispatch.c. The algorithm
 * is modelled in tests/model/mailbox.pml.
 *
 * The owner does all of them at once, so their number is bounded: whoever sends one more than REMOTE_CROWD that are
 * not taken yet waits, in pieces and at his own cost, until they are (core/unfinished.h). It was sent all the same.
 */
#pragma once

#include "space/kobject.h"

struct cpu;

struct mailbox {
	struct work *newest; /* linked to older ones through `next` */
	/* How many came behind others, about: one that comes while the owner takes them may count or not. Atomic */
	u32 crowd;
};

/* tests/interleave has a smaller number. */
#ifndef REMOTE_CROWD
#define REMOTE_CROWD 16
#endif

/* True if the mailbox was empty: the owner has to be told. */
static always_inline bool mailbox_push(struct mailbox *m, struct work *w)
{
	struct work *head = __atomic_load_n(&m->newest, __ATOMIC_RELAXED);
	do
		w->next = head;
	while (!__atomic_compare_exchange_n(&m->newest, &head, w, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return !head;
}

/* All work items, newest first. Only the owner may. */
static always_inline struct work *mailbox_take(struct mailbox *m)
{
	struct work *w = __atomic_exchange_n(&m->newest, NULL, __ATOMIC_ACQUIRE);
	__atomic_store_n(&m->crowd, 0, __ATOMIC_RELAXED);
	return w;
}

/* The same, oldest first. */
static inline struct work *mailbox_reverse(struct work *w)
{
	struct work *oldest = NULL;
	while (w) {
		struct work *next = w->next;
		w->next = oldest;
		oldest = w;
		w = next;
	}
	return oldest;
}

/* Has fn(w) called on that CPU, on its way out of the kernel, into which it is brought if it is in user mode or a
 * guest. `w` must not be in a list; what it lies in must live until then. */
void remote_call(unsigned cpu_id, struct work *w, void (*fn)(struct work *));

/* Does the work items that were sent to this CPU. */
void remote_take(struct cpu *cpu);

/* Whether that CPU has so many work items to take that those who send them are to wait. */
bool remote_is_crowded(unsigned cpu_id) must_check;
