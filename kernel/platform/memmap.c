/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memmap.h"

#include "arch/memory.h"
#include "lib/bits.h"
#include "platform/console.h"
#include "platform/memmap_fit.h"

#include <hedron/hip.h>

static bool is_ram(const struct boot_map *e)
{
	return e->type == HIP_MEM_RAM;
}

bool memmap_has_ram(const struct boot_info *boot, struct range r)
{
	for (u32 i = 0; i < boot->map_count; i++)
		if (is_ram(&boot->map[i]) && range_overlaps(memmap_fit_range(&boot->map[i]), r))
			return true;
	return false;
}

u64 memmap_ram_total(const struct boot_info *boot)
{
	u64 total = 0, done = 0;

	for (;;) {
		/* Of what is above `done`: the RAM that starts lowest. */
		u64 start = UINT64_MAX, end = UINT64_MAX;
		for (u32 i = 0; i < boot->map_count; i++) {
			struct range r = memmap_fit_range(&boot->map[i]);
			u64 from = max_u64(r.addr, done);
			if (is_ram(&boot->map[i]) && r.addr + r.size > done && from < start) {
				start = from;
				end = r.addr + r.size;
			}
		}
		if (start == UINT64_MAX)
			return total;
		total += end - start;
		done = end;
	}
}

static struct range log_range; /* what memmap_pick_log() has chosen; empty: nothing */

/* All ranges that heap and log must not overlap. Used at boot only, by one CPU. */
static struct {
	u32 count;
	struct range
		range[3 + MEMMAP_HEAP_PIECES + BOOT_MAP_MAX + BOOT_LOADER_MAX + 2 * BOOT_MODULES_MAX + ACPI_KEPT_MAX];
} taken;

static void take(u64 addr, u64 size)
{
	taken.range[taken.count++] = (struct range){addr, size};
}

static void collect_taken(const struct boot_info *boot, const struct acpi_info *acpi, struct range image)
{
	taken.count = 0;
	take(0, 1 * MiB);
	take(image.addr, image.size);
	take(log_range.addr, log_range.size);
	for (u32 i = 0; i < boot->map_count; i++)
		if (!is_ram(&boot->map[i]))
			take(boot->map[i].addr, memmap_fit_range(&boot->map[i]).size);
	for (u32 i = 0; i < boot->loader_count; i++)
		take(boot->loader[i].addr, boot->loader[i].size);
	for (u32 i = 0; i < boot->module_count; i++) {
		const struct boot_module *m = &boot->module[i];
		take(m->image.addr, m->image.size);
		take(m->cmdline, m->cmdline_size);
	}
	for (u32 i = 0; i < acpi->kept_count; i++)
		take(acpi->kept[i].addr, acpi->kept[i].size);
}

static const struct range *find_taken(struct range r)
{
	for (u32 i = 0; i < taken.count; i++)
		if (range_overlaps(taken.range[i], r))
			return &taken.range[i];
	return NULL;
}

/* The first part of r that the caches may not hold. Size 0: there is none. */
static struct range find_uncached(struct range r)
{
	u64 end = r.addr + r.size, until;

	for (u64 at = r.addr; at < end; at = until)
		if (arch_mem_type(paddr(at), end - at, &until) != MEM_WB)
			return (struct range){at, until - at};
	return (struct range){0, 0};
}

/* What a piece of the heap has to be. */
struct wish {
	u64 size, below;
	bool cached;
};

/* The highest free place in `ram`: from its end downwards, each time to below what is in the way. */
static bool place_in(struct range ram, struct wish w, u64 *addr)
{
	u64 end = min_u64(ram.addr + ram.size, w.below), size = w.size;

	for (;;) {
		if (end < size)
			return false;
		*addr = align_down(end - size, MEMMAP_HEAP_ALIGN);
		if (*addr < ram.addr)
			return false;
		struct range here = {*addr, size}, uncached = {0, 0};
		const struct range *obstacle = find_taken(here);
		if (!obstacle && w.cached) {
			uncached = find_uncached(here);
			obstacle = uncached.size ? &uncached : NULL;
		}
		if (!obstacle)
			return true;
		end = obstacle->addr;
	}
}

static bool place(const struct boot_info *boot, struct wish w, u64 *addr)
{
	bool found = false;

	for (u32 i = 0; i < boot->map_count; i++) {
		u64 here;
		if (!is_ram(&boot->map[i]) || !place_in(memmap_fit_range(&boot->map[i]), w, &here))
			continue;
		*addr = found ? max_u64(*addr, here) : here;
		found = true;
	}
	return found;
}

static bool is_free_ram(const struct boot_info *boot, struct range r)
{
	if (r.addr >= 4 * GiB || r.size > 4 * GiB - r.addr || find_taken(r))
		return false;
	for (u32 i = 0; i < boot->map_count; i++) {
		struct range ram = memmap_fit_range(&boot->map[i]);
		if (is_ram(&boot->map[i]) && ram.addr <= r.addr && r.addr - ram.addr <= ram.size &&
		    r.size <= ram.size - (r.addr - ram.addr))
			return true;
	}
	return false;
}

bool memmap_pick_log(const struct boot_info *boot, const struct acpi_info *acpi, struct range image, u64 size,
		     u64 wanted, struct range *log)
{
	u64 last = wanted ? wanted : MEMMAP_LOG_LAST;

	log_range = (struct range){0};
	collect_taken(boot, acpi, image);
	for (u64 at = wanted ? wanted : MEMMAP_LOG_PLACE; at >= last; at /= 2) {
		if (is_free_ram(boot, (struct range){at, size})) {
			*log = log_range = (struct range){at, size};
			return true;
		}
	}
	return false;
}

static bool add_piece(const struct boot_info *boot, struct wish w, struct memmap_heap *heap)
{
	u64 addr;

	if (!w.size || heap->count == array_size(heap->piece) || !place(boot, w, &addr))
		return false;
	heap->piece[heap->count++] = (struct range){addr, w.size};
	take(addr, w.size);
	return true;
}

/* The same, or half the size, and so on. */
static bool add_piece_or_less(const struct boot_info *boot, struct wish w, struct memmap_heap *heap)
{
	for (; w.size; w.size = align_down(w.size / 2, MEMMAP_HEAP_ALIGN))
		if (add_piece(boot, w, heap))
			return true;
	return false;
}

u64 memmap_heap_size(const struct memmap_heap *heap)
{
	u64 size = 0;

	for (u32 i = 0; i < heap->count; i++)
		size += heap->piece[i].size;
	return size;
}

static void find_pieces(const struct boot_info *boot, u64 size, bool cached, struct memmap_heap *heap)
{
	struct wish w = {size, 4 * GiB, cached};

	heap->count = 0;
	if (add_piece(boot, w, heap))
		return;
	w.size = min_u64(size, MEMMAP_HEAP_MIN);
	while (add_piece_or_less(boot, w, heap))
		w = (struct wish){size - memmap_heap_size(heap), MEMMAP_HEAP_END, cached};
}

static u64 size_by_rule(const struct boot_info *boot)
{
	u64 size = memmap_ram_total(boot) / 16;

	return align_down(min_u64(max_u64(size, MEMMAP_HEAP_MIN), MEMMAP_HEAP_MAX), MEMMAP_HEAP_ALIGN);
}

bool memmap_pick_heap(const struct boot_info *boot, const struct acpi_info *acpi, struct range image, u64 wanted,
		      struct memmap_heap *heap)
{
	u64 size = wanted ? align_up(min_u64(wanted, 4 * GiB), MEMMAP_HEAP_ALIGN) : size_by_rule(boot), found;

	collect_taken(boot, acpi, image);
	find_pieces(boot, size, true, heap);
	if (!heap->count) {
		find_pieces(boot, size, false, heap);
		if (!heap->count)
			return false;
		log_warn("boot: firmware lets no cache hold the memory of the heap: all will be slow");
	}
	found = memmap_heap_size(heap);
	if (found < wanted)
		log_warn("boot: heap= asks for %llu KiB, found %llu KiB", wanted / KiB, found / KiB);
	return true;
}
