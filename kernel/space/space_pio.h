/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port space of a PD: the ranges of I/O ports it holds, and the bitmaps the CPU looks at.
 *
 * A range (space/pio_range.h) is {base, order}, derived from one of another PD's; the first is the hypervisor PD's:
 * all ports. It keeps the shape of its transfer; only revoking a part of it splits it. A PD's ranges do not overlap.
 * Where a range is mapped (bitmap of the host, of guests) is said by each delegation and not passed on: who lets a
 * guest use a port could as well use it himself.
 *
 * Locking: there is one lock for all of it (space/pio_lock.h), held for a piece of an operation at a time. What is
 * longer is a hypercall in pieces (docs/design/bounded.md).
 *
 * Lifetime: bitmaps appear with the first grant and stay until space_pio_free().
 */
#pragma once

#include "lib/types.h"
#include "space/block.h"
#include "space/cap.h"
#include "space/pio_index.h"

#include <hedron/crd.h>

struct pd;
struct space_obj_delegation;
struct space_obj_revocation;

#define PIO_PORTS 0x10000
#define PIO_ORDER 16
#define PIO_HOST_PAGES 3 /* 64 Ki bits, and a byte of ones behind, which the CPU may read (SDM vol. 1, 19.5.2) */
#define PIO_GUEST_PAGES 2
#define PIO_GUEST_BLOCK_ORDER 2

/* The bitmap of guests is to be one piece, with at least a byte of ones behind it (APM vol. 2, 15.10.1). Constant
 * after the choice of a kind of virtualization, before the first PD is made. */
extern bool space_pio_guest_block;

/* A range is handed on from PD to PD at most so often, because a translation climbs all the way. */
#define PIO_DEPTH_MAX 128

enum pio_where { PIO_HOST = 1, PIO_GUEST = 2 };

struct space_pio {
	/* guarded by the lock */
	struct pio_range *found; /* one that is held, which was asked for last, or NULL */
	struct pio_index held;   /* ranges of the PD, by base */
	struct pio_index given;  /* ranges that others hold from it, by block; those of one block are a list */
	u32 given_orders;        /* orders that these may have */
	bool closed;             /* no range comes in any more */

	bool attached;       /* the host bitmap is mapped; atomic, only ever set */
	bool guests_stopped; /* the guest bitmap changes; written under the lock, read by CPUs that enter a guest */
	struct pd *stopped_next; /* the next PD whose guests are stopped */

	/*
	 * The bitmaps, guarded by the lock. All pointers are NULL until the first grant and stay until
	 * space_pio_free(), so that they can be read without the lock. A bit that is 1 denies (host) or intercepts
	 * (guest) its port.
	 */
	u8 *host[PIO_HOST_PAGES];
	u8 *guest[PIO_GUEST_PAGES];
};

/* Boot time: prepares the slab and gives the hypervisor PD all ports. */
enum status space_pio_boot(struct pd *kernel) must_check;

/* Makes it all zero. */
void space_pio_init(struct space_pio *sp);
/* Closes the space and does a piece of the revocation of all it holds, with everything derived. True: it holds
 * nothing any more. */
bool space_pio_close(struct pd *pd) must_check;
/* Frees the bitmaps, when no CPU can use them any more. */
void space_pio_free(struct space_pio *sp);

/* Makes the guest bitmap, all intercepted. For vCPUs that use it before anything was granted. */
enum status space_pio_make_guest(struct pd *pd) must_check;

/*
 * Naturally aligned range below PIO_PORTS. Delegates what src has of it and dst has not, mapped as `where` says (0:
 * grants nothing). OOM: what was delegated until then stays. BAD_PAR: the same, and the next has been handed on too
 * often. What does not fit into a piece is left to space_obj_unfinished_delegation().
 */
enum status space_pio_delegate(struct pd *src, struct pd *dst, u32 base, unsigned order, unsigned where) must_check;
/* The next piece of that. */
enum status space_pio_delegate_step(struct space_obj_delegation *d) must_check;

/* Takes exactly these ports away from all that was derived from pd's, and with `self` from pd; a range that cannot be
 * split for want of memory goes as a whole. What does not fit into a piece is left to space_obj_unfinished(). */
void space_pio_revoke(struct pd *pd, u32 base, unsigned order, bool self);
/* The next piece of that. False: it is over. */
bool space_pio_revoke_step(struct space_obj_revocation *r) must_check;

/* The range that covers the port as {port, base, order, a}, or 0. */
crd_t space_pio_lookup(struct pd *pd, u64 port);

/* The range nearest above that of `port` in src's space (by delegation) that is dst's and overlaps `window`, clipped
 * to it; else src's own if src is dst; else 0. */
crd_t space_pio_translate(struct pd *src, u64 port, struct pd *dst, struct block window);
