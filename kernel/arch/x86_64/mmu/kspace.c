/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mmu/kspace.h"

#include "arch/cpu.h"
#include "arch/switch.h"
#include "lib/bits.h"
#include "mm/buddy.h"
#include "mmu/kframes.h"
#include "platform/framebuffer.h"
#include "platform/vga.h"

extern const u8 text_start[], rodata_start[], data_start[], image_end[];
extern u64 boot_pml4[], boot_pdpt_high[], boot_pd_low[];

paddr_t kspace_image;

/*
 * The table of the windows: each CPU writes its own entry only. Entries are not global, and a window is closed before
 * the CPU can change its address space. So INVLPG on this CPU, in this address space, removes all that a TLB holds of
 * it.
 */
static u64 *window_table;

/* The table that an entry names; makes one if there is none yet. NULL: no memory. */
static u64 *child(u64 *entry)
{
	if (!(*entry & PTE_P)) {
		u64 *table = buddy_alloc_zeroed();
		if (!table)
			return NULL;
		*entry = heap_phys(table).v | KPTE_TABLE;
	}
	return ptab_child(*entry);
}

/* The entry for va at the given level (0 = 4 KiB, 1 = 2 MiB), with all tables above it. NULL: no memory. */
static u64 *entry_for(u64 *pml4, u64 va, unsigned level)
{
	u64 *table = pml4;
	for (unsigned l = 3; l > level; l--) {
		table = child(&table[va >> (12 + 9 * l) & 511]);
		if (!table)
			return NULL;
	}
	return &table[va >> (12 + 9 * level) & 511];
}

static enum status map_page(u64 *pml4, u64 va, u64 pa, u64 flags)
{
	u64 *e = entry_for(pml4, va, 0);
	if (!e)
		return OOM;
	*e = pa | flags;
	return SUCCESS;
}

static enum status map_image(u64 *pml4, u64 image)
{
	/* From the first page of text on: what lies before, the section .boot, is not mapped any more. */
	for (u64 va = (u64)text_start; va < (u64)image_end; va += PAGE_SIZE) {
		u64 flags = va < (u64)rodata_start ? KPTE_RX : va < (u64)data_start ? KPTE_RO : KPTE_RW;
		if (map_page(pml4, va, va - KERNEL_VIRT + image, flags) != SUCCESS)
			return OOM;
	}
	return SUCCESS;
}

static enum status map_piece(u64 *pml4, struct range piece)
{
	for (u64 pa = piece.addr; pa < piece.addr + piece.size; pa += 2 * MiB) {
		u64 *e = entry_for(pml4, HEAP_MAP + pa, 1);
		if (!e)
			return OOM;
		*e = pa | KPTE_RW | PTE_PS;
	}
	return SUCCESS;
}

static enum status map_heap(u64 *pml4, const struct memmap_heap *heap)
{
	for (u32 i = 0; i < heap->count; i++)
		if (map_piece(pml4, heap->piece[i]) != SUCCESS)
			return OOM;
	kframes_share(ptab_child(pml4[PML4_INDEX(HEAP_MAP)]));
	return map_page(pml4, HEAP_MAP + VGA_FRAME_PHYS, VGA_FRAME_PHYS, KPTE_RW | KPTE_PCD | KPTE_PWT);
}

enum status kspace_map_log(struct range log)
{
	u64 *pml4 = pd_kernel.mem.host.root;
	for (u64 pa = log.addr; pa < log.addr + log.size; pa += PAGE_SIZE)
		if (map_page(pml4, HEAP_MAP + pa, pa, KPTE_RW) != SUCCESS)
			return OOM;
	return SUCCESS;
}

/* The boot tables map the low 4 GiB one to one, in pages of 2 MiB, of which this one is not cached any more. */
static void *map_device_in_boot_tables(paddr_t pa)
{
	if (pa.v >= KSPACE_BOOT_END)
		return NULL;
	boot_pd_low[pa.v / (2 * MiB)] |= KPTE_PCD | KPTE_PWT;
	invlpg(pa.v);
	return (void *)pa.v;
}

/* Devices share the gigabyte of the CPU areas, which the boot tables have, too. */
void *kspace_map_device(paddr_t pa)
{
	if (!window_table) /* there are no tables of our own yet, or not all */
		return map_device_in_boot_tables(pa);

	static unsigned used;
	u64 va = DEVICE_AREA + used * PAGE_SIZE;
	if (va >= WINDOW_AREA)
		return NULL;
	if (map_page(pd_kernel.mem.host.root, va, pa.v & PTE_ADDR, KPTE_RW | KPTE_PCD | KPTE_PWT) != SUCCESS)
		return NULL;
	used++;
	return (void *)(va + (pa.v & PAGE_MASK));
}

void *kspace_window_open(paddr_t pa, u64 flags)
{
	unsigned n = cpu_current()->id;
	window_table[n] = (pa.v & PTE_ADDR) | (flags & ~KPTE_G);
	return (void *)(WINDOW_AREA + n * PAGE_SIZE + (pa.v & PAGE_MASK));
}

void kspace_window_close(void)
{
	unsigned n = cpu_current()->id;
	WRITE_ONCE(window_table[n], 0);
	invlpg(WINDOW_AREA + n * PAGE_SIZE);
}

void *kspace_vga(void)
{
	return (void *)(HEAP_MAP + VGA_FRAME_PHYS);
}

/* The framebuffer is there before the heap, so its tables are in the image. Where only a part of 2 MiB is the
 * screen's, at either end, pages are mapped one by one: what else lies there may be memory of another type. */
static u64 screen_directory[512] aligned(PAGE_SIZE), screen_edge[2][512] aligned(PAGE_SIZE);

static u64 screen_table_entry(paddr_t load, const u64 *table)
{
	return ((u64)table - KERNEL_VIRT + load.v) | KPTE_TABLE;
}

/* Maps the part of [first, end) in the 2 MiB from base on. */
static void map_screen_edge(u64 *table, u64 base, u64 first, u64 end)
{
	for (u64 at = max_u64(base, first); at < min_u64(base + 2 * MiB, end); at += PAGE_SIZE)
		table[at >> PAGE_BITS & 511] = at | KPTE_RW | KPTE_PAT_4K;
}

void *kspace_map_framebuffer(paddr_t load, paddr_t pa, u64 size)
{
	u64 first = align_down(pa.v, PAGE_SIZE), end = align_up(pa.v + size, PAGE_SIZE);
	u64 *entry = screen_directory, base = align_down(first, 2 * MiB);
	unsigned edges = 0;

	if (size > FRAMEBUFFER_SIZE_MAX || end > bit(cpuid(0x80000008, 0).eax & 0xff))
		return NULL;
	for (; base < end; base += 2 * MiB, entry++) {
		if (base >= first && end - base >= 2 * MiB) {
			*entry = base | KPTE_RW | PTE_PS | KPTE_PAT_2M;
			continue;
		}
		*entry = screen_table_entry(load, screen_edge[edges]);
		map_screen_edge(screen_edge[edges++], base, first, end);
	}
	cpu_set_pat();
	boot_pdpt_high[PDPT_INDEX(FRAMEBUFFER_AREA)] = screen_table_entry(load, screen_directory);
	return (void *)(FRAMEBUFFER_AREA + (pa.v & (2 * MiB - 1)));
}

static enum status map_cpu_pages(u64 area, u64 from, u64 to)
{
	for (u64 offset = from; offset < to; offset += PAGE_SIZE) {
		void *page = buddy_alloc_zeroed();
		if (!page || map_page(pd_kernel.mem.host.root, area + offset, heap_phys(page).v, KPTE_RW) != SUCCESS)
			return OOM;
	}
	return SUCCESS;
}

/* Maps the area of a CPU: its data and stacks, with guard pages between, which stay empty. */
static enum status add_cpu(unsigned n)
{
	u64 area = CPU_AREA + (u64)n * CPU_AREA_SIZE;
	_Static_assert(sizeof(struct cpu) <= CPU_DATA_PAGES * PAGE_SIZE, "struct cpu fits");

	if (map_cpu_pages(area, 0, CPU_DATA_PAGES * PAGE_SIZE) != SUCCESS ||
	    map_cpu_pages(area, CPU_STACK_BASE, CPU_STACK_TOP) != SUCCESS ||
	    map_cpu_pages(area, CPU_NMI_BASE, CPU_NMI_TOP) != SUCCESS ||
	    map_cpu_pages(area, CPU_DF_BASE, CPU_DF_TOP) != SUCCESS)
		return OOM;
	if (map_cpu_pages(area, CPU_MC_BASE, CPU_MC_TOP) != SUCCESS)
		return OOM;
	return map_cpu_pages(area, CPU_DB_BASE, CPU_DB_TOP);
}

enum status kspace_init(const struct memmap_heap *heap, paddr_t image, unsigned cpus)
{
	kspace_image = image;
	if (space_mem_init(&pd_kernel.mem, &pd_kernel.account, buddy_alloc_zeroed()) != SUCCESS)
		return OOM;
	u64 *pml4 = pd_kernel.mem.host.root;
	if (map_image(pml4, image.v) != SUCCESS || map_heap(pml4, heap) != SUCCESS)
		return OOM;
	ptab_child(pml4[PML4_INDEX(KERNEL_VIRT)])[PDPT_INDEX(FRAMEBUFFER_AREA)] =
		boot_pdpt_high[PDPT_INDEX(FRAMEBUFFER_AREA)];
	for (unsigned n = 0; n < cpus; n++)
		if (add_cpu(n) != SUCCESS)
			return OOM;
	window_table = entry_for(pml4, WINDOW_AREA, 0);
	if (!window_table)
		return OOM;
	/* The CPU areas have a gigabyte of their own: one entry makes them visible in the boot tables, too. */
	boot_pdpt_high[PDPT_INDEX(CPU_AREA)] = ptab_child(pml4[PML4_INDEX(CPU_AREA)])[PDPT_INDEX(CPU_AREA)];
	return SUCCESS;
}

void kspace_show_private(void)
{
	boot_pml4[PML4_INDEX(PD_PRIVATE)] = pd_kernel.mem.host.root[PML4_INDEX(PD_PRIVATE)];
}

void kspace_share(u64 *pml4)
{
	const u64 *kernel = pd_kernel.mem.host.root;
	pml4[PML4_INDEX(HEAP_MAP)] = kernel[PML4_INDEX(HEAP_MAP)];
	pml4[PML4_INDEX(KERNEL_VIRT)] = kernel[PML4_INDEX(KERNEL_VIRT)];
}

void kspace_unshare(u64 *pml4)
{
	pml4[PML4_INDEX(HEAP_MAP)] = pml4[PML4_INDEX(KERNEL_VIRT)] = 0;
}

void kspace_enter(void)
{
	cr3_write(pd_kernel.cr3[cpu_current()->id]);
}
