/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both boot protocols: good information, every kind of damage, and more than there is room for. */
#include "unit.h"

#include <stdio.h>

#include "fake_log.h"
#include "physical.h"
#include "platform/multiboot.h"

#include <hedron/hip.h>

#define INFO 0x9000
#define DATA 0x20000 /* where the lists of Multiboot 1 are */

static struct boot_info boot;

static int setup(void **state)
{
	(void)state;
	physical_reset();
	physical_add(INFO, 0x10000);
	physical_add(DATA, 0x10000);
	fake_log_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	physical_reset();
	return 0;
}

static void assert_map(unsigned i, u64 addr, u64 size, u32 type)
{
	assert_int_equal(boot.map[i].addr, addr);
	assert_int_equal(boot.map[i].size, size);
	assert_int_equal(boot.map[i].type, type);
}

static void assert_module(unsigned i, u64 addr, u64 size, u64 cmdline, u64 cmdline_size)
{
	assert_int_equal(boot.module[i].image.addr, addr);
	assert_int_equal(boot.module[i].image.size, size);
	assert_int_equal(boot.module[i].cmdline, cmdline);
	assert_int_equal(boot.module[i].cmdline_size, cmdline_size);
}

static void assert_loader(unsigned i, u64 addr, u64 size)
{
	assert_true(i < boot.loader_count);
	assert_int_equal(boot.loader[i].addr, addr);
	assert_int_equal(boot.loader[i].size, size);
}

static void put_text(u64 pa, const char *text)
{
	physical_put(pa, text, strlen(text) + 1);
}

/* ---- neither ---- */

static void test_unknown_magic(void **state)
{
	(void)state;
	memset(&boot, 0xa5, sizeof(boot));
	assert_false(multiboot_parse(0x12345678, paddr(INFO), &boot));
	assert_int_equal(boot.protocol, BOOT_NONE);
	assert_int_equal(boot.map_count + boot.module_count + boot.loader_count + boot.rsdp_size, 0);
	assert_string_equal(boot.cmdline, "");
	assert_true(fake_log_has("0x12345678"));
}

static void test_unreadable(void **state)
{
	(void)state;
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

static void test_mb1(void **state)
{
	(void)state;
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
static void test_mb1_no_flags(void **state)
{
	(void)state;
	memset(physical_at(INFO, 116), 0xff, 116);
	mb1(0);
	parse1();
	assert_int_equal(boot.map_count + boot.module_count, 0);
	assert_int_equal(boot.loader_count, 1);
	assert_string_equal(boot.cmdline, "");
}

static void test_mb1_lower_upper(void **state)
{
	(void)state;
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

static void test_mb1_map_damage(void **state)
{
	(void)state;
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
static void test_mb1_loader_ranges_are_bounded(void **state)
{
	(void)state;
	mb1(MMAP | MODS | CMDLINE);
	mb1_mmap(DATA, 0xffffffff);
	mb1_mods(0xffffffff, DATA);
	physical_put32(INFO + 16, 0xffff0000);
	parse1();
	for (unsigned i = 0; i < boot.loader_count; i++)
		assert_true(boot.loader[i].size <= 64 * KiB);
}

static void test_mb1_map_too_long(void **state)
{
	(void)state;
	mb1(MMAP);
	for (u32 i = 0; i < BOOT_MAP_MAX + 2; i++)
		mb1_map(DATA + 24 * i, 20, i, 1, 1);

	mb1_mmap(DATA, 24 * BOOT_MAP_MAX);
	parse1();
	assert_int_equal(boot.map_count, BOOT_MAP_MAX);
	assert_false(boot.map_cut);
	assert_true(fake_log_empty());

	mb1_mmap(DATA, 24 * (BOOT_MAP_MAX + 1));
	parse1();
	assert_int_equal(boot.map_count, BOOT_MAP_MAX);
	assert_true(boot.map_cut);
	assert_true(fake_log_has("more than 256 entries"));
	assert_map(BOOT_MAP_MAX - 1, BOOT_MAP_MAX - 1, 1, 1);
}

static void test_mb1_modules(void **state)
{
	(void)state;
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
static void test_mb1_module_cmdline(void **state)
{
	(void)state;
	mb1(MODS);
	memset(physical_at(DATA + 0x1000, 0x2000), 'x', 0x2000);
	mb1_mods(1, DATA);

	mb1_module(DATA, 0x100000, 0x200000, DATA + 0x1000);
	parse1();
	assert_module(0, 0x100000, 0x100000, 0, 0);

	*physical_at(DATA + 0x1000 + 4095, 1) = 0;
	parse1();
	assert_module(0, 0x100000, 0x100000, DATA + 0x1000, 4096);

	mb1_module(DATA, 0x100000, 0x200000, 0xdead0000);
	parse1();
	assert_module(0, 0x100000, 0x100000, 0, 0);
}

static void test_mb1_cmdline(void **state)
{
	(void)state;
	mb1(CMDLINE);
	parse1(); /* at 0: none */
	assert_string_equal(boot.cmdline, "");
	assert_int_equal(boot.loader_count, 1);

	memset(physical_at(DATA, 0x1000), 'y', 0x1000); /* longer than there is room */
	physical_put32(INFO + 16, DATA);
	parse1();
	assert_int_equal(strlen(boot.cmdline), BOOT_CMDLINE_MAX - 1);

	put_text(DATA + 0x10000 - 7, "at end"); /* the last bytes of the memory */
	physical_put32(INFO + 16, DATA + 0x10000 - 7);
	parse1();
	assert_string_equal(boot.cmdline, "at end");

	*physical_at(DATA + 0x10000 - 1, 1) = 'x'; /* runs out of the memory */
	parse1();
	assert_string_equal(boot.cmdline, "");
	assert_true(fake_log_has("cannot be read"));
}

/* ---- Multiboot 2 ---- */

static u64 mb2_end;

static void mb2_start(void)
{
	memset(physical_at(INFO, 0x10000), 0, 0x10000);
	mb2_end = INFO + 8;
	physical_put32(INFO, 8);
}

/* Adds a tag; returns where its content is. */
static u64 mb2_tag(u32 type, u32 content)
{
	u64 at = mb2_end;

	physical_put32(at, type);
	physical_put32(at + 4, 8 + content);
	mb2_end += align_up(8 + content, 8);
	physical_put32(INFO, (u32)(mb2_end - INFO));
	return at + 8;
}

static u64 mb2_module(u32 start, u32 end, const char *cmdline)
{
	u64 at = mb2_tag(3, (u32)(8 + strlen(cmdline) + 1));

	physical_put32(at, start);
	physical_put32(at + 4, end);
	put_text(at + 8, cmdline);
	return at + 8;
}

static u64 mb2_mmap(u32 entry_size, u32 entries)
{
	u64 at = mb2_tag(6, 8 + entry_size * entries);

	physical_put32(at, entry_size);
	for (u32 i = 0; i < entries && entry_size >= 20; i++) {
		physical_put64(at + 8 + entry_size * i, 0x1000 * (i + 1));
		physical_put64(at + 16 + entry_size * i, 0x800 + i);
		physical_put32(at + 24 + entry_size * i, i % 6);
	}
	return at;
}

static void parse2(void)
{
	assert_true(multiboot_parse(MULTIBOOT2_MAGIC, paddr(INFO), &boot));
	assert_int_equal(boot.protocol, BOOT_MB2);
}

static void test_mb2(void **state)
{
	(void)state;
	mb2_start();
	put_text(mb2_tag(1, 7), "serial");
	put_text(mb2_tag(2, 5), "GRUB"); /* a tag that says nothing to us */
	u64 first = mb2_module(0x200000, 0x212345, "root with words"), second = mb2_module(0x300000, 0x300000, "");
	physical_put32(mb2_tag(4, 8), 639);
	mb2_mmap(24, 5);
	mb2_tag(0, 0);

	parse2();
	assert_false(boot.efi);
	assert_string_equal(boot.cmdline, "serial");
	assert_int_equal(boot.module_count, 2);
	assert_module(0, 0x200000, 0x12345, first, 16);
	assert_module(1, 0x300000, 0, second, 1);
	assert_int_equal(boot.map_count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_map(i, 0x1000 * (i + 1), 0x800 + i, i % 6);
	assert_int_equal(boot.loader_count, 1);
	assert_loader(0, INFO, mb2_end - INFO);
	assert_true(fake_log_empty());
}

static void test_mb2_efi(void **state)
{
	(void)state;
	static const u32 efi[] = {11, 12, 19, 20}, other[] = {5, 7, 8, 9, 10, 13, 16, 17, 18, 21};

	for (unsigned i = 0; i < array_size(efi); i++) {
		mb2_start();
		mb2_tag(efi[i], 8);
		parse2();
		assert_true(boot.efi);
	}
	for (unsigned i = 0; i < array_size(other); i++) {
		mb2_start();
		mb2_tag(other[i], 8);
		parse2();
		assert_false(boot.efi);
	}
}

static void put_rsdp(u32 type, u32 size, char fill)
{
	u64 at = mb2_tag(type, size);
	memset(physical_at(at, size), fill, size);
}

static void test_mb2_rsdp(void **state)
{
	(void)state;
	mb2_start();
	put_rsdp(14, 20, 'o');
	parse2();
	assert_int_equal(boot.rsdp_size, 20);
	assert_int_equal(boot.rsdp[19], 'o');

	put_rsdp(15, 36, 'n');
	parse2();
	assert_int_equal(boot.rsdp_size, 36);
	assert_int_equal(boot.rsdp[35], 'n');

	mb2_start(); /* the new one first */
	put_rsdp(15, 36, 'n');
	put_rsdp(14, 20, 'o');
	parse2();
	assert_int_equal(boot.rsdp_size, 36);
	assert_int_equal(boot.rsdp[0], 'n');

	mb2_start(); /* longer than we keep */
	put_rsdp(15, 200, 'l');
	parse2();
	assert_int_equal(boot.rsdp_size, BOOT_RSDP_MAX);

	mb2_start();
	put_rsdp(15, 0, 'e');
	parse2();
	assert_int_equal(boot.rsdp_size, 0);
}

static void test_mb2_lower_upper(void **state)
{
	(void)state;
	mb2_start();
	u64 at = mb2_tag(4, 8);
	physical_put32(at, 640);
	physical_put32(at + 4, 1024);
	parse2();
	assert_int_equal(boot.map_count, 2);
	assert_map(1, 1 * MiB, 1 * MiB, HIP_MEM_RAM);

	mb2_mmap(24, 1);
	parse2();
	assert_int_equal(boot.map_count, 1);

	mb2_start();
	mb2_tag(4, 7); /* too short */
	parse2();
	assert_int_equal(boot.map_count, 0);
}

static void test_mb2_header(void **state)
{
	(void)state;
	mb2_start();
	for (u64 shift = 1; shift < 8; shift++) { /* must be aligned */
		physical_put32(INFO + shift, 8);
		assert_false(multiboot_parse(MULTIBOOT2_MAGIC, paddr(INFO + shift), &boot));
	}
	mb2_start();
	for (u32 size = 0; size < 8; size++) {
		physical_put32(INFO, size);
		assert_false(multiboot_parse(MULTIBOOT2_MAGIC, paddr(INFO), &boot));
	}
	for (u32 size = 8; size < 16; size++) { /* no room for a tag */
		physical_put32(INFO, size);
		parse2();
	}
	assert_int_equal(boot.loader[0].size, 15);
}

/* A tag may not reach beyond the end, nor stand still; those before it count. */
static void test_mb2_tag_damage(void **state)
{
	(void)state;
	static const u32 sizes[] = {0, 1, 7, 0x80, 0x7fffffff, 0xfffffff8, 0xffffffff};

	for (unsigned i = 0; i < array_size(sizes); i++) {
		mb2_start();
		mb2_module(0x100000, 0x200000, "a");
		u64 bad = mb2_module(0x200000, 0x300000, "b");
		mb2_module(0x300000, 0x400000, "c");
		physical_put32(bad - 12, sizes[i]);
		fake_log_start();
		parse2();
		assert_int_equal(boot.module_count, 1);
		assert_true(fake_log_has("damaged at byte 32"));
	}

	mb2_start(); /* behind the end tag there is nothing */
	mb2_tag(0, 0);
	mb2_module(0x100000, 0x200000, "a");
	parse2();
	assert_int_equal(boot.module_count, 0);

	mb2_start(); /* no end tag */
	mb2_module(0x100000, 0x200000, "a");
	fake_log_start();
	parse2();
	assert_int_equal(boot.module_count, 1);
	assert_true(fake_log_empty());

	mb2_start(); /* says it is longer than the memory: zeroes are the end tag's type with a bad size */
	mb2_module(0x100000, 0x200000, "a");
	physical_put32(INFO, 0xffffffff);
	parse2();
	assert_int_equal(boot.module_count, 1);
	assert_int_equal(boot.loader[0].size, 1 * MiB);
}

static void test_mb2_map_damage(void **state)
{
	(void)state;
	static const struct {
		u32 entry_size, content, entries;
	} cases[] = {
		{24, 8 + 72, 3}, {24, 8 + 71, 2}, {24, 8 + 24, 1}, {24, 8 + 23, 0},     {24, 8, 0},  {24, 7, 0},
		{24, 0, 0},      {0, 80, 0},      {23, 80, 0},     {0xffffffff, 80, 1}, {32, 80, 2}, {80, 80, 1},
	};

	for (unsigned i = 0; i < array_size(cases); i++) {
		mb2_start();
		u64 at = mb2_tag(6, cases[i].content);
		if (cases[i].content >= 4)
			physical_put32(at, cases[i].entry_size);
		parse2();
		assert_int_equal(boot.map_count, cases[i].entries);
	}
	assert_true(fake_log_has("memory map is damaged"));
}

static void test_mb2_too_much(void **state)
{
	(void)state;
	mb2_start();
	for (unsigned i = 0; i < BOOT_MODULES_MAX + 3; i++)
		mb2_module(0x1000 * i, 0x1000 * i + i, "m");
	mb2_mmap(24, BOOT_MAP_MAX);
	parse2();
	assert_int_equal(boot.module_count, BOOT_MODULES_MAX);
	assert_int_equal(boot.map_count, BOOT_MAP_MAX);
	assert_true(fake_log_has("more than 32 modules"));
	assert_false(fake_log_has("entries"));

	mb2_mmap(24, 1); /* a second map is added to the first */
	parse2();
	assert_int_equal(boot.map_count, BOOT_MAP_MAX);
	assert_true(fake_log_has("more than 256 entries"));
}

static void test_mb2_module_damage(void **state)
{
	(void)state;
	mb2_start();
	mb2_tag(3, 7);          /* too short */
	u64 at = mb2_tag(3, 8); /* no command line at all */
	physical_put32(at, 0x1000);
	physical_put32(at + 4, 0x2000);
	at = mb2_module(0x3000, 0x4000, "abc"); /* no NUL within the tag */
	*physical_at(at + 3, 1) = 'd';
	mb2_module(0x5000, 0x4000, "abc"); /* ends before it starts */
	parse2();
	assert_int_equal(boot.module_count, 2);
	assert_module(0, 0x1000, 0x1000, 0, 0);
	assert_module(1, 0x3000, 0x1000, 0, 0);
	assert_true(fake_log_has("module tag is damaged"));
	assert_true(fake_log_has("before its start"));
}

/* A command line ends with its tag, also without a NUL. */
static void test_mb2_cmdline(void **state)
{
	(void)state;
	mb2_start();
	physical_put(mb2_tag(1, 6), "serialx", 7);
	parse2();
	assert_string_equal(boot.cmdline, "serial");

	mb2_start();
	mb2_tag(1, 0);
	parse2();
	assert_string_equal(boot.cmdline, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
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
		TEST(mb2),
		TEST(mb2_efi),
		TEST(mb2_rsdp),
		TEST(mb2_lower_upper),
		TEST(mb2_header),
		TEST(mb2_tag_damage),
		TEST(mb2_map_damage),
		TEST(mb2_too_much),
		TEST(mb2_module_damage),
		TEST(mb2_cmdline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
