/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages in a UTCB, and the capability range descriptors (CRDs) that their typed items and hypercalls name. */
#pragma once

#include "rt/hypercall.h"
#include "rt/size.h"

/* The UTCB of main(). Other ECs know theirs as rt_ec.utcb. */
static inline struct utcb *rt_utcb(void)
{
	return (struct utcb *)HEDRON_ROOT_UTCB;
}

/* Sets how many untyped words and typed items the message has. */
static inline void rt_msg(struct utcb *u, unsigned words, unsigned items)
{
	u->items = words | (uint64_t)items << 16;
}

static inline unsigned rt_msg_words(const struct utcb *u)
{
	return u->items & 0xffff;
}

static inline unsigned rt_msg_items(const struct utcb *u)
{
	return u->items >> 16 & 0xffff;
}

/* Sets typed item `n`; `meta` is made of ITEM_*. */
static inline void rt_item(struct utcb *u, unsigned n, crd_t crd, unsigned long meta)
{
	*UTCB_TYPED(u, n) = (struct utcb_item){crd, meta};
}

/* CRDs of 2^order capabilities, pages from an address on, I/O ports. */
static inline crd_t rt_obj(sel_t sel, unsigned order, unsigned perm)
{
	return crd_make(CRD_OBJ, sel, order, perm);
}

static inline crd_t rt_mem(uint64_t va, unsigned order, unsigned perm)
{
	return crd_make(CRD_MEM, va / RT_PAGE, order, perm);
}

static inline crd_t rt_pio(uint16_t port, unsigned order)
{
	return crd_make(CRD_PIO, port, order, PERM_PIO_A);
}

#define RT_MEM_RW (PERM_MEM_R | PERM_MEM_W)
#define RT_MEM_RWX (RT_MEM_RW | PERM_MEM_X)
