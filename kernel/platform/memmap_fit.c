/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/memmap_fit.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "platform/panic.h"

#include <hedron/hip.h>

/* Sorted and without overlaps. Each entry of the map adds at most two borders, so this is large enough. */
static struct {
	u32 count;
	struct boot_map e[2 * BOOT_MAP_MAX];
} sorted;

struct range memmap_fit_range(const struct boot_map *e)
{
	return (struct range){e->addr, min_u64(e->size, UINT64_MAX - e->addr)};
}

static bool is_ram(const struct boot_map *e)
{
	return e->type == HIP_MEM_RAM;
}

static u64 end_of(const struct boot_map *e)
{
	struct range r = memmap_fit_range(e);
	return r.addr + r.size;
}

/* Where entries overlap, the one of the highest rank counts. RAM has the lowest; a type with a larger number is a
 * more special one. */
static u64 rank(const struct boot_map *e)
{
	return is_ram(e) ? 0 : 1 + (u64)e->type;
}

/* The entry that counts at `at`, or NULL; it does so up to *until. */
static const struct boot_map *entry_at(const struct boot_map *map, u32 count, u64 at, u64 *until)
{
	const struct boot_map *best = NULL;

	*until = UINT64_MAX;
	for (u32 i = 0; i < count; i++) {
		u64 end = end_of(&map[i]);
		if (map[i].addr > at && end > map[i].addr)
			*until = min_u64(*until, map[i].addr);
		if (map[i].addr > at || end <= at)
			continue;
		*until = min_u64(*until, end);
		if (!best || rank(&map[i]) > rank(best))
			best = &map[i];
	}
	return best;
}

static void append(u64 addr, u64 size, u32 type)
{
	struct boot_map *last = sorted.count ? &sorted.e[sorted.count - 1] : NULL;

	if (last && last->type == type && end_of(last) == addr) {
		last->size += size;
		return;
	}
	kassert(sorted.count < array_size(sorted.e));
	sorted.e[sorted.count++] = (struct boot_map){addr, size, type};
}

static void sort(const struct boot_map *map, u32 count)
{
	u64 until;

	sorted.count = 0;
	for (u64 at = 0; at < UINT64_MAX; at = until) {
		const struct boot_map *e = entry_at(map, count, at, &until);
		if (e)
			append(at, until - at, e->type);
	}
}

static void take_out(u32 n)
{
	memmove(&sorted.e[n], &sorted.e[n + 1], (--sorted.count - n) * sizeof(sorted.e[0]));
}

/* Makes one entry of n and n + 1 and what is between them; if their types differ, it is reserved. */
static void join(u32 n)
{
	struct boot_map *a = &sorted.e[n], *b = a + 1;

	a->size = end_of(b) - a->addr;
	a->type = a->type == b->type ? a->type : (u32)HIP_MEM_RESERVED;
	take_out(n + 1);
}

/* The smallest RAM, if there are two; else sorted.count. */
static u32 smallest_ram(void)
{
	u32 best = sorted.count, number = 0;

	for (u32 i = 0; i < sorted.count; i++) {
		if (!is_ram(&sorted.e[i]))
			continue;
		number++;
		if (best == sorted.count || sorted.e[i].size < sorted.e[best].size)
			best = i;
	}
	return number > 1 ? best : sorted.count;
}

static u64 drop_ram(u32 n)
{
	u64 size = sorted.e[n].size;

	take_out(n);
	if (n && n < sorted.count && sorted.e[n - 1].type == sorted.e[n].type && !is_ram(&sorted.e[n]))
		join(n - 1);
	return size;
}

/* At most one entry is RAM, and there are more than MEMMAP_FIT_MIN: so there are two neighbours that are not RAM. */
static void join_closest(void)
{
	u32 best = sorted.count;
	u64 least = UINT64_MAX;

	for (u32 i = 0; i + 1 < sorted.count; i++) {
		const struct boot_map *a = &sorted.e[i], *b = a + 1;
		if (is_ram(a) || is_ram(b) || b->addr - end_of(a) >= least)
			continue;
		best = i;
		least = b->addr - end_of(a);
	}
	kassert(best < sorted.count);
	join(best);
}

u32 memmap_fit(struct boot_map *map, u32 count, u32 room, u64 *lost)
{
	kassert(room >= MEMMAP_FIT_MIN && count <= BOOT_MAP_MAX);
	*lost = 0;
	if (count <= room)
		return count;

	sort(map, count);
	while (sorted.count > room) {
		u32 n = smallest_ram();
		if (n < sorted.count)
			*lost += drop_ram(n);
		else
			join_closest();
	}
	memcpy(map, sorted.e, sorted.count * sizeof(map[0]));
	return sorted.count;
}
