/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed items: translation and delegation between two PDs, revocation and look-up by CRD (docs/abi.md, "Delegation
 * and revocation"). Here it is decided what an item means; the spaces do it. Locking: none here, the spaces lock.
 */
#pragma once

#include "space/space_obj.h"

#include <hedron/abi.h>
#include <hedron/crd.h>
#include <hedron/utcb.h>

struct pd;

/* The result of a delegation. `crd` is what the receiver is told; 0: source and window have nothing in common. */
struct delegated {
	enum status status;
	crd_t crd;
};

/* Delegates {crd, meta} from src to the window of dst. Statuses as for delegate_item(). */
struct delegated delegate(struct pd *src, struct pd *dst, crd_t crd, u64 meta, crd_t window) must_check;

/*
 * One typed item from src to dst against dst's windows for translation and delegation. The result (out may be NULL)
 * is meaningful with SUCCESS only; other statuses: BAD_PAR (memory beyond the physical address space) and OOM.
 * ITEM_HYPERVISOR makes the hypervisor PD the source of a delegation; it means nothing for a translation.
 */
enum status delegate_item(struct pd *src, struct pd *dst, struct utcb_item item, crd_t xlt, crd_t del,
			  struct utcb_item *out) must_check;

/* The objects a new PD starts with: those of crd, from selector 0 on. Other kinds: nothing, SUCCESS. */
enum status delegate_initial(struct pd *src, struct pd *dst, crd_t crd) must_check;

/* REVOKE. Needs no memory: a range of ports or a large page that cannot be split goes as a whole. */
void delegate_revoke(struct pd *pd, crd_t crd, bool self);

/* PD_CTRL lookup: what covers crd's base in the current PD, or 0. */
crd_t delegate_lookup(struct pd *current, crd_t crd);

/* delegate_lookup() for the CRD of an object. */
static always_inline crd_t delegate_lookup_obj(crd_t crd)
{
	u64 sel = crd_base(crd);
	u64 perm = cap_lookup(sel) & CAP_PERM_MASK;
	return likely(perm) ? crd_make(CRD_OBJ, sel, 0, (unsigned)perm) : 0;
}
