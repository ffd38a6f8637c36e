/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of I/O ports: the nodes that space_pio (what PDs do with ports) and pio_cut (how ports are taken away) work
 * on. A range is in two search trees: among those that its PD holds, and among those that its source has given.
 *
 * A PD holds a port once, and a range lies in one range of its source. So `source` and the base say which range it is
 * derived from, and that one can fall into parts without a change to those derived from it.
 *
 * Locking: a port space's lock guards the two trees in it; whoever inserts, changes or removes a range holds the
 * locks of its PD's and its source's space.
 */
#pragma once

#include "lib/avl.h"
#include "space/block.h"

#include <hedron/abi.h>

struct pd;
struct space_pio;

struct pio_node {
	struct avl_node held;   /* in its PD's tree; the key is the base */
	struct avl_node given;  /* in its source's tree; the key is base and order, many may have the same */
	struct pd *pd, *source; /* who holds it; whose it was, or NULL: the hypervisor PD's range of all ports */
	struct pio_node *next;  /* links spare nodes, and ranges that pio_cut() gathers (guarded by source's lock) */
	u8 order;
	u8 where; /* enum pio_where */
};

static always_inline struct pio_node *pio_range_of_held(struct avl_node *n)
{
	return n ? container_of(n, struct pio_node, held) : NULL;
}

static always_inline struct block pio_range_block(const struct pio_node *n)
{
	return (struct block){n->held.key, n->order};
}

/* Boot time. */
void pio_range_boot(void);

/* The range that covers the port, or NULL; the first range that covers it or one above. */
struct pio_node *pio_range_at(const struct space_pio *sp, u64 port);
struct pio_node *pio_range_from(const struct space_pio *sp, u64 port);

/* For a walk through the ranges that the space has given and that overlap b: the first one (`behind` is NULL), or the
 * next one after `behind`. */
struct pio_node *pio_range_given(const struct space_pio *sp, struct block b, const struct pio_node *behind);

/* Nodes allocated before anything is changed, linked through `next`. OOM: *spares is empty. */
enum status pio_range_reserve(struct pio_node **spares, u64 count) must_check;
struct pio_node *pio_range_take(struct pio_node **spares);
void pio_range_release(struct pio_node *n);

/* Makes n a range of pd's, derived from source's (NULL: from nobody's), and takes it out again. Bitmaps stay as they
 * are. */
void pio_range_insert(struct pio_node *n, struct pd *pd, struct pd *source, struct block r, unsigned where);
void pio_range_remove(struct pio_node *n);

/* Sets or clears the ports of r in the bitmaps n is mapped in. */
void pio_range_deny(const struct pio_node *n, struct block r, bool deny);

/* Takes a range away as a whole. */
void pio_range_free(struct pio_node *n);
