/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space/delegate.h"

#include "lib/nospec.h"
#include "space/block.h"
#include "space/pd.h"
#include "space/space_obj_revoke.h"

/* ---- Translation ---- */

/* Finds the receiver's own name for what the sender names. Memory has no mapping tree, so it is never translated. */
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

/* Cuts the larger of the two blocks to the size of the smaller; the hotspot chooses which part of it remains. */
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

static always_inline enum status grant_mem(struct pd *src, struct pd *dst, struct block from, struct block to,
					   unsigned perm, u64 meta)
{
	return space_mem_delegate(src, dst, from.base, to.base, from.order,
				  (perm & (PERM_MEM_R | PERM_MEM_W | PERM_MEM_X)) |
					  ((unsigned)meta & (ITEM_NO_HOST | ITEM_GUEST)));
}

/* The hypervisor PD has no objects to give. Selectors beyond the space are empty, and never filled. */
static always_inline enum status grant_obj(struct pd *src, struct pd *dst, struct block from, struct block to,
					   unsigned perm)
{
	from = block_first(from, SPACE_OBJ_ORDER);
	if (unlikely(src == &pd_kernel || from.base >= HEDRON_SEL_NUM || to.base >= HEDRON_SEL_NUM))
		return SUCCESS;
	return space_obj_delegate(src, from.base, dst, to.base, from.order, perm);
}

static noinline enum status grant_pio(struct pd *src, struct pd *dst, struct block r, unsigned perm, u64 meta)
{
	unsigned where = (meta & ITEM_NO_HOST ? 0 : PIO_HOST) | (meta & ITEM_GUEST ? PIO_GUEST : 0);

	r = block_first(r, PIO_ORDER);
	if (r.base >= PIO_PORTS || !(perm & PERM_PIO_A))
		return SUCCESS;
	return space_pio_delegate(src, dst, (u32)nospec_wrap(r.base, PIO_PORTS), r.order, where);
}

/* A port keeps its number when it is delegated, so what source and window have in common is meant, and there is no
 * hotspot. */
static noinline struct delegated delegate_pio(struct pd *src, struct pd *dst, crd_t crd, u64 meta, crd_t window)
{
	struct block from = block_of_crd(crd), to = block_of_crd(window);
	unsigned perm = crd_perm(crd & window);

	if (!perm || !block_overlap(from, to))
		return (struct delegated){SUCCESS, 0};
	to = block_intersection(from, to);
	return (struct delegated){grant_pio(src, dst, to, perm, meta), crd_make(CRD_PIO, to.base, to.order, perm)};
}

struct delegated delegate(struct pd *src, struct pd *dst, crd_t crd, u64 meta, crd_t window)
{
	struct block from = block_of_crd(crd), to = block_of_crd(window);
	unsigned perm = crd_perm(crd & window);
	enum crd_kind kind = crd_kind(crd);

	if (unlikely(crd_kind(crd ^ window) || kind == CRD_NULL))
		return (struct delegated){SUCCESS, 0};
	if ((meta & ITEM_HYPERVISOR) && likely(src->root))
		src = &pd_kernel;
	if (unlikely(kind == CRD_PIO))
		return delegate_pio(src, dst, crd, meta, window);
	if (unlikely(from.order != to.order))
		clamp(&from, &to, meta >> 12);

	crd_t got = crd_common(crd, window, to.base, to.order);
	if (kind == CRD_MEM)
		return (struct delegated){grant_mem(src, dst, from, to, perm, meta), got};
	if (unlikely(!perm))
		return (struct delegated){SUCCESS, 0};
	return (struct delegated){grant_obj(src, dst, from, to, perm), got};
}

enum status delegate_item(struct pd *src, struct pd *dst, struct utcb_item item, crd_t xlt, crd_t del,
			  struct utcb_item *out)
{
	u64 flags = item.meta & ITEM_FLAGS_MASK, kind = flags & ITEM_KIND_MASK;
	struct delegated result = {SUCCESS, 0};

	if (unlikely(kind == ITEM_TRANSLATE || kind == ITEM_TRANSLATE_DELEGATE))
		result.crd = translate(src, dst, item.crd, xlt);
	if (kind == ITEM_TRANSLATE_DELEGATE && !result.crd) {
		kind = ITEM_DELEGATE;
		flags |= ITEM_DELEGATE;
	}
	if (likely(kind == ITEM_DELEGATE))
		result = delegate(src, dst, item.crd, item.meta, del);
	if (out)
		*out = (struct utcb_item){result.crd, flags};
	return result.status;
}

enum status delegate_initial(struct pd *src, struct pd *dst, crd_t crd)
{
	struct utcb_item item = {crd, ITEM_DELEGATE};

	return delegate_item(src, dst, item, 0, crd_make(CRD_OBJ, 0, 31, PERM_ALL), NULL);
}

/* ---- Revocation, look-up ---- */

static noinline void revoke_pio(struct pd *pd, crd_t crd, bool self)
{
	struct block r = block_first(block_of_crd(crd), PIO_ORDER);

	if (r.base < PIO_PORTS && crd_perm(crd) & PERM_PIO_A)
		space_pio_revoke(pd, (u32)nospec_wrap(r.base, PIO_PORTS), r.order, self);
}

void delegate_revoke(struct pd *pd, crd_t crd, bool self)
{
	struct block r = block_of_crd(crd);

	switch (crd_kind(crd)) {
	case CRD_MEM:
		space_mem_revoke(pd, crd_base(crd), crd_order(crd));
		break;
	case CRD_PIO:
		revoke_pio(pd, crd, self);
		break;
	case CRD_OBJ:
		r = block_first(r, SPACE_OBJ_ORDER);
		if (r.base < HEDRON_SEL_NUM)
			space_obj_revoke(pd, r.base, r.order, crd_perm(crd), self);
		break;
	default:
		break;
	}
}

crd_t delegate_lookup(struct pd *current, crd_t crd)
{
	switch (crd_kind(crd)) {
	case CRD_PIO:
		return space_pio_lookup(current, crd_base(crd));
	case CRD_OBJ:
		return delegate_lookup_obj(crd);
	default:
		return 0;
	}
}
