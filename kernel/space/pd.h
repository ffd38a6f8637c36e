/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protection domain: three spaces of capabilities (memory, ports, objects) and two properties.
 * Locking: each space has locks of its own, `access_lock` and `tlb_lock` are for the fields that name them. Lifetime:
 * its ECs and vCPUs refer to it, and kernel pages that are mapped in it. When its last capability goes, its object
 * and port capabilities are revoked at once; its memory stays until the last reference goes.
 */
#pragma once

#include "mm/account.h"
#include "mm/ptab.h"
#include "space/kobject.h"
#include "space/space_mem.h"
#include "space/space_obj.h"
#include "space/space_obj_revoke.h"
#include "space/space_pio.h"

struct pd {
	struct kobject obj;

	/* immutable after create */
	bool passthrough; /* may use MSRs and the machine's controls */
	bool root;        /* the roottask's: may take from the hypervisor PD */

	/* locks of its own; pays for the PD, its tables, and what is made with the PD as parent */
	struct account account;

	/* guarded by access_lock */
	void *access_page; /* APIC access page, made on first use */
	struct spinlock access_lock;

	/* each has locks of its own */
	struct space_mem mem;
	struct space_obj objs;
	struct space_pio pio;

	/* the architecture's (mmu/tlb.c) */
	u64 cr3[HEDRON_CPU_MAX];      /* what each CPU loads into CR3; immutable after create */
	u8 tlb_stale[HEDRON_CPU_MAX]; /* that CPU's TLB may hold translations that are no longer true; atomic */
	/* CPUs that a shootdown has to look at: all whose tag is not stale; atomic. A CPU is taken out under
	 * tlb_lock, and comes in without it. */
	u64 tlb_active[HEDRON_CPU_MAX / 64];
	struct spinlock tlb_lock;
	u8 guest_stale[HEDRON_CPU_MAX]; /* as tlb_stale, for guests and the nested table (mmu/tlb.h); atomic */

	/* belongs to whoever dismantles it */
	struct space_obj_revocation closing;
};

/* The hypervisor PD: the source of all memory and ports, and the address space of idle ECs. */
extern struct pd pd_kernel;

void pd_init_cache(void);
/* Its memory is its creator's (account_open()). */
enum status pd_create(struct pd *creator, bool passthrough, struct pd **out) must_check;
/* The PD's APIC access page, NULL if out of memory. */
void *pd_access_page(struct pd *pd) must_check;
/* Maps the PD's APIC access page at guest-physical `gpa` (page aligned, below the user limit). */
enum status pd_map_access_page(struct pd *pd, u64 gpa) must_check;
/* The last capability is gone: a piece of the revocation of the objects and ports that it holds, with everything
 * derived from them. True: that was the last one. */
bool pd_close(struct pd *pd) must_check;
/* Frees a piece of the PD, a grace period after the last reference has gone. True: that was the last one. Its account
 * goes when nobody has memory of it any more. */
bool pd_free(struct pd *pd) must_check;
