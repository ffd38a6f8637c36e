/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/pio_index.h"

#include "lib/nospec.h"
#include "mm/slab.h"

static struct slab_cache node_cache;

_Static_assert(PIO_INDEX_BITS <= 3 * PIO_INDEX_LEVEL_BITS, "three levels");

void pio_index_boot(void)
{
	slab_init(&node_cache, "pio index", sizeof(struct pio_index_node), _Alignof(struct pio_index_node));
}

/* The child that a number is below, in the root and in the nodes of the level under it. Numbers that are too high may
 * come here in speculation. */
static always_inline unsigned in_root(u32 number)
{
	return (unsigned)nospec_wrap(number >> 2 * PIO_INDEX_LEVEL_BITS, PIO_INDEX_FANOUT);
}

static always_inline unsigned in_middle(u32 number)
{
	return number >> PIO_INDEX_LEVEL_BITS & (PIO_INDEX_FANOUT - 1);
}

static always_inline bool has(const struct pio_index_node *n, unsigned i)
{
	return n->used >> i & 1;
}

/* ---- Looking ---- */

/* Of these leaves below a node of the second level. One of all leaves may be empty. */
static struct pio_range *last_of(const struct pio_index_node *middle, u64 children)
{
	for (; children; children &= ~bit(bit_highest(children))) {
		const struct pio_index_node *leaf = middle->node[bit_highest(children)];
		if (likely(leaf->used))
			return leaf->range[bit_highest(leaf->used)];
	}
	return NULL;
}

static struct pio_range *first_of(const struct pio_index_node *middle, u64 children)
{
	for (; children; children &= children - 1) {
		const struct pio_index_node *leaf = middle->node[bit_lowest(children)];
		if (likely(leaf->used))
			return leaf->range[bit_lowest(leaf->used)];
	}
	return NULL;
}

struct pio_range *pio_index_floor_slow(const struct pio_index *ix, u32 number)
{
	unsigned i = in_root(number);
	const struct pio_index_node *root = ix->root;
	struct pio_range *found = NULL;

	if (!ix->count)
		return NULL;
	if (has(root, i))
		found = last_of(root->node[i], root->node[i]->used & bits_low(in_middle(number)));
	for (u64 left = root->used & bits_low(i); left && !found; left &= ~bit(bit_highest(left)))
		found = last_of(root->node[bit_highest(left)], root->node[bit_highest(left)]->used);
	return found;
}

struct pio_range *pio_index_ceiling_slow(const struct pio_index *ix, u32 number)
{
	unsigned i = in_root(number);
	const struct pio_index_node *root = ix->root;
	struct pio_range *found = NULL;

	if (!ix->count || number >> PIO_INDEX_BITS)
		return NULL;
	if (has(root, i))
		found = first_of(root->node[i], root->node[i]->used & ~1ull << in_middle(number));
	for (u64 left = root->used & ~1ull << i; left && !found; left &= left - 1)
		found = first_of(root->node[bit_lowest(left)], root->node[bit_lowest(left)]->used);
	return found;
}

/* ---- Nodes ---- */

static struct pio_index_node *node_make(void)
{
	struct pio_index_node *n = slab_alloc(&node_cache);

	if (likely(n))
		n->used = 0;
	return n;
}

/* There is no current leaf any more. If it is empty it is freed, and the node above it if that is empty then. */
static void leave_current(struct pio_index *ix)
{
	u32 number = (ix->current - 1) << PIO_INDEX_LEVEL_BITS;
	struct pio_index_node *middle, *leaf = ix->leaf;

	if (!ix->current)
		return;
	ix->current = 0;
	if (leaf->used)
		return;
	middle = ix->root->node[in_root(number)];
	middle->used &= ~bit(in_middle(number));
	slab_free(&node_cache, leaf);
	if (middle->used)
		return;
	ix->root->used &= ~bit(in_root(number));
	slab_free(&node_cache, middle);
}

static struct pio_index_node *enter(struct pio_index *ix, struct pio_index_node *leaf, u32 number)
{
	leave_current(ix);
	ix->leaf = leaf;
	ix->current = pio_index_leaf_number(number) + 1;
	return leaf;
}

struct pio_index_node *pio_index_leaf_slow(struct pio_index *ix, u32 number)
{
	unsigned i = in_root(number), k = in_middle(number);
	const struct pio_index_node *n = ix->root;
	struct pio_index_node *leaf;

	if (!n || number >> PIO_INDEX_BITS || !has(n, i))
		return NULL;
	n = n->node[i];
	leaf = has(n, k) ? n->node[k] : NULL;
	return leaf ? enter(ix, leaf, number) : NULL;
}

struct pio_range **pio_index_place(struct pio_index *ix, u32 number)
{
	return &pio_index_leaf(ix, number)->range[pio_index_in_leaf(number)];
}

/* With the nodes above it. */
static struct pio_index_node *leaf_add(struct pio_index *ix, u32 number)
{
	unsigned i = in_root(number);
	struct pio_index_node *middle, *leaf = node_make();

	if (!leaf)
		return NULL;
	middle = has(ix->root, i) ? ix->root->node[i] : node_make();
	if (!middle) {
		slab_free(&node_cache, leaf);
		return NULL;
	}
	ix->root->node[i] = middle;
	ix->root->used |= bit(i);
	middle->node[in_middle(number)] = leaf;
	middle->used |= bit(in_middle(number));
	return leaf;
}

struct pio_index_node *pio_index_leaf_make(struct pio_index *ix, u32 number)
{
	struct pio_index_node *leaf;

	if (!ix->root && !(ix->root = node_make()))
		return NULL;
	leaf = pio_index_leaf_slow(ix, number);
	if (leaf)
		return leaf;
	leave_current(ix);
	leaf = leaf_add(ix, number);
	return leaf ? enter(ix, leaf, number) : NULL;
}

void pio_index_free(struct pio_index *ix)
{
	if (!ix->root)
		return;
	leave_current(ix);
	slab_free(&node_cache, ix->root);
	ix->root = NULL;
}
