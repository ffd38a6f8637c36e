/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multiboot 2: good information, every kind of damage, and more than there is room for. */
#include "multiboot_fixture.h"

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

UNIT_TEST(test_mb2)
{
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

UNIT_TEST(test_mb2_efi)
{
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

UNIT_TEST(test_mb2_rsdp)
{
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

UNIT_TEST(test_mb2_lower_upper)
{
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

UNIT_TEST(test_mb2_header)
{
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
UNIT_TEST(test_mb2_tag_damage)
{
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

UNIT_TEST(test_mb2_map_damage)
{
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

UNIT_TEST(test_mb2_too_much)
{
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
	assert_in_range(boot.map_count, 2, BOOT_MAP_MAX);
	assert_true(fake_log_has("more than 256 entries"));
}

UNIT_TEST(test_mb2_module_damage)
{
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
UNIT_TEST(test_mb2_cmdline)
{
	mb2_start();
	physical_put(mb2_tag(1, 6), "serialx", 7);
	parse2();
	assert_string_equal(boot.cmdline, "serial");

	mb2_start();
	mb2_tag(1, 0);
	parse2();
	assert_string_equal(boot.cmdline, "");
}

UNIT_TEST(test_mb2_screen)
{
	mb2_start();
	put_screen(mb2_tag(8, 30), 2, 1);
	parse2();
	assert_screen();
	assert_true(fake_log_empty());

	mb2_start();
	put_screen(mb2_tag(8, 24), 2, 2); /* no colours, and none are needed */
	parse2();
	assert_int_equal(boot.screen, BOOT_SCREEN_TEXT);
	assert_int_equal(boot.framebuffer.red_size, 0);
	assert_true(fake_log_empty());
}

/* A tag that is too short for its kind of screen; one that ends where memory does. */
UNIT_TEST(test_mb2_screen_damage)
{
	static const u32 short_by[] = {1, 8, 9, 30};

	for (unsigned i = 0; i < array_size(short_by); i++) {
		mb2_start();
		put_screen(mb2_tag(8, 30 - short_by[i]), 2, 1);
		fake_log_start();
		parse2();
		assert_int_equal(boot.screen, BOOT_SCREEN_UNKNOWN);
		assert_true(fake_log_has("screen is damaged"));
	}
	mb2_start();
	put_screen(mb2_tag(8, 30), 2, 7);
	parse2();
	assert_int_equal(boot.screen, BOOT_SCREEN_UNKNOWN);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
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
		TEST(mb2_screen),
		TEST(mb2_screen_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
