/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heap rule: on machines as they are, on maps as they should not be, and against a slow search on random ones. */
#include "unit.h"

#include "arch/memory.h"
#include "fake_log.h"
#include "host.h"
#include "lib/bits.h"
#include "platform/memmap.h"

#include <hedron/hip.h>

static struct boot_info boot;
static struct acpi_info acpi;
static struct range image, heap; /* its first piece */
static struct memmap_heap all;

UNIT_FIXTURE(setup)
{
	struct range none;

	host_reset(4 * MiB);
	boot = (struct boot_info){0};
	acpi = (struct acpi_info){0};
	image = (struct range){0x6600000, 0x80000};
	assert_false(memmap_pick_log(&boot, &acpi, image, PAGE_SIZE, 0, &none)); /* of an earlier test */
	return 0;
}

static void add(u64 addr, u64 size, u32 type)
{
	boot.map[boot.map_count++] = (struct boot_map){addr, size, type};
}
static void add_ram(u64 start, u64 end)
{
	add(start, end - start, HIP_MEM_RAM);
}
static void add_reserved(u64 start, u64 end)
{
	add(start, end - start, HIP_MEM_RESERVED);
}

static void add_module(u64 start, u64 end)
{
	boot.module[boot.module_count++].image = (struct range){start, end - start};
}

/* What SeaBIOS describes for a PC with `size` bytes of memory. */
static void pc(u64 size)
{
	u64 below = min_u64(size, 3 * GiB);

	add_ram(0, 0x9fc00);
	add_reserved(0x9fc00, 0xa0000);
	add_reserved(0xf0000, 0x100000);
	add_ram(0x100000, below - 0x20000);
	add_reserved(below - 0x20000, below);
	add_reserved(0xfffc0000, 0x100000000);
	if (size > below)
		add_ram(0x100000000, 0x100000000 + size - below);
}

static bool pick(u64 wanted)
{
	all = (struct memmap_heap){7, {{1, 1}}};
	bool found = memmap_pick_heap(&boot, &acpi, image, wanted, &all);
	heap = all.piece[0];
	return found;
}

static void assert_heap(u64 wanted, u64 addr, u64 size)
{
	assert_true(pick(wanted));
	assert_int_equal(heap.size, size);
	assert_int_equal(heap.addr, addr);
}

/* The next piece. */
static void assert_piece(unsigned n, u64 addr, u64 size)
{
	assert_true(n < all.count);
	assert_int_equal(all.piece[n].size, size);
	assert_int_equal(all.piece[n].addr, addr);
}

static struct range ram;

static bool pick_log(u64 size, u64 wanted)
{
	ram = (struct range){1, 1};
	return memmap_pick_log(&boot, &acpi, image, size, wanted, &ram);
}

static void assert_log_at(u64 size, u64 wanted, u64 addr)
{
	assert_true(pick_log(size, wanted));
	assert_int_equal(ram.addr, addr);
	assert_int_equal(ram.size, size);
}

/* Entries that wrap end at the last byte there is; what else firmware says of a byte does not matter. */
UNIT_TEST(test_has_ram)
{
	add_ram(0x100000, 0x80000000);
	add_reserved(0x100000, 0x200000);
	add(4 * GiB, UINT64_MAX, HIP_MEM_RAM);
	add(0xc0000000, 0, HIP_MEM_RAM);
	assert_false(memmap_has_ram(&boot, (struct range){0, 0x100000}));
	assert_true(memmap_has_ram(&boot, (struct range){0, 0x100001}));
	assert_true(memmap_has_ram(&boot, (struct range){0x180000, 1}));
	assert_true(memmap_has_ram(&boot, (struct range){0x7fffffff, 1}));
	assert_false(memmap_has_ram(&boot, (struct range){0x80000000, 2 * GiB}));
	assert_true(memmap_has_ram(&boot, (struct range){0x80000000, 2 * GiB + 1}));
	assert_true(memmap_has_ram(&boot, (struct range){UINT64_MAX - 8, 8}));
	assert_false(memmap_has_ram(&boot, (struct range){0x100000, 0}));
}

/* The same place on all machines with enough memory, whatever lies at the ends of it. */
UNIT_TEST(test_place_of_the_log)
{
	static const struct {
		u64 memory, addr;
	} machines[] = {
		{64 * GiB, 0x50000000},  {2 * GiB, 0x50000000},   {GiB, 0x28000000},
		{512 * MiB, 0x14000000}, {256 * MiB, 0x0a000000}, {128 * MiB, 0x05000000},
	};

	for (unsigned i = 0; i < array_size(machines); i++) {
		boot.map_count = 0;
		pc(machines[i].memory);
		assert_log_at(MiB, 0, machines[i].addr);
		assert_true(pick(0));
		assert_false(range_overlaps(heap, ram));
	}
	boot.map_count = 0;
	pc(64 * MiB);
	assert_false(pick_log(MiB, 0));
}

/* What is in use is left alone, and the heap leaves the log alone. */
UNIT_TEST(test_log_and_others)
{
	pc(4 * GiB);
	add_module(0x500ff000, 0x50100000); /* the last page of it */
	assert_log_at(MiB, 0, 0x28000000);
	assert_log_at(512 * KiB, 0, 0x50000000);
	add_reserved(0x50001000, 0x50002000);
	assert_log_at(512 * KiB, 0, 0x28000000);
	assert_log_at(4096, 0, 0x50000000);

	assert_log_at(4096, 3 * GiB - 4 * MiB, 3 * GiB - 4 * MiB);
	assert_heap(2 * MiB, 3 * GiB - 6 * MiB, 2 * MiB);
	assert_log_at(4096, 0, 0x50000000); /* the last choice counts */
	assert_heap(2 * MiB, 3 * GiB - 4 * MiB, 2 * MiB);
}

/* Only where somebody wants it, or nowhere. */
UNIT_TEST(test_log_at_a_wanted_place)
{
	pc(8 * GiB);
	assert_log_at(MiB, 0x12345000, 0x12345000);
	assert_false(pick_log(MiB, image.addr + 0x1000));
	assert_false(pick_log(MiB, 0x9f000));           /* the first MiB */
	assert_false(pick_log(MiB, 3 * GiB));           /* no RAM */
	assert_false(pick_log(MiB, 3 * GiB - 0x20000)); /* reserved */
	assert_false(pick_log(2 * MiB, 3 * GiB - MiB - 0x20000));
	assert_false(pick_log(MiB, 4 * GiB)); /* not in the boot tables */
	assert_false(pick_log(MiB, 5 * GiB));
	assert_false(pick_log(MiB, UINT64_MAX - 4095));
	assert_true(pick(0)); /* no log, no obstacle */
	assert_int_equal(heap.addr + heap.size, align_down(3 * GiB - 0x20000, 2 * MiB));
}

UNIT_TEST(test_ram_total)
{
	assert_int_equal(memmap_ram_total(&boot), 0);
	pc(512 * MiB);
	assert_int_equal(memmap_ram_total(&boot), 512 * MiB - 0x20000 - 0x60400);
	add_ram(0x1000, 0x2000);           /* inside another */
	add_ram(0x100000, 0x200000);       /* the start of another */
	add_ram(0x90000, 0x9fc00 + 0x400); /* over the end of another */
	add_ram(GiB, GiB);                 /* empty */
	assert_int_equal(memmap_ram_total(&boot), 512 * MiB - 0x20000 - 0x60000);
	add(UINT64_MAX - 0xfff, 0x3000, HIP_MEM_RAM); /* wraps: what is below 2^64 counts */
	assert_int_equal(memmap_ram_total(&boot), 512 * MiB - 0x20000 - 0x60000 + 0xfff);
	add(0, UINT64_MAX, HIP_MEM_RAM);
	assert_int_equal(memmap_ram_total(&boot), UINT64_MAX);
}

/* Size of the machine, and what the rule gives. */
UNIT_TEST(test_machines)
{
	static const struct {
		u64 ram, addr, size;
	} cases[] = {
		{64 * MiB, 58 * MiB, 4 * MiB},
		{128 * MiB, 120 * MiB, 6 * MiB}, /* the image is below */
		{256 * MiB, 240 * MiB, 14 * MiB},
		{512 * MiB, 480 * MiB, 30 * MiB},
		{1 * GiB, 960 * MiB, 62 * MiB},
		{4 * GiB, 3 * GiB - 256 * MiB, 254 * MiB},
		{16 * GiB, 3 * GiB - 258 * MiB, 256 * MiB},
		{64 * GiB, 3 * GiB - 258 * MiB, 256 * MiB},
	};

	for (unsigned i = 0; i < array_size(cases); i++) {
		setup(NULL);
		pc(cases[i].ram);
		if (cases[i].ram <= 64 * MiB)
			image.addr = 0x200000;
		assert_heap(0, cases[i].addr, cases[i].size);
	}
}

/* Users look for large contiguous memory: on 512 MiB, 64 MiB that are 4 MiB aligned between 256 MiB and 480 MiB. */
UNIT_TEST(test_leaves_large_memory)
{
	static const u64 images[] = {0x6600000, 510 * MiB, 508 * MiB, 2 * MiB};

	for (unsigned i = 0; i < array_size(images); i++) {
		setup(NULL);
		pc(512 * MiB);
		image.addr = images[i];
		add_module(images[i] - 0x100000, images[i] - 0x80000);
		assert_true(pick(0));
		assert_true(heap.size >= 28 * MiB);
		assert_true(heap.addr >= (256 + 64 + 4) * MiB || heap.addr + heap.size <= (480 - 64 - 4) * MiB);
	}
}

UNIT_TEST(test_avoids_what_is_taken)
{
	pc(512 * MiB);
	assert_heap(0, 480 * MiB, 30 * MiB);

	image = (struct range){510 * MiB - 1, 1}; /* the last byte of the best place */
	assert_heap(0, 478 * MiB, 30 * MiB);
	image.addr = 510 * MiB; /* just behind it */
	assert_heap(0, 480 * MiB, 30 * MiB);
	image = (struct range){480 * MiB - 1, 1}; /* just before it */
	assert_heap(0, 480 * MiB, 30 * MiB);

	add_module(490 * MiB, 490 * MiB + 1);
	assert_heap(0, 450 * MiB - 2 * MiB, 30 * MiB); /* the image is at its end */
	boot.module[0].cmdline = 450 * MiB;
	boot.module[0].cmdline_size = 5;
	assert_heap(0, 420 * MiB, 30 * MiB);
	boot.loader[boot.loader_count++] = (struct range){420 * MiB + 0x1000, 8};
	assert_heap(0, 390 * MiB, 30 * MiB);
	add(400 * MiB, 0x1000, HIP_MEM_NVS); /* inside RAM */
	assert_heap(0, 370 * MiB, 30 * MiB);
	add(370 * MiB, 1, 0x12345678); /* of a kind nobody knows */
	assert_heap(0, 340 * MiB, 30 * MiB);
	acpi.kept[acpi.kept_count++] = (struct range){350 * MiB, 36}; /* a table in what firmware calls RAM */
	assert_heap(0, 320 * MiB, 30 * MiB);
}

UNIT_TEST(test_empty_things_take_nothing)
{
	pc(512 * MiB);
	add_reserved(490 * MiB, 490 * MiB);
	add_module(490 * MiB, 490 * MiB);
	image.size = 0;
	image.addr = 490 * MiB;
	boot.loader[boot.loader_count++] = (struct range){490 * MiB, 0};
	assert_heap(0, 480 * MiB, 30 * MiB);
}

/* Never the first MiB, even if the map says that all of it is RAM. */
UNIT_TEST(test_first_mib)
{
	image.size = 0;
	add_ram(0, 4 * MiB);
	assert_heap(0, 2 * MiB, 2 * MiB); /* 4 MiB do not fit */
	boot.map[0].size = 4 * MiB - 1;
	assert_false(pick(0));
}

UNIT_TEST(test_below_4_gib)
{
	image.size = 0;
	add_ram(3 * GiB, 6 * GiB);
	assert_heap(256 * MiB, 4 * GiB - 256 * MiB, 256 * MiB);
	setup(NULL);
	add_ram(4 * GiB, 6 * GiB);
	assert_false(pick(0));
	add_ram(4 * GiB - 2 * MiB, 4 * GiB + 2 * MiB);
	assert_heap(0, 4 * GiB - 2 * MiB, 2 * MiB);
	assert_piece(1, 6 * GiB - 126 * MiB, 126 * MiB);
	assert_int_equal(all.count, 2);
}

/* Little memory below 4 GiB, much above: users keep what is below. */
UNIT_TEST(test_above_4_gib)
{
	image.addr = MiB;
	add_ram(0, 64 * MiB);
	add_ram(4 * GiB, 20 * GiB);
	assert_heap(0, 60 * MiB, 4 * MiB);
	assert_piece(1, 20 * GiB - 252 * MiB, 252 * MiB);
	assert_int_equal(all.count, 2);
	assert_int_equal(memmap_heap_size(&all), 256 * MiB);

	add_ram(255 * GiB, 300 * GiB); /* what has no address in the kernel is left alone */
	assert_heap(4 * GiB, 60 * MiB, 4 * MiB);
	assert_piece(1, 16 * GiB + 4 * MiB, 4 * GiB - 4 * MiB);
	assert_heap(512 * MiB, 60 * MiB, 4 * MiB);
	assert_piece(1, 256 * GiB - 508 * MiB, 508 * MiB);
	add_reserved(255 * GiB + 512 * MiB, 256 * GiB);
	assert_heap(GiB, 60 * MiB, 4 * MiB);
	assert_piece(1, 20 * GiB - GiB + 4 * MiB, GiB - 4 * MiB);
}

/* Memory that caches may not hold is left alone, if there is other memory. */
UNIT_TEST(test_cached)
{
	fake_log_start();
	pc(512 * MiB);
	host_add_mem_type(0, MEM_WB);
	host_add_mem_type(500 * MiB, MEM_UC);
	assert_heap(0, 470 * MiB, 30 * MiB);
	host_add_mem_type(511 * MiB, MEM_WB);
	assert_heap(0, 470 * MiB, 30 * MiB);
	setup(NULL);
	pc(512 * MiB);
	host_add_mem_type(0, MEM_WT);
	host_add_mem_type(300 * MiB, MEM_WB); /* 20 MiB: not enough in one piece */
	host_add_mem_type(320 * MiB, MEM_UC);
	assert_heap(0, 316 * MiB, 4 * MiB);
	assert_piece(1, 304 * MiB, 12 * MiB);
	assert_piece(2, 302 * MiB, 2 * MiB);
	assert_piece(3, 300 * MiB, 2 * MiB);
	assert_int_equal(all.count, 4);
	assert_true(fake_log_empty());
	setup(NULL);
	pc(512 * MiB);
	host_add_mem_type(0, MEM_UC);
	assert_heap(0, 480 * MiB, 30 * MiB);
	assert_true(fake_log_has("no cache"));
}

UNIT_TEST(test_wanted)
{
	pc(512 * MiB);
	assert_heap(1, 508 * MiB, 2 * MiB);
	assert_heap(2 * MiB, 508 * MiB, 2 * MiB);
	assert_heap(2 * MiB + 1, 506 * MiB, 4 * MiB);
	assert_heap(400 * MiB, 110 * MiB, 400 * MiB);
	assert_heap(500 * MiB, 506 * MiB, 4 * MiB);
	assert_piece(1, 258 * MiB, 248 * MiB);
	assert_piece(2, 134 * MiB, 124 * MiB);
	assert_piece(3, 40 * MiB, 62 * MiB); /* below the image */
	assert_piece(4, 104 * MiB, 30 * MiB);
	assert_piece(5, 8 * MiB, 32 * MiB);
	assert_heap(UINT64_MAX, 506 * MiB, 4 * MiB);
	assert_piece(1, 252 * MiB, 254 * MiB); /* halved several times */
	assert_int_equal(all.count, MEMMAP_HEAP_PIECES);
}

/* What the command line asks for and does not get is said; the rule asks for nothing. */
UNIT_TEST(test_wanted_and_not_had)
{
	fake_log_start();
	pc(512 * MiB);
	assert_true(pick(400 * MiB));
	assert_true(pick(2 * MiB - 1));
	image = (struct range){MiB, 250 * MiB};
	add_reserved(260 * MiB, 502 * MiB);
	assert_true(pick(0));
	assert_true(fake_log_empty());
	assert_true(pick(16 * MiB));
	assert_true(fake_log_empty());
	assert_true(pick(16 * MiB + KiB)); /* 8 MiB at 252, 8 MiB at 502 */
	assert_true(fake_log_has("warning: boot: heap= asks for 16385 KiB, found 16384 KiB"));
	fake_log_start();
	assert_true(pick(UINT64_MAX));
	assert_true(fake_log_has("warning: boot: heap= asks for 18014398509481983 KiB, found 16384 KiB"));
}

/* Many small pieces: as many as there may be, and none below 2 MiB. */
UNIT_TEST(test_fragments)
{
	pc(512 * MiB);
	for (u64 at = 0; at < 512 * MiB; at += 8 * MiB)
		add_reserved(at, at + 0x1000);
	assert_heap(0, 506 * MiB, 4 * MiB);
	assert_piece(1, 498 * MiB, 6 * MiB); /* 26 and 12 did not fit */
	assert_piece(2, 492 * MiB, 4 * MiB); /* 20 and 10 */
	assert_piece(3, 484 * MiB, 4 * MiB); /* 16 and 8 */
	assert_piece(4, 474 * MiB, 6 * MiB); /* 12 */
	assert_piece(5, 466 * MiB, 6 * MiB);
	for (u64 at = 0; at < 512 * MiB; at += 4 * MiB)
		add_reserved(at, at + 0x1000);
	assert_heap(0, 506 * MiB, 2 * MiB);
}

UNIT_TEST(test_nothing_free)
{
	assert_false(pick(0)); /* no map */
	pc(512 * MiB);
	add_reserved(0, 512 * MiB);
	assert_false(pick(0));
	assert_false(pick(2 * MiB));
}

/* Entries that wrap around, lie at the end of the address space, or are not aligned. */
UNIT_TEST(test_odd_entries)
{
	image.size = 0;
	add(32 * MiB + 1, 8 * MiB - 2, HIP_MEM_RAM); /* [32 MiB + 1, 40 MiB - 1) */
	assert_heap(4 * MiB, 34 * MiB, 4 * MiB);
	assert_heap(8 * MiB, 34 * MiB, 4 * MiB);
	add(UINT64_MAX, UINT64_MAX, HIP_MEM_RESERVED);
	assert_heap(4 * MiB, 34 * MiB, 4 * MiB);
	add(36 * MiB, UINT64_MAX, HIP_MEM_RESERVED); /* wraps: everything from there on, nothing before */
	assert_heap(4 * MiB, 34 * MiB, 2 * MiB);
	add(16 * MiB, UINT64_MAX, HIP_MEM_RAM);
	assert_heap(4 * MiB, 32 * MiB, 4 * MiB);
}

/* ---- random maps against a search that tries every place ---- */

static bool is_free(u64 addr, u64 size)
{
	struct range r = {addr, size};
	bool inside = false;

	if (addr < 1 * MiB || range_overlaps(r, image))
		return false;
	for (unsigned i = 0; i < boot.map_count; i++) {
		struct range e = {boot.map[i].addr, boot.map[i].size};
		if (boot.map[i].type == HIP_MEM_RAM)
			inside |= addr >= e.addr && addr + size <= e.addr + e.size;
		else if (range_overlaps(r, e))
			return false;
	}
	for (unsigned i = 0; i < boot.module_count; i++)
		if (range_overlaps(r, boot.module[i].image))
			return false;
	return inside;
}

static bool overlaps_piece(const struct memmap_heap *h, struct range r)
{
	for (unsigned i = 0; i < h->count; i++)
		if (range_overlaps(h->piece[i], r))
			return true;
	return false;
}

static bool slow_piece(u64 size, struct memmap_heap *h)
{
	for (u64 addr = 320 * MiB; size && addr; addr -= 2 * MiB)
		if (is_free(addr, size) && !overlaps_piece(h, (struct range){addr, size})) {
			h->piece[h->count++] = (struct range){addr, size};
			return true;
		}
	return false;
}

static void slow_pick(u64 size, struct memmap_heap *h)
{
	h->count = 0;
	if (slow_piece(size, h))
		return;
	for (u64 next = min_u64(size, 4 * MiB); next && h->count < MEMMAP_HEAP_PIECES;)
		next = slow_piece(next, h) ? size - memmap_heap_size(h) : align_down(next / 2, 2 * MiB);
}

static struct range random_range(void)
{
	return (struct range){(u64)unit_random(256 * 1024) * KiB, (u64)unit_random(unit_random(64 * 1024) + 1) * KiB};
}

UNIT_TEST(test_random_maps)
{
	unsigned found = 0, several = 0;

	for (unsigned round = 0; round < 2000; round++) {
		setup(NULL);
		image = random_range();
		for (unsigned n = unit_random(12); n; n--) {
			struct range r = random_range();
			add(r.addr, unit_random(3) ? r.size : r.size / 16,
			    unit_random(2) ? HIP_MEM_RAM : 2 + unit_random(5));
		}
		for (unsigned n = unit_random(3); n; n--)
			boot.module[boot.module_count++].image = random_range();

		u64 wanted = (1 + unit_random(32)) * 2 * MiB;
		struct memmap_heap slow;
		slow_pick(wanted, &slow);
		assert_int_equal(pick(wanted), slow.count > 0);
		assert_int_equal(all.count, slow.count);
		for (unsigned i = 0; i < slow.count; i++)
			assert_piece(i, slow.piece[i].addr, slow.piece[i].size);
		found += slow.count > 0;
		several += slow.count > 2;
	}
	assert_true(several > 100);
	assert_in_range(found, 500, 1990); /* the maps are neither trivial nor hopeless */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(place_of_the_log),
		TEST(log_and_others),
		TEST(log_at_a_wanted_place),
		TEST(has_ram),
		TEST(ram_total),
		TEST(machines),
		TEST(leaves_large_memory),
		TEST(avoids_what_is_taken),
		TEST(empty_things_take_nothing),
		TEST(first_mib),
		TEST(below_4_gib),
		TEST(above_4_gib),
		TEST(cached),
		TEST(wanted),
		TEST(wanted_and_not_had),
		TEST(fragments),
		TEST(nothing_free),
		TEST(odd_entries),
		TEST(random_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
