/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory space of a PD: a host page table and, once used, a nested one. There is no mapping tree: delegation
 * copies leaves of the source's host table, revocation affects only the named PD.
 *
 * Locking: `lock` guards both tables. Delegation takes the source's and the destination's, in the order of their
 * addresses. TLBs are flushed, which waits for other CPUs, after the locks are released. `flushing` counts changes
 * whose flush is not complete. While it is not 0 each change flushes, even one that finds nothing left to change: so
 * no call returns while an old translation of its range can be used.
 */
#pragma once

#include "lib/spinlock.h"
#include "lib/types.h"
#include "mm/ptab.h"

#include <hedron/abi.h>
#include <hedron/crd.h>

struct account;
struct pd;
struct space_obj_delegation;

struct space_mem {
	struct spinlock lock;
	u32 flushing;            /* atomic */
	struct ptab host;        /* root entries 0..255 are ours; the kernel half belongs to arch */
	struct ptab guest;       /* no root until first used */
	struct ptab_gather dead; /* tables that nobody uses any more; guarded by the lock */
};

/* The format of nested tables, chosen at boot: PTAB_HOST on AMD processors. */
extern enum ptab_format space_mem_guest_format;
/* The highest level that a leaf of nested tables may have; that of host tables is a limit, too. */
extern unsigned space_mem_guest_leaf_max;

/*
 * Boot: withholds [base, base + size), rounded to pages, from everyone: kernel image, heap. What remains of physical
 * memory up to MAXPHYADDR is what the hypervisor PD has to give. Before the first claim it has nothing.
 */
void space_mem_claim(paddr_t base, u64 size);

/* Pages of physical memory that are alike. */
struct space_mem_run {
	u64 first, end; /* pages */
	u64 leaf; /* how the hypervisor PD maps them: attributes of a leaf (mm/ptab.h), 0 if they are withheld */
};

/* The run that was found last, as a hint: neighbours are often asked for in turn. Atomic. */
extern const struct space_mem_run *space_mem_phys_hit;
const struct space_mem_run *space_mem_phys_search(u64 page);

/* The run of a page below space_mem_phys_end. */
static always_inline const struct space_mem_run *space_mem_phys_run(u64 page)
{
	const struct space_mem_run *r = __atomic_load_n(&space_mem_phys_hit, __ATOMIC_RELAXED);
	return likely(r->first <= page && page < r->end) ? r : space_mem_phys_search(page);
}

/* The first page that cannot be addressed; 0 before the first claim. */
extern u64 space_mem_phys_end;

/* `root` is a zeroed page of page_take_zeroed(), or NULL: OOM. Its kernel half (256..511) is the caller's to fill. */
enum status space_mem_init(struct space_mem *m, struct account *account, u64 *root) must_check;
static always_inline bool space_mem_has_tables(const struct space_mem *m)
{
	return m->host.root_end | m->guest.root_end || m->dead.tables;
}
/* Frees tables for so many units, each about ten instructions; no CPU may use any of them. Returns the units that are
 * left; 0 or less: tables may be left, too. */
int space_mem_free_tables(struct space_mem *m, int units) must_check;
/* Frees the roots, the PML4 among them, which are zero again. */
void space_mem_free(struct space_mem *m);

/*
 * Delegates 2^order pages from src_page of `src` to dst_page of `dst`. `how`: PERM_MEM_*, ITEM_NO_HOST, ITEM_GUEST
 * bits and ITEM_HYPERVISOR (source is the hypervisor PD, as if src were &pd_kernel). Ranges that are not aligned or
 * reach beyond user space: SUCCESS without effect. BAD_PAR: physical memory beyond MAXPHYADDR. OOM: a part may be
 * done.
 */
enum status space_mem_delegate(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
			       unsigned how) must_check;
/* The next piece of one that did not fit into one, and was left to space_obj_unfinished_delegation(). */
enum status space_mem_delegate_step(struct space_obj_delegation *d) must_check;

/* Takes 2^order pages away, from both tables. A superpage that cannot be split for want of memory goes as a whole. If
 * there are many tables to be freed that is left to space_obj_unfinished(). */
void space_mem_revoke(struct pd *pd, u64 page, unsigned order);
/* Frees a piece of the PD's dead tables. False: there are none. */
bool space_mem_free_step(struct pd *pd) must_check;

enum space_mem_kind {
	SPACE_MEM_PRIVATE, /* UTCB, kernel page: read/write, not executable, not delegatable */
	SPACE_MEM_HIP,     /* read-only, may be delegated */
};

/* Maps a heap page at the user address `va`, in place of what was there. BAD_PAR: not a page of user space. */
enum status space_mem_map_kernel_page(struct pd *pd, u64 va, const void *heap_page,
				      enum space_mem_kind kind) must_check;
/* A page of the roottask's image that the file does not have; an ordinary, delegatable page that never becomes free.
 */
enum status space_mem_map_program_page(struct pd *pd, u64 va, const void *heap_page, bool write,
				       bool execute) must_check;
/* Unmaps it, if it is still what is mapped there. Afterwards no CPU can reach it through this PD: it may be freed. */
void space_mem_unmap_kernel_page(struct pd *pd, u64 va, const void *heap_page);

/* Maps a heap page, read/write, at a guest-physical address within the limits of user space: the APIC access page. */
enum status space_mem_map_guest_page(struct pd *pd, u64 gpa, const void *heap_page) must_check;

/* The nested table's root for EPTP or nCR3, allocated if there is none yet; it stays. NULL: out of memory. */
u64 *space_mem_guest_root(struct pd *pd) must_check;
