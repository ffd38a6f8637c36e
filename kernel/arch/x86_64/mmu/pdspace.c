/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mmu/pdspace.h"

#include "arch/space.h"
#include "arch/switch.h"
#include "cpu/desc.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mmu/kspace.h"
#include "mmu/tlb.h"
#include "space/slot_table.h"

/* The entry of the private PDPT that TSS_WINDOW hangs off. */
#define TSS_ENTRY PDPT_INDEX(TSS_WINDOW)

_Static_assert(TSS_ENTRY > (u32)~0 >> SLOT_TABLE_SHIFT_TOP, "out of reach of slot_table_find()");
_Static_assert(OBJ_NOWHERE == OBJ_WINDOW + (OBJ_WINDOW << CAP_SLOT_SHIFT), "where arch_window_load() goes astray");
_Static_assert(OBJ_NOWHERE >= 0xffff800000000000 && PML4_INDEX(OBJ_NOWHERE) < PML4_INDEX(HEAP_MAP),
	       "below all that kspace_share() and the private entry map");

/* The PDPT entry of all PDs without ports, whose bitmap is ones; constant after boot. */
static u64 default_entry;

/* Makes the tables for TSSs and bitmap. Pages of TSSs are global, because they are the same in every PD. Returns the
 * PDPT entry, 0 if out of memory. */
static u64 make_tss_tables(struct account *account, u8 *const bitmap[PIO_HOST_PAGES])
{
	u64 *pd = page_take_zeroed(account), *pt = pd ? page_take_zeroed(account) : NULL;
	if (!pt) {
		if (pd)
			page_return(pd);
		return 0;
	}
	u64 tss = (u64)desc_tss_pages - KERNEL_VIRT + kspace_image.v;
	for (unsigned i = 0; i < TSS_PAGES; i++)
		pt[i] = (tss + i * PAGE_SIZE) | KPTE_RW;
	for (unsigned i = 0; i < PIO_HOST_PAGES; i++)
		pt[TSS_PAGES + i] = heap_phys(bitmap[i]).v | (KPTE_RO & ~KPTE_G);
	pd[0] = heap_phys(pt).v | KPTE_TABLE;
	return heap_phys(pd).v | KPTE_TABLE;
}

static void free_tss_tables(u64 entry)
{
	u64 *pd = ptab_child(entry);
	page_return(ptab_child(pd[0]));
	page_return(pd);
}

enum status pdspace_init(void)
{
	u8 *ones = page_alloc();
	if (!ones)
		return OOM;
	memset(ones, 0xff, PAGE_SIZE);
	default_entry = make_tss_tables(&pd_kernel.account, (u8 *const[]){ones, ones, ones});
	return default_entry ? SUCCESS : OOM;
}

void arch_pd_init(struct pd *pd)
{
	u64 *pml4 = pd->mem.host.root;

	kspace_share(pml4);
	pml4[PML4_INDEX(PD_PRIVATE)] = heap_phys(pd->objs.pdpt).v | KPTE_TABLE;
	pd->objs.pdpt[TSS_ENTRY] = default_entry;
	tlb_init_pd(pd);
}

void arch_pd_free(struct pd *pd)
{
	u64 entry = pd->objs.pdpt[TSS_ENTRY];
	if (entry != default_entry)
		free_tss_tables(entry);
	/* Empties what arch_pd_init() filled: the tables are freed as zeroed pages. */
	pd->objs.pdpt[TSS_ENTRY] = 0;
	pd->mem.host.root[PML4_INDEX(PD_PRIVATE)] = 0;
	kspace_unshare(pd->mem.host.root);
	tlb_free_pd(pd);
}

/* No lock is held, so two CPUs may do this at the same time. The second finds that the entry was changed, and flushes
 * nevertheless, because the first may not have done so yet. */
enum status arch_pio_bitmap_attach(struct pd *pd)
{
	u64 *slot = &pd->objs.pdpt[TSS_ENTRY], old = default_entry;
	if (READ_ONCE(*slot) == old) {
		u64 entry = make_tss_tables(&pd->account, pd->pio.host);
		if (!entry)
			return OOM;
		if (!__atomic_compare_exchange_n(slot, &old, entry, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			free_tss_tables(entry); /* another CPU was faster */
	}
	arch_tlb_flush(pd, 0, PTAB_ORDER_MAX);
	return SUCCESS;
}
