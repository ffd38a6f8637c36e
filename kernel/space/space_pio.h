/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port space of a PD: the ranges of I/O ports it holds, and the bitmaps the CPU looks at.
 *
 * A range (space/pio_range.h) is {base, order}, derived from one of another PD's; the first is the hypervisor PD's:
 * all ports. It keeps the shape of its transfer; only revoking a part of it splits it. A PD's ranges do not overlap.
 * Where a range is mapped (bitmap of the host, of guests) is said by each delegation and not passed on: who lets a
 * guest use a port could as well use it himself.
 *
 * Locking: each space has a lock for its trees and bitmaps. What spans PDs locks all it needs (space/pio_lock_set.h);
 * no other lock is held then, the allocators' come after them.
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

	/* the lock set's that has the lock; the first is read by all */
	struct pio_lock_set *locked_by;
	struct pd *locked_next;

	/* guarded by the lock */
	bool closed; /* nothing comes in any more */

	/* atomic: set once, by whoever needs it; and written under the lock, read by those who enter a guest */
	bool attached;       /* the host bitmap is mapped */
	bool guests_stopped; /* while the guests' bitmap changes */

	/* Heap pages; all NULL until the first grant. A bit that is 1 denies (host) or intercepts (guest) its port.
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
 * With pd's port space locked: around each change of the bitmap that its guests use. SDM vol. 3, 25.11.4: it must
 * not be changed while a guest runs that refers to it. This also makes a revocation final: no guest goes on with a
 * port that it has lost. Stopping twice is no more than once; pio_lock_set_release() lets them go on.
 */
void space_pio_stop_guests(struct pd *pd);
