/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hypervisor PD has to give: physical memory as a sorted list of runs. It is made anew with each claim, at
 * boot, and only read later, so that a delegation neither asks the MTRRs nor looks through the claims. Locking: none;
 * the boot CPU writes before there are others, and only the hint (space_mem_phys_hit) changes later, atomically.
 */
#include "space/space_mem.h"

#include "arch/memory.h"
#include "lib/bits.h"
#include "platform/panic.h"

#define CLAIMS_MAX 16
#define RUNS_MAX 512 /* 88 fixed ranges, and each variable one and each claim may cut a run in three */

static struct claim {
	u64 first, end; /* pages */
} claims[CLAIMS_MAX];
static unsigned claim_count;

static struct space_mem_run runs[RUNS_MAX];
static unsigned run_count;

u64 space_mem_phys_end;
const struct space_mem_run *space_mem_phys_hit = runs;

const struct space_mem_run *space_mem_phys_search(u64 page)
{
	unsigned low = 0, high = run_count - 1;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		if (runs[mid].end <= page)
			low = mid + 1;
		else
			high = mid;
	}
	__atomic_store_n(&space_mem_phys_hit, &runs[low], __ATOMIC_RELAXED);
	return &runs[low];
}

static void add_run(u64 end, u64 leaf)
{
	struct space_mem_run *before = run_count ? &runs[run_count - 1] : NULL;
	if (before && before->leaf == leaf) {
		before->end = end;
		return;
	}
	kassert(run_count < RUNS_MAX);
	runs[run_count++] = (struct space_mem_run){before ? before->end : 0, end, leaf};
}

/* Adds the run that begins at `page`, which is not claimed. Returns where it ends: at `end` at the latest. */
static u64 add_unclaimed(u64 page, u64 end)
{
	u64 until;
	u64 type = arch_mem_type(paddr(page << PAGE_BITS), (end - page) << PAGE_BITS, &until);
	until >>= PAGE_BITS;
	kassert(until > page && until <= end);
	add_run(until, PTE_P | PTE_W | PTE_U | PTE_A | PTE_D | PTE_DELEG | type << PTE_TYPE_SHIFT);
	return until;
}

static void make_runs(void)
{
	u64 end = space_mem_phys_end = bit(arch_phys_bits() - PAGE_BITS);
	run_count = 0;
	space_mem_phys_hit = runs;
	for (u64 page = 0; page < end;) {
		u64 next = end, claimed_until = 0;
		for (unsigned i = 0; i < claim_count; i++) {
			if (claims[i].first <= page && page < claims[i].end)
				claimed_until = min_u64(claims[i].end, end);
			else if (claims[i].first > page)
				next = min_u64(next, claims[i].first);
		}
		if (claimed_until)
			add_run(page = claimed_until, 0);
		else
			page = add_unclaimed(page, next);
	}
}

void space_mem_claim(paddr_t base, u64 size)
{
	kassert(claim_count < CLAIMS_MAX);
	claims[claim_count++] = (struct claim){
		.first = base.v >> PAGE_BITS,
		.end = align_up(base.v + size, PAGE_SIZE) >> PAGE_BITS,
	};
	make_runs();
}
