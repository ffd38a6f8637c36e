/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mmu/kframes.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mmu/kspace.h"

extern u64 boot_pdpt_low[];

#define ARRAY_SIZE (HEAP_MAP_SIZE / PAGE_SIZE * sizeof(struct page))
#define ARRAY_ENTRIES ((ARRAY_SIZE + GiB - 1) / GiB)

_Static_assert(MEMMAP_HEAP_END <= HEAP_MAP_SIZE, "all pieces have an address");
_Static_assert(PML4_INDEX(FRAME_MAP) == PML4_INDEX(HEAP_MAP), "one entry of each PML4 shows heap and array");
_Static_assert(FRAME_MAP >= HEAP_MAP + HEAP_MAP_SIZE && PDPT_INDEX(FRAME_MAP) + ARRAY_ENTRIES <= 512,
	       "room for both");
_Static_assert(MEMMAP_HEAP_ALIGN / PAGE_SIZE * sizeof(struct page) % PAGE_SIZE == 0,
	       "no page of the array is shared");

/* Where the next table goes: the first piece, behind its part of the array. Boot time only. */
static u64 next_table;

/* What all that belongs to no piece is mapped by. */
static u64 *zero_table, *zero_directory;

static u64 array_part(const struct range *piece)
{
	return piece->size / PAGE_SIZE * sizeof(struct page);
}

static u64 *take_table(void)
{
	u64 *table = heap_virt(paddr(next_table));

	next_table += PAGE_SIZE;
	memset(table, 0, PAGE_SIZE);
	return table;
}

static u64 *take_filled(u64 entry)
{
	u64 *table = take_table();

	for (unsigned i = 0; i < 512; i++)
		table[i] = entry;
	return table;
}

static void map_zeros(void)
{
	zero_table = take_filled(heap_phys(take_table()).v | KPTE_RO);
	zero_directory = take_filled(heap_phys(zero_table).v | KPTE_TABLE);
	for (unsigned i = 0; i < ARRAY_ENTRIES; i++)
		boot_pdpt_low[PDPT_INDEX(FRAME_MAP) + i] = heap_phys(zero_directory).v | KPTE_TABLE;
}

/* The table that an entry names: a copy of `shared`, if it is still that one. */
static u64 *own_table(u64 *entry, const u64 *shared)
{
	if ((*entry & PTE_ADDR) == heap_phys(shared).v) {
		u64 *table = take_table();
		memcpy(table, shared, PAGE_SIZE);
		*entry = heap_phys(table).v | KPTE_TABLE;
	}
	return ptab_child(*entry);
}

static void map_array(const struct range *piece)
{
	u64 va = FRAME_MAP + piece->addr / PAGE_SIZE * sizeof(struct page);

	for (u64 offset = 0; offset < array_part(piece); offset += PAGE_SIZE, va += PAGE_SIZE) {
		u64 *directory = own_table(&boot_pdpt_low[PDPT_INDEX(va)], zero_directory);
		u64 *table = own_table(&directory[va >> 21 & 511], zero_table);
		table[va >> PAGE_BITS & 511] = (piece->addr + offset) | KPTE_RW;
	}
}

/* Below KSPACE_BOOT_END all memory is there already. */
static void map_in_boot_tables(const struct range *piece)
{
	for (u64 pa = max_u64(piece->addr, KSPACE_BOOT_END); pa < piece->addr + piece->size; pa += 2 * MiB) {
		u64 *entry = &boot_pdpt_low[PDPT_INDEX(pa)];
		if (!*entry)
			*entry = heap_phys(take_table()).v | KPTE_TABLE;
		ptab_child(*entry)[pa >> 21 & 511] = pa | KPTE_RW | PTE_PS;
	}
}

static void add_pieces(const struct memmap_heap *heap)
{
	u64 first = UINT64_MAX, end = 0;

	for (u32 i = 0; i < heap->count; i++) {
		const struct range *piece = &heap->piece[i];
		first = min_u64(first, piece->addr);
		end = max_u64(end, piece->addr + piece->size);
		memset(heap_virt(paddr(piece->addr)), 0, array_part(piece));
	}
	buddy_init_empty((struct page *)FRAME_MAP, first / PAGE_SIZE, (end - first) / PAGE_SIZE);
	for (u32 i = 0; i < heap->count; i++) {
		const struct range *piece = &heap->piece[i];
		u64 from = i ? piece->addr + array_part(piece) : next_table;
		buddy_add(paddr(from), piece->addr + piece->size - from);
	}
}

void kframes_init(const struct memmap_heap *heap)
{
	next_table = heap->piece[0].addr + array_part(&heap->piece[0]);
	map_zeros();
	for (u32 i = 0; i < heap->count; i++) {
		map_in_boot_tables(&heap->piece[i]);
		map_array(&heap->piece[i]);
	}
	add_pieces(heap);
	page_init_lists();
}

void kframes_share(u64 *pdpt)
{
	for (unsigned i = 0; i < ARRAY_ENTRIES; i++)
		pdpt[PDPT_INDEX(FRAME_MAP) + i] = boot_pdpt_low[PDPT_INDEX(FRAME_MAP) + i];
}
