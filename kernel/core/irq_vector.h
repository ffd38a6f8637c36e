/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vectors of one CPU. They are given out in turn, so that one that was given back rests for as long as possible.
 */
#pragma once

#include "lib/types.h"

#include <hedron/irq.h>

struct irq;

#define IRQ_VECTOR_NONE IRQ_VECTORS

struct irq_vectors {
	struct irq *source[IRQ_VECTORS]; /* written under irq_lock, atomic; read by the CPU they are of */
	unsigned next;                   /* where the search begins; guarded by irq_lock */
};

/* Takes a free one for `source`; IRQ_VECTOR_NONE if there is none. */
static inline unsigned irq_vector_take(struct irq_vectors *v, struct irq *source)
{
	for (unsigned i = 0; i < IRQ_VECTORS; i++) {
		unsigned n = (v->next + i) % IRQ_VECTORS;
		if (v->source[n])
			continue;
		__atomic_store_n(&v->source[n], source, __ATOMIC_RELEASE);
		v->next = (n + 1) % IRQ_VECTORS;
		return n;
	}
	return IRQ_VECTOR_NONE;
}

static inline void irq_vector_give(struct irq_vectors *v, unsigned n)
{
	__atomic_store_n(&v->source[n], NULL, __ATOMIC_RELEASE);
}

static inline struct irq *irq_vector_source(const struct irq_vectors *v, unsigned n)
{
	return n < IRQ_VECTORS ? __atomic_load_n(&v->source[n], __ATOMIC_ACQUIRE) : NULL;
}
