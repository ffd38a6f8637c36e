/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/delegate.h"

#include "core/pd.h"
#include "space/block.h"

#define OBJ_ORDER 26
_Static_assert(HEDRON_SEL_NUM == 1 << OBJ_ORDER, "order of an object space");

/* ---- Translation ---- */

/* What the receiver knows the sender's capability as. There is none for memory, which has no mapping tree. */
static crd_t translate(struct pd *src, struct pd *dst, crd_t crd, crd_t window)
{
	if (crd_kind(crd) != crd_kind(window))
		return 0;
	switch (crd_kind(crd)) {
	case CRD_OBJ:
		return space_obj_translate(src, crd_base(crd), dst, block_of_crd(window));
	case CRD_PIO:
		return space_pio_translate(src, crd_base(crd), dst, block_of_crd(window));
	default:
		return 0;
	}
}

/* ---- Delegation ---- */

/* A delegation with all windows fitted. */
struct grant {
	struct pd *src, *dst;
	struct block from, to;
	unsigned perm;
	u64 flags; /* ITEM_* */
};

/* Fits the larger window to the smaller; which part of the larger one is the hotspot's choice. */
static void clamp(struct grant *g, u64 hotspot)
{
	struct block *larger = g->from.order < g->to.order ? &g->to : &g->from;
	unsigned order = g->from.order < g->to.order ? g->from.order : g->to.order;

	larger->base |= hotspot & bits_low(larger->order) & ~bits_low(order);
	larger->order = order;
}

static enum status grant_mem(const struct grant *g)
{
	return space_mem_delegate(g->src, g->dst, g->from.base, g->to.base, g->from.order,
				  g->perm & (PERM_MEM_R | PERM_MEM_W | PERM_MEM_X),
				  (unsigned)(g->flags & (ITEM_NO_HOST | ITEM_GUEST)));
}

/* The hypervisor PD has no objects to give. Selectors beyond the space are empty, and never filled. */
static enum status grant_obj(const struct grant *g)
{
	struct block from = block_first(g->from, OBJ_ORDER), to = block_first(g->to, OBJ_ORDER);

	if (g->src == &pd_kernel || from.base >= HEDRON_SEL_NUM || to.base >= HEDRON_SEL_NUM)
		return SUCCESS;
	return space_obj_delegate(g->src, from.base, g->dst, to.base, from.order, g->perm);
}

/* The ports of both windows; there is no way to give a port another number. */
static enum status grant_pio(const struct grant *g)
{
	struct block r = block_first(g->from, PIO_ORDER);
	unsigned where = (g->flags & ITEM_NO_HOST ? 0 : PIO_HOST) | (g->flags & ITEM_GUEST ? PIO_GUEST : 0);

	if (r.base >= PIO_PORTS || !(g->perm & PERM_PIO_A))
		return SUCCESS;
	return space_pio_delegate(g->src, g->dst, (u32)r.base, r.order, where);
}

/* *got: what the receiver is told, 0 if nothing could be meant. */
static enum status delegate(struct grant *g, crd_t crd, crd_t window, u64 hotspot, crd_t *got)
{
	enum crd_kind kind = crd_kind(crd);

	g->from = block_of_crd(crd);
	g->to = block_of_crd(window);
	g->perm = crd_perm(crd) & crd_perm(window);
	*got = 0;
	if (kind != crd_kind(window) || kind == CRD_NULL || (!g->perm && kind != CRD_MEM))
		return SUCCESS;
	if (kind == CRD_PIO) {
		if (!block_overlap(g->from, g->to))
			return SUCCESS;
		g->from = g->to = block_intersection(g->from, g->to);
	} else {
		clamp(g, hotspot);
	}
	*got = crd_make(kind, g->to.base, g->to.order, g->perm);
	return kind == CRD_MEM ? grant_mem(g) : kind == CRD_OBJ ? grant_obj(g) : grant_pio(g);
}

enum status delegate_item(struct pd *src, struct pd *dst, struct delegation item, crd_t xlt, crd_t del,
			  struct delegation *out)
{
	struct grant g = {.src = src, .dst = dst, .flags = item.meta & ITEM_FLAGS_MASK};
	enum status status = SUCCESS;
	crd_t got = 0;

	if ((g.flags & ITEM_HYPERVISOR) && src->root)
		g.src = &pd_kernel;
	switch (g.flags & ITEM_KIND_MASK) {
	case ITEM_TRANSLATE_DELEGATE:
		got = translate(src, dst, item.crd, xlt);
		if (got)
			break;
		g.flags |= ITEM_DELEGATE;
		status = delegate(&g, item.crd, del, item.meta >> 12, &got);
		break;
	case ITEM_TRANSLATE:
		got = translate(src, dst, item.crd, xlt);
		break;
	case ITEM_DELEGATE:
		status = delegate(&g, item.crd, del, item.meta >> 12, &got);
		break;
	}
	if (out)
		*out = (struct delegation){got, g.flags};
	return status;
}

enum status delegate_initial(struct pd *src, struct pd *dst, crd_t crd)
{
	struct delegation item = {crd, ITEM_DELEGATE};

	return delegate_item(src, dst, item, 0, crd_make(CRD_OBJ, 0, 31, PERM_ALL), NULL);
}

/* ---- Revocation, look-up ---- */

enum status delegate_revoke(struct pd *pd, crd_t crd, bool self)
{
	struct block r = block_of_crd(crd);

	switch (crd_kind(crd)) {
	case CRD_MEM:
		return space_mem_revoke(pd, crd_base(crd), crd_order(crd));
	case CRD_PIO:
		r = block_first(r, PIO_ORDER);
		if (r.base >= PIO_PORTS || !(crd_perm(crd) & PERM_PIO_A))
			return SUCCESS;
		return space_pio_revoke(pd, (u32)r.base, r.order, self);
	case CRD_OBJ:
		r = block_first(r, OBJ_ORDER);
		if (r.base < HEDRON_SEL_NUM)
			space_obj_revoke(pd, r.base, r.order, crd_perm(crd), self);
		return SUCCESS;
	default:
		return SUCCESS;
	}
}

crd_t delegate_lookup(struct pd *pd, crd_t crd)
{
	switch (crd_kind(crd)) {
	case CRD_PIO:
		return space_pio_lookup(pd, crd_base(crd));
	case CRD_OBJ:
		return space_obj_lookup(pd, crd_base(crd));
	default:
		return 0;
	}
}
