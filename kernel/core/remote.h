/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work for another CPU. What belongs to a CPU is touched by it alone; others send it work items, in a lock-free list
 * that many push to and the owner takes as a whole, in the order of arrival. Whoever finds the list empty signals;
 * the others rely on him. The algorithm is modelled in tests/model/mailbox.pml.
 */
#pragma once

#include "space/kobject.h"

struct cpu;

struct mailbox {
	struct work *newest; /* linked to older ones through `next` */
};

/* True if the mailbox was empty: the owner has to be told. */
static always_inline bool mailbox_push(struct mailbox *m, struct work *w)
{
	struct work *head = __atomic_load_n(&m->newest, __ATOMIC_RELAXED);
	do
		w->next = head;
	while (!__atomic_compare_exchange_n(&m->newest, &head, w, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return !head;
}

/* All work items, oldest first. Only the owner may. */
static always_inline struct work *mailbox_take(struct mailbox *m)
{
	struct work *w = __atomic_exchange_n(&m->newest, NULL, __ATOMIC_ACQUIRE), *oldest = NULL;
	while (w) {
		struct work *next = w->next;
		w->next = oldest;
		oldest = w;
		w = next;
	}
	return oldest;
}

/* fn(w) runs on that CPU soon, on its way out of the kernel or out of user code. */
void remote_call(unsigned cpu_id, struct work *w, void (*fn)(struct work *));

/* The owner does what it was sent. */
void remote_take(struct cpu *cpu);
