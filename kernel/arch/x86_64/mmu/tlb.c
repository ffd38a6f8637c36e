/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mmu/tlb.h"

#include "arch_switch.h"
#include "lib/bits.h"
#include "lib/spinlock.h"

/* PCIDs in use; 0 belongs to the kernel and to PDs that found none. Guarded by pcid_lock. */
static u64 pcids[PCID_COUNT / 64] = {1};
static struct spinlock pcid_lock;

static unsigned pcid_of(const struct pd *pd) { return pd->cr3[0] & (PCID_COUNT - 1); }

static unsigned pcid_alloc(void)
{
	unsigned pcid = 0;
	spin_lock(&pcid_lock);
	for (unsigned i = 0; i < array_size(pcids) && !pcid; i++)
		if (~pcids[i]) {
			unsigned b = bit_lowest(~pcids[i]);
			pcids[i] |= bit(b);
			pcid = i * 64 + b;
		}
	spin_unlock(&pcid_lock);
	return pcid;
}

static void pcid_free(unsigned pcid)
{
	spin_lock(&pcid_lock);
	pcids[pcid / 64] &= ~bit(pcid % 64);
	spin_unlock(&pcid_lock);
}

void tlb_init_pd(struct pd *pd)
{
	unsigned pcid = cpu_features.pcid && pd != &pd_kernel ? pcid_alloc() : 0;
	u64 cr3 = heap_phys(pd->mem.host.root).v | pcid | (pcid ? CR3_NOFLUSH : 0);
	for (unsigned i = 0; i < cpu_count; i++)
		pd->cr3[i] = cr3;
}

/* Another PD's tag: with INVPCID at once, else by a visit with a flushing load of CR3 (the kernel's half is the same everywhere). */
static void flush_tag(const struct pd *pd, unsigned pcid)
{
	if (cpu_features.invpcid) {
		invpcid(INVPCID_CONTEXT, pcid, 0);
		return;
	}
	u64 cr3 = cr3_read();
	cr3_write(pd->cr3[cpu_current()->id] & ~CR3_NOFLUSH);
	cr3_write(cr3 | CR3_NOFLUSH);
}

void tlb_free_pd(struct pd *pd)
{
	unsigned pcid = pcid_of(pd);
	if (!pcid)
		return;
	flush_tag(pd, pcid);
	pcid_free(pcid);
}

/* Below this many pages one by one is cheaper than all. */
#define FLUSH_ORDER_MAX 3

void arch_tlb_flush(struct pd *pd, u64 va, unsigned order)
{
	unsigned pcid = pcid_of(pd);
	u64 current = cr3_read();

	if ((current & PTE_ADDR) != (pd->cr3[0] & PTE_ADDR)) {
		/* Not ours: without a tag of its own nothing of it survived the switch. */
		if (pcid)
			flush_tag(pd, pcid);
	} else if (order <= FLUSH_ORDER_MAX) {
		for (u64 i = 0; i < 1ul << order; i++)
			invlpg(va + i * PAGE_SIZE);
	} else {
		cr3_write(current & ~CR3_NOFLUSH);
	}
}

/* No CPU runs guests yet: there are no nested translations to flush. */
void arch_tlb_flush_guest(struct pd *pd) { (void)pd; }
