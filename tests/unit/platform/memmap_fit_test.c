/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory maps made shorter: by hand, and random ones against what must not happen: reserved memory that is lost, RAM
 * that comes from nowhere. */
#include "unit.h"

#include "host.h"
#include "lib/bits.h"
#include "platform/memmap_fit.h"

#include <hedron/hip.h>

static struct boot_map map[BOOT_MAP_MAX];
static u32 count;
static u64 lost;

UNIT_FIXTURE(setup)
{
	count = 0;
	return 0;
}

static void add(u64 addr, u64 size, u32 type)
{
	map[count++] = (struct boot_map){addr, size, type};
}

static void fit(u32 room)
{
	count = memmap_fit(map, count, room, &lost);
}

static void assert_entry(u32 i, u64 addr, u64 size, u32 type)
{
	assert_true(i < count);
	assert_int_equal(map[i].addr, addr);
	assert_int_equal(map[i].size, size);
	assert_int_equal(map[i].type, type);
}

UNIT_TEST(test_what_fits_is_left_alone)
{
	add(0x5000, 0x1000, HIP_MEM_RAM);
	add(0x4000, 0x1000, HIP_MEM_RAM);
	add(0x4000, UINT64_MAX, HIP_MEM_BAD);
	add(0, 0, 77);
	fit(4);
	assert_int_equal(count, 4);
	assert_int_equal(lost, 0);
	assert_entry(0, 0x5000, 0x1000, HIP_MEM_RAM);
	assert_entry(2, 0x4000, UINT64_MAX, HIP_MEM_BAD);
	assert_entry(3, 0, 0, 77);
}

UNIT_TEST(test_neighbours_become_one)
{
	add(0x5000, 0x1000, HIP_MEM_RAM);
	add(0x4000, 0x1000, HIP_MEM_RAM);
	add(0x9000, 0x1000, HIP_MEM_NVS);
	add(0x7000, 0, HIP_MEM_RAM);
	add(0xa000, 0x1000, HIP_MEM_NVS);
	add(0xb000, 0x1000, HIP_MEM_ACPI);
	fit(3);
	assert_int_equal(count, 3);
	assert_int_equal(lost, 0);
	assert_entry(0, 0x4000, 0x2000, HIP_MEM_RAM);
	assert_entry(1, 0x9000, 0x2000, HIP_MEM_NVS);
	assert_entry(2, 0xb000, 0x1000, HIP_MEM_ACPI);
}

UNIT_TEST(test_overlaps)
{
	add(0, 1 * MiB, HIP_MEM_RAM);
	add(0x9fc00, 0x400, HIP_MEM_RESERVED);
	add(0x9fe00, 0x100, HIP_MEM_NVS); /* within */
	add(0xff000, 0x2000, HIP_MEM_ACPI);
	add(0xff800, 0x1000, HIP_MEM_RESERVED);                /* over and beyond: ACPI counts */
	add(UINT64_MAX - 0xfff, UINT64_MAX, HIP_MEM_RESERVED); /* wraps */
	add(0x1000, 0, HIP_MEM_BAD);
	fit(7);
	assert_int_equal(count, 7);
	fit(6);
	assert_int_equal(count, 6);
	assert_entry(0, 0, 0x9fc00, HIP_MEM_RAM);
	assert_entry(1, 0x9fc00, 0x200, HIP_MEM_RESERVED);
	assert_entry(2, 0x9fe00, 0x100, HIP_MEM_NVS);
	assert_entry(3, 0x9ff00, 0x100, HIP_MEM_RESERVED);
	assert_entry(4, 0xff000, 0x2000, HIP_MEM_ACPI); /* the smaller RAM before it is gone */
	assert_entry(5, UINT64_MAX - 0xfff, 0xfff, HIP_MEM_RESERVED);
	assert_int_equal(lost, 0x5f000);
}

/* Large RAM stays; reserved memory on both sides of what goes becomes one, so nothing of it is lost. */
UNIT_TEST(test_large_ram_stays)
{
	add(0x1000, 0x1000, HIP_MEM_RESERVED);
	add(0x2000, 0x1000, HIP_MEM_RAM);
	add(0x3000, 0x1000, HIP_MEM_RESERVED);
	add(0x4000, 0x9000, HIP_MEM_RAM);
	add(0xd000, 0x1000, HIP_MEM_RESERVED);
	add(0xe000, 0x2000, HIP_MEM_RAM);
	add(0x10000, 0x1000, HIP_MEM_ACPI);
	fit(5);
	assert_int_equal(count, 5);
	assert_int_equal(lost, 0x1000);
	assert_entry(0, 0x1000, 0x3000, HIP_MEM_RESERVED);
	assert_entry(1, 0x4000, 0x9000, HIP_MEM_RAM);
	fit(4);
	assert_int_equal(lost, 0x2000);
	assert_entry(3, 0x10000, 0x1000, HIP_MEM_ACPI);
	fit(3);
	assert_int_equal(lost, 0);
	assert_entry(0, 0x1000, 0x3000, HIP_MEM_RESERVED);
	assert_entry(1, 0x4000, 0x9000, HIP_MEM_RAM);
	assert_entry(2, 0xd000, 0x4000, HIP_MEM_RESERVED); /* two types */
}

static void too_small(void *arg)
{
	(void)arg;
	fit(MEMMAP_FIT_MIN - 1);
}

UNIT_TEST(test_kernel_bugs)
{
	assert_true(host_panics(too_small, NULL));
}

/* ---- random maps ---- */

static struct boot_map before[BOOT_MAP_MAX];
static u32 before_count;

/* Whether a byte is in an entry that is RAM, or in one that is not. */
static bool is_in(const struct boot_map *m, u32 n, u64 at, bool ram)
{
	for (u32 i = 0; i < n; i++) {
		struct range r = memmap_fit_range(&m[i]);
		if ((m[i].type == HIP_MEM_RAM) == ram && at - r.addr < r.size)
			return true;
	}
	return false;
}

/* At one byte: what was reserved is so, and RAM has been RAM and nothing else. */
static void check_at(u64 at)
{
	bool reserved = is_in(before, before_count, at, false);

	if (at == UINT64_MAX)
		return;
	if (reserved)
		assert_true(is_in(map, count, at, false));
	if (is_in(map, count, at, true))
		assert_true(is_in(before, before_count, at, true) && !reserved);
}

static u64 largest_ram(void)
{
	u64 size = 0;

	for (u32 i = 0; i < count; i++)
		if (map[i].type == HIP_MEM_RAM)
			size = max_u64(size, map[i].size);
	return size;
}

static void check(u32 room)
{
	assert_true(count <= room);
	for (u32 i = 0; i < count; i++)
		assert_true(map[i].size && (!i || map[i - 1].addr + map[i - 1].size <= map[i].addr));
	for (u32 i = 0; i < before_count; i++) {
		struct range r = memmap_fit_range(&before[i]);
		check_at(r.addr - 1);
		check_at(r.addr);
		check_at(r.addr + r.size - 1);
		check_at(r.addr + r.size);
	}
}

static void random_map(void)
{
	count = 0;
	while (count < BOOT_MAP_MAX) {
		u64 size = (u64)unit_random(unit_random(64) + 1) << 12;
		add((u64)unit_random(4096) << 12, unit_random(50) ? size : UINT64_MAX - unit_random(3),
		    unit_random(3) ? HIP_MEM_RAM : unit_random(6));
		if (unit_random(100) < 2)
			break;
	}
	before_count = count;
	memcpy(before, map, sizeof(map));
}

UNIT_TEST(test_random_maps)
{
	unsigned shorter = 0;

	for (unsigned round = 0; round < 300; round++) {
		random_map();
		if (count < 5)
			continue;
		fit(count - 1); /* only sorted, mostly */
		check(before_count - 1);
		u64 largest = largest_ram();
		u32 room = MEMMAP_FIT_MIN + unit_random(before_count - MEMMAP_FIT_MIN);
		u32 sorted = count;
		fit(room);
		check(room);
		assert_int_equal(largest_ram(), largest);
		shorter += count < sorted;
	}
	assert_in_range(shorter, 100, 300);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(what_fits_is_left_alone), TEST(neighbours_become_one), TEST(overlaps),
		TEST(large_ram_stays),         TEST(kernel_bugs),           TEST(random_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
