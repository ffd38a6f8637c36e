/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multiboot 1, and what is neither: good information, every kind of damage, and more than there is room for. */
#include "multiboot_fixture.h"

/* ---- neither ---- */

UNIT_TEST(test_unknown_magic)
{
	memset(&boot, 0xa5, sizeof(boot));
	assert_false(multiboot_parse(0x12345678, paddr(INFO), &boot));
	assert_int_equal(boot.protocol, BOOT_NONE);
	assert_int_equal(boot.map_count + boot.module_count + boot.loader_count + boot.rsdp_size, 0);
	assert_string_equal(boot.cmdline, "");
	assert_true(fake_log_has("0x12345678"));
}

UNIT_TEST(test_unreadable)
{
	assert_false(multiboot_parse(MULTIBOOT1_MAGIC, paddr(0x1000), &boot));
	assert_false(multiboot_parse(MULTIBOOT2_MAGIC, paddr(0x1000), &boot));
	assert_false(multiboot_parse(MULTIBOOT1_MAGIC, paddr(INFO + 0x10000 - 8), &boot));
	assert_false(multiboot_parse(MULTIBOOT1_MAGIC, paddr(UINT64_MAX - 8), &boot));
	assert_true(fake_log_has("no usable boot information"));
}

/* ---- Multiboot 1 ---- */

enum { MEM = 1, CMDLINE = 4, MODS = 8, MMAP = 64 };

static void mb1(u32 flags)
{
	physical_put32(INFO, flags);
}

static void mb1_map(u64 at, u32 size, u64 addr, u64 length, u32 type)
{
	physical_put32(at, size);
	physical_put64(at + 4, addr);
	physical_put64(at + 12, length);
	physical_put32(at + 20, type);
}

static void mb1_mmap(u32 addr, u32 length)
{
	physical_put32(INFO + 44, length);
	physical_put32(INFO + 48, addr);
}

static void mb1_module(u64 at, u32 start, u32 end, u32 cmdline)
{
	physical_put32(at, start);
	physical_put32(at + 4, end);
	physical_put32(at + 8, cmdline);
}

static void mb1_mods(u32 count, u32 addr)
{
	physical_put32(INFO + 20, count);
	physical_put32(INFO + 24, addr);
}

static void parse1(void)
{
	assert_true(multiboot_parse(MULTIBOOT1_MAGIC, paddr(INFO), &boot));
	assert_int_equal(boot.protocol, BOOT_MB1);
}

UNIT_TEST(test_mb1)
{
	mb1(MEM | CMDLINE | MODS | MMAP);
	physical_put32(INFO + 4, 639);
	physical_put32(INFO + 8, 65536);
	put_text(DATA, "hypervisor serial novga");
	physical_put32(INFO + 16, DATA);
	mb1_map(DATA + 0x100, 20, 0, 0x9fc00, 1);
	mb1_map(DATA + 0x118, 28, 0x9fc00, 0x400, 2); /* longer than usual */
	mb1_map(DATA + 0x138, 20, 0x100000, 0x1fee0000, 1);
	mb1_map(DATA + 0x150, 20, 0xfffffffffffff000, 0xffffffff00000000, 0xdeadbeef); /* nonsense is copied, too */
	mb1_mmap(DATA + 0x100, 0x68);
	put_text(DATA + 0x300, "root.elf a b");
	mb1_module(DATA + 0x200, 0x200000, 0x234567, DATA + 0x300);
	mb1_module(DATA + 0x210, 0x300000, 0x300000, 0);
	mb1_mods(2, DATA + 0x200);

	parse1();
	assert_false(boot.efi);
	assert_string_equal(boot.cmdline, "hypervisor serial novga");
	assert_int_equal(boot.map_count, 4);
	assert_map(0, 0, 0x9fc00, 1);
	assert_map(1, 0x9fc00, 0x400, 2);
	assert_map(2, 0x100000, 0x1fee0000, 1);
	assert_map(3, 0xfffffffffffff000, 0xffffffff00000000, 0xdeadbeef);
	assert_int_equal(boot.module_count, 2);
	assert_module(0, 0x200000, 0x34567, DATA + 0x300, 13);
	assert_module(1, 0x300000, 0, 0, 0);
	assert_int_equal(boot.loader_count, 4);
	assert_loader(0, INFO, 116);
	assert_loader(1, DATA, 24);
	assert_loader(2, DATA + 0x100, 0x68);
	assert_loader(3, DATA + 0x200, 32);
	assert_int_equal(boot.rsdp_size, 0);
	assert_true(fake_log_empty());
}

/* Without flags the fields mean nothing, whatever they hold. */
UNIT_TEST(test_mb1_no_flags)
{
	memset(physical_at(INFO, 116), 0xff, 116);
	mb1(0);
	parse1();
	assert_int_equal(boot.map_count + boot.module_count, 0);
	assert_int_equal(boot.loader_count, 1);
	assert_string_equal(boot.cmdline, "");
}

UNIT_TEST(test_mb1_lower_upper)
{
	mb1(MEM);
	physical_put32(INFO + 4, 640);
	physical_put32(INFO + 8, 0xffffffff); /* KiB: does not fit 32 bits in bytes */
	parse1();
	assert_int_equal(boot.map_count, 2);
	assert_map(0, 0, 640 * KiB, HIP_MEM_RAM);
	assert_map(1, 1 * MiB, 0xffffffff * KiB, HIP_MEM_RAM);

	/* also when the map turns out to be useless, but not beside a good one */
	mb1(MEM | MMAP);
	mb1_map(DATA, 3, 0, 0x1000, 1);
	mb1_mmap(DATA, 24);
	parse1();
	assert_int_equal(boot.map_count, 2);
	mb1_map(DATA, 20, 0, 0x1000, 1);
	parse1();
	assert_int_equal(boot.map_count, 1);
}

UNIT_TEST(test_mb1_map_damage)
{
	static const struct {
		u32 second_size, length, entries;
	} cases[] = {
		{20, 72, 3},         /* as it should be */
		{20, 71, 2},         /* ends within the third */
		{20, 24, 1},         /* one */
		{20, 23, 0},         /* not even one */
		{20, 0, 0},          /* none */
		{0, 72, 1},          /* stands still */
		{19, 72, 1},         /* too small by one */
		{0xfffffffc, 72, 2}, /* wraps 32 bits to where it is */
		{0xffffffff, 72, 2}, /* jumps far away */
		{44, 72, 2},         /* jumps to the end */
		{20, 0xffffffff, 3}, /* longer than the memory: zeroes follow */
	};

	for (unsigned i = 0; i < array_size(cases); i++) {
		mb1(MMAP);
		mb1_map(DATA, 20, 0x1000, 0x1000, 1);
		mb1_map(DATA + 24, cases[i].second_size, 0x2000, 0x1000, 1);
		mb1_map(DATA + 48, 20, 0x3000, 0x1000, 1);
		mb1_mmap(DATA, cases[i].length);
		parse1();
		assert_int_equal(boot.map_count, cases[i].entries);
	}
	assert_true(fake_log_has("memory map is damaged at byte 24"));

	mb1_mmap(0xfffffff0, 0xffffffff); /* nothing there */
	parse1();
	assert_int_equal(boot.map_count, 0);
}

/* However long the loader says its lists are, only so much is kept from the heap. */
UNIT_TEST(test_mb1_loader_ranges_are_bounded)
{
	mb1(MMAP | MODS | CMDLINE);
	mb1_mmap(DATA, 0xffffffff);
	mb1_mods(0xffffffff, DATA);
	physical_put32(INFO + 16, 0xffff0000);
	parse1();
	for (unsigned i = 0; i < boot.loader_count; i++)
		assert_true(boot.loader[i].size <= 64 * KiB);
}

/* More entries than there is room for: all count, the last ones too, and what is reserved is not lost. */
UNIT_TEST(test_mb1_map_too_long)
{
	const u32 many = 3 * BOOT_MAP_MAX;

	mb1(MMAP);
	for (u32 i = 0; i < many; i++) /* pages of RAM with one that is reserved after every other */
		mb1_map(DATA + 24 * i, 20, i * PAGE_SIZE, PAGE_SIZE, i % 3 == 2 ? 2 : 1);
	mb1_map(DATA + 24 * many, 20, 4 * GiB, 4 * GiB, 1);

	mb1_mmap(DATA, 24 * BOOT_MAP_MAX);
	parse1();
	assert_int_equal(boot.map_count, BOOT_MAP_MAX);
	assert_false(boot.map_joined);
	assert_true(fake_log_empty());

	mb1_mmap(DATA, 24 * (many + 1));
	parse1();
	assert_true(boot.map_count <= BOOT_MAP_MAX && boot.map_joined);
	assert_true(fake_log_has("more than 256 entries"));
	assert_map(boot.map_count - 1, 4 * GiB, 4 * GiB, 1);
	for (u32 page = 2; page < many; page += 3) {
		bool found = false;
		for (u32 i = 0; i < boot.map_count; i++) {
			bool inside = page * PAGE_SIZE - boot.map[i].addr < boot.map[i].size;
			assert_false(inside && boot.map[i].type == 1);
			found |= inside;
		}
		assert_true(found);
	}
}

UNIT_TEST(test_mb1_modules)
{
	mb1(MODS);
	for (u32 i = 0; i < BOOT_MODULES_MAX + 1; i++)
		mb1_module(DATA + 16 * i, 0x100000 * i, 0x100000 * i + i, 0);

	mb1_mods(BOOT_MODULES_MAX, DATA);
	parse1();
	assert_int_equal(boot.module_count, BOOT_MODULES_MAX);
	assert_true(fake_log_empty());

	mb1_mods(0xffffffff, DATA);
	parse1();
	assert_int_equal(boot.module_count, BOOT_MODULES_MAX);
	assert_true(boot.modules_cut);
	assert_true(fake_log_has("more than 32 modules"));
	assert_module(31, 0x1f00000, 31, 0, 0);

	mb1_module(DATA, 0x5000, 0x4fff, 0); /* ends before it starts */
	mb1_mods(2, DATA);
	parse1();
	assert_int_equal(boot.module_count, 1);
	assert_module(0, 0x100000, 1, 0, 0);
	assert_true(fake_log_has("ends at 0x4fff before"));

	mb1_mods(3, DATA + 0x10000 - 20); /* the list ends in nothing */
	mb1_module(DATA + 0x10000 - 20, 0x8000, 0x9000, 0);
	parse1();
	assert_int_equal(boot.module_count, 1);
	assert_true(fake_log_has("module list cannot be read"));
}

/* A command line of a module that never ends is none: user land would run after it. */
UNIT_TEST(test_mb1_module_cmdline)
{
	mb1(MODS);
	physical_add(2 * MiB, 64 * KiB + PAGE_SIZE);
	memset(physical_at(2 * MiB, 64 * KiB), 'x', 64 * KiB);
	mb1_mods(1, DATA);

	mb1_module(DATA, 0x100000, 0x200000, 2 * MiB);
	parse1();
	assert_module(0, 0x100000, 0x100000, 0, 0);
	assert_true(fake_log_has("command line of module 0 does not end within 65536 bytes, left out"));

	*physical_at(2 * MiB + 64 * KiB - 1, 1) = 0;
	fake_log_start();
	parse1();
	assert_module(0, 0x100000, 0x100000, 2 * MiB, 64 * KiB);
	assert_true(fake_log_empty());

	mb1_module(DATA, 0x100000, 0x200000, 0xdead0000);
	parse1();
	assert_module(0, 0x100000, 0x100000, 0, 0);
}

UNIT_TEST(test_mb1_cmdline)
{
	mb1(CMDLINE);
	parse1(); /* at 0: none */
	assert_string_equal(boot.cmdline, "");
	assert_int_equal(boot.loader_count, 1);

	memset(physical_at(DATA, 0x2000), 'y', 0x2000); /* as long as there is room */
	*physical_at(DATA + BOOT_CMDLINE_MAX - 1, 1) = 0;
	physical_put32(INFO + 16, DATA);
	parse1();
	assert_int_equal(strlen(boot.cmdline), BOOT_CMDLINE_MAX - 1);
	assert_true(fake_log_empty());
	*physical_at(DATA + BOOT_CMDLINE_MAX - 1, 1) = 'y'; /* longer: no word is cut in two */
	*physical_at(DATA + BOOT_CMDLINE_MAX - 10, 1) = ' ';
	parse1();
	assert_int_equal(strlen(boot.cmdline), BOOT_CMDLINE_MAX - 9);
	assert_true(fake_log_has("longer than 4095 bytes, what follows the first 4087 is ignored"));
	*physical_at(DATA + BOOT_CMDLINE_MAX - 10, 1) = 'y';
	parse1();
	assert_string_equal(boot.cmdline, "");

	put_text(DATA + 0x10000 - 7, "at end"); /* the last bytes of the memory */
	physical_put32(INFO + 16, DATA + 0x10000 - 7);
	parse1();
	assert_string_equal(boot.cmdline, "at end");

	*physical_at(DATA + 0x10000 - 1, 1) = 'x'; /* runs out of the memory */
	parse1();
	assert_string_equal(boot.cmdline, "");
	assert_true(fake_log_has("cannot be read"));
}

UNIT_TEST(test_mb1_screen)
{
	mb1(1 << 12);
	put_screen(INFO + 88, 0, 1);
	parse1();
	assert_screen();

	mb1(0); /* nothing is said of one */
	parse1();
	assert_int_equal(boot.screen, BOOT_SCREEN_UNKNOWN);

	mb1(1 << 12);
	put_screen(INFO + 88, 0, 2);
	parse1();
	assert_int_equal(boot.screen, BOOT_SCREEN_TEXT);
	put_screen(INFO + 88, 0, 0);
	parse1();
	assert_int_equal(boot.screen, BOOT_SCREEN_INDEXED);
	assert_true(fake_log_empty());
	put_screen(INFO + 88, 0, 3);
	parse1();
	assert_int_equal(boot.screen, BOOT_SCREEN_UNKNOWN);
	assert_true(fake_log_has("screen is damaged"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(unknown_magic),
		TEST(unreadable),
		TEST(mb1),
		TEST(mb1_no_flags),
		TEST(mb1_lower_upper),
		TEST(mb1_map_damage),
		TEST(mb1_loader_ranges_are_bounded),
		TEST(mb1_map_too_long),
		TEST(mb1_modules),
		TEST(mb1_module_cmdline),
		TEST(mb1_cmdline),
		TEST(mb1_screen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
