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

/* Fits the larger window to the smaller; which part of the larger one is the hotspot's choice. */
static always_inline void clamp(struct block *from, struct block *to, u64 hotspot)
{
	if (from->order < to->order) {
		to->base |= hotspot & (bit(to->order) - bit(from->order));
		to->order = from->order;
	} else {
		from->base |= hotspot & (bit(from->order) - bit(to->order));
		from->order = to->order;
	}
}

static enum status grant_mem(struct pd *src, struct pd *dst, struct block from, struct block to, unsigned perm,
			     u64 meta)
{
	return space_mem_delegate(src, dst, from.base, to.base, from.order,
				  perm & (PERM_MEM_R | PERM_MEM_W | PERM_MEM_X),
				  (unsigned)meta & (ITEM_NO_HOST | ITEM_GUEST));
}

/* The hypervisor PD has no objects to give. Selectors beyond the space are empty, and never filled. */
static enum status grant_obj(struct pd *src, struct pd *dst, struct block from, struct block to, unsigned perm)
{
	from = block_first(from, OBJ_ORDER);
	if (src == &pd_kernel || from.base >= HEDRON_SEL_NUM || to.base >= HEDRON_SEL_NUM)
		return SUCCESS;
	return space_obj_delegate(src, from.base, dst, to.base, from.order, perm);
}

static enum status grant_pio(struct pd *src, struct pd *dst, struct block r, unsigned perm, u64 meta)
{
	unsigned where = (meta & ITEM_NO_HOST ? 0 : PIO_HOST) | (meta & ITEM_GUEST ? PIO_GUEST : 0);

	r = block_first(r, PIO_ORDER);
	if (r.base >= PIO_PORTS || !(perm & PERM_PIO_A))
		return SUCCESS;
	return space_pio_delegate(src, dst, (u32)r.base, r.order, where);
}

/* *got: what the receiver is told; it stays 0 if nothing could be meant. */
static enum status delegate(struct pd *src, struct pd *dst, struct delegation item, crd_t window, crd_t *got)
{
	struct block from = block_of_crd(item.crd), to = block_of_crd(window);
	unsigned perm = crd_perm(item.crd & window);
	enum crd_kind kind = crd_kind(item.crd);

	if (unlikely(kind != crd_kind(window) || kind == CRD_NULL || (!perm && kind != CRD_MEM)))
		return SUCCESS;
	if (kind != CRD_PIO)
		clamp(&from, &to, item.meta >> 12);
	else if (block_overlap(from, to)) /* there is no way to give a port another number */
		from = to = block_intersection(from, to);
	else
		return SUCCESS;

	*got = crd_make(kind, to.base, to.order, perm);
	if (kind == CRD_OBJ)
		return grant_obj(src, dst, from, to, perm);
	return kind == CRD_MEM ? grant_mem(src, dst, from, to, perm, item.meta)
			       : grant_pio(src, dst, to, perm, item.meta);
}

enum status delegate_item(struct pd *src, struct pd *dst, struct delegation item, crd_t xlt, crd_t del,
			  struct delegation *out)
{
	struct pd *from = (item.meta & ITEM_HYPERVISOR) && src->root ? &pd_kernel : src;
	u64 flags = item.meta & ITEM_FLAGS_MASK, kind = flags & ITEM_KIND_MASK;
	enum status status = SUCCESS;
	crd_t got = 0;

	if (kind == ITEM_TRANSLATE || kind == ITEM_TRANSLATE_DELEGATE)
		got = translate(src, dst, item.crd, xlt);
	if (kind == ITEM_TRANSLATE_DELEGATE && !got) {
		kind = ITEM_DELEGATE;
		flags |= ITEM_DELEGATE;
	}
	if (kind == ITEM_DELEGATE)
		status = delegate(from, dst, item, del, &got);
	if (out)
		*out = (struct delegation){got, flags};
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

crd_t delegate_lookup(struct pd *current, crd_t crd)
{
	u64 base = crd_base(crd);
	cap_t c;

	switch (crd_kind(crd)) {
	case CRD_PIO:
		return space_pio_lookup(current, base);
	case CRD_OBJ:
		c = cap_lookup(base);
		return c ? crd_make(CRD_OBJ, base, 0, cap_perm(c)) : 0;
	default:
		return 0;
	}
}
