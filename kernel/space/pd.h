/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protection domain: three spaces of capabilities (memory, ports, objects) and two properties.
 * Locking: see each space. Lifetime: its ECs and vCPUs refer to it; when its last capability goes, its object and
 * port capabilities are revoked at once, its memory stays until the last reference goes.
 */
#pragma once

#include "mm/ptab.h"
#include "space/kobject.h"
#include "space/space_mem.h"
#include "space/space_obj.h"
#include "space/space_pio.h"

struct pd {
	struct kobject obj;

	/* immutable after create */
	bool passthrough; /* may use MSRs and the machine's controls */
	bool root;        /* the roottask's: may take from the hypervisor PD */

	/* guarded by access_lock */
	void *access_page; /* APIC access page, made on first use */
	struct spinlock access_lock;

	/* each has locks of its own */
	struct space_mem mem;
	struct space_obj objs;
	struct space_pio pio;

	/* the architecture's (mmu/tlb.c), an entry for each CPU: what to load into CR3, which is immutable; and
	 * whether that CPU's TLB may hold something of this PD that is no longer true, which is atomic */
	u64 cr3[HEDRON_CPU_MAX];
	u8 tlb_stale[HEDRON_CPU_MAX];
	u64 tlb_active[HEDRON_CPU_MAX / 64]; /* CPUs that may not be stale; atomic, CPUs leave it under tlb_lock */
	struct spinlock tlb_lock;
	u8 guest_stale[HEDRON_CPU_MAX]; /* the same for guests and the nested table */
};

/* The kernel's own: source of memory and ports, address space of the idle CPUs. */
extern struct pd pd_kernel;

void pd_init_cache(void);
enum status pd_create(bool passthrough, struct pd **out) must_check;
/* The PD's APIC access page, NULL if out of memory. */
void *pd_access_page(struct pd *pd) must_check;
/* Maps the PD's APIC access page at guest-physical `gpa` (page aligned, below the user limit). */
enum status pd_map_access_page(struct pd *pd, u64 gpa) must_check;
/* The last capability is gone: what it holds is revoked, with everything derived from it. */
void pd_close(struct pd *pd);
void pd_free(struct pd *pd);
