/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of I/O ports: the nodes that space_pio (what PDs do with ports) and pio_cut (how a range falls into parts)
 * work on. A range is in the search tree of its PD, by base, and in the mapping tree of all ports.
 *
 * Locking: the caller holds the lock of all ports (space/space_pio.h).
 */
#pragma once

#include "lib/avl.h"
#include "space/block.h"
#include "space/mdb.h"

#include <hedron/abi.h>

struct pd;
struct space_pio;

struct pio_node {
	struct mdb_node node;
	struct avl_node avl; /* the key is the base */
	struct pd *pd;
	struct pio_node *parts; /* what remains while the range is cut, linked through `parts`; else NULL */
	u8 order;
	u8 where; /* enum pio_where */
};

static always_inline struct pio_node *pio_range_of_avl(struct avl_node *n)
{
	return n ? container_of(n, struct pio_node, avl) : NULL;
}

static always_inline struct pio_node *pio_range_of_mdb(struct mdb_node *n)
{
	return container_of(n, struct pio_node, node);
}

static always_inline struct block pio_range_block(const struct pio_node *n)
{
	return (struct block){n->avl.key, n->order};
}

/* Boot time. */
void pio_range_boot(void);

/* The range that covers the port, or NULL; the first range that covers it or one above. */
struct pio_node *pio_range_at(const struct space_pio *sp, u64 port);
struct pio_node *pio_range_from(const struct space_pio *sp, u64 port);

/* Nodes allocated before anything is changed, linked through `parts`. OOM: *spares is empty. */
enum status pio_range_reserve(struct pio_node **spares, u64 count) must_check;
struct pio_node *pio_range_take(struct pio_node **spares);
void pio_range_release(struct pio_node *n);

/* A new range of pd's space. Bitmaps and mapping tree are the caller's business. */
void pio_range_insert(struct pio_node *n, struct pd *pd, struct block r, unsigned where);

/* Sets or clears the ports of r in the bitmaps n is mapped in. */
void pio_range_deny(const struct pio_node *n, struct block r, bool deny);

/* Takes a range out of its space and frees it; it is in no mapping tree any more. */
void pio_range_free(struct pio_node *n);

/* Frees all that was derived from `top`, and with `self` top. */
void pio_range_drop_below(struct pio_node *top, bool self);
