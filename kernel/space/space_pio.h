/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port space of a PD: the ranges of I/O ports it holds, and the bitmaps the CPU looks at.
 *
 * A range (space/pio_range.h) is {base, order}, derived from one of another PD's; the first is the hypervisor PD's:
 * all ports. It keeps the shape of its transfer; only revoking a part of it splits it. A PD's ranges do not overlap.
 * Where a range is mapped (bitmap of the host, of guests) is said by each delegation and not passed on: who lets a
 * guest use a port could as well use it himself.
 *
 * Locking: `lock` guards a space's trees and bitmaps. Operations that span PDs lock all spaces that they need
 * (space/pio_lock_set.h). Only the lock for exclusive sets comes before these; those of the allocators come after
 * them.
 *
 * Lifetime: bitmaps appear with the first grant and stay until space_pio_free().
 */
#pragma once

#include "lib/avl.h"
#include "lib/spinlock.h"
#include "lib/types.h"
#include "space/block.h"
#include "space/cap.h"

#include <hedron/crd.h>

struct pd;

#define PIO_PORTS 0x10000
#define PIO_ORDER 16
#define PIO_HOST_PAGES 3 /* 64 Ki bits, and a byte of ones behind, which the CPU may read (SDM vol. 1, 19.5.2) */
#define PIO_GUEST_PAGES 2

enum pio_where { PIO_HOST = 1, PIO_GUEST = 2 };

struct pio_lock_set;

struct space_pio {
	/* guarded by the lock */
	struct spinlock lock;
	struct avl_tree ranges; /* that the PD holds */
	struct avl_tree given;  /* that others hold from it */

	/* guarded by the lock, which is part of a lock set */
	struct pio_lock_set *locked_by; /* that set, or NULL; atomic, because it is read without the lock */
	struct pd *locked_next;         /* the next PD of the set */

	/* guarded by the lock */
	bool closed; /* no range comes in any more */

	bool attached;       /* the host bitmap is mapped; atomic, only ever set */
	bool guests_stopped; /* the guest bitmap changes; written under the lock, read by CPUs that enter a guest */

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

void space_pio_init(struct space_pio *sp);
/* Closes the space and revokes all it holds, with everything derived. May be called again. */
void space_pio_destroy(struct pd *pd);
/* Frees the bitmaps, when no CPU can use them any more. */
void space_pio_free(struct space_pio *sp);

/* Makes the guest bitmap, all intercepted. For vCPUs that use it before anything was granted. */
enum status space_pio_make_guest(struct pd *pd) must_check;

/*
 * Naturally aligned range below PIO_PORTS. Delegates what src has of it and dst has not, mapped as `where` says (0:
 * grants nothing). OOM: nothing changed.
 */
enum status space_pio_delegate(struct pd *src, struct pd *dst, u32 base, unsigned order, unsigned where) must_check;

/* Takes exactly these ports away from all that was derived from pd's, and with `self` from pd. OOM (they are a part
 * of a range): nothing changed. */
enum status space_pio_revoke(struct pd *pd, u32 base, unsigned order, bool self) must_check;

/* The range that covers the port as {port, base, order, a}, or 0. */
crd_t space_pio_lookup(struct pd *pd, u64 port);

/* The range nearest above that of `port` in src's space (by delegation) that is dst's and overlaps `window`, clipped
 * to it; else src's own if src is dst; else 0. */
crd_t space_pio_translate(struct pd *src, u64 port, struct pd *dst, struct block window);

/*
 * Stops the guests of pd before their port bitmap is changed, which must not happen while a guest runs that refers to
 * it (SDM vol. 3, 25.11.4). It also makes a revocation final: no guest goes on with a port that it has lost. The
 * caller holds pd's lock in a lock set; when the set gives it back, the guests go on. A second call does nothing.
 */
void space_pio_stop_guests(struct pd *pd);
