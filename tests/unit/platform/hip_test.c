/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "fake_log.h"
#include "host.h"
#include "lib/bits.h"
#include "platform/hip.h"

static union {
	struct hip hip;
	u8 bytes[PAGE_SIZE];
	u16 words[PAGE_SIZE / 2];
} page;
static struct boot_info boot;
static struct acpi_info acpi;

UNIT_FIXTURE(setup)
{
	memset(&page, 0xa5, sizeof(page));
	boot = (struct boot_info){0};
	acpi = (struct acpi_info){0};
	fake_log_start();
	return 0;
}

static void init(const struct range *claimed, unsigned count)
{
	hip_init(&page.hip, &boot, &acpi, claimed, count);
	hip_finish(&page.hip);
}

static void assert_mem(unsigned i, u64 addr, u64 size, u32 type, u32 aux)
{
	const struct hip_mem *m = &page.hip.mem[i];

	assert_true(page.hip.length >= 0x470 + 24 * (i + 1));
	assert_int_equal(m->addr, addr);
	assert_int_equal(m->size, size);
	assert_int_equal(m->type, type);
	assert_int_equal(m->aux, aux);
}

/* The sum of all words in [0, length). */
static void assert_checksum(void)
{
	u16 sum = 0;

	for (unsigned i = 0; i < page.hip.length / 2; i++)
		sum = (u16)(sum + page.words[i]);
	assert_int_equal(sum, 0);
}

static u32 word_at(unsigned offset)
{
	u32 v;

	memcpy(&v, page.bytes + offset, 4);
	return v;
}

/* By offset, as user land reads it. */
UNIT_TEST(test_fixed_fields)
{
	init(NULL, 0);
	assert_memory_equal(page.bytes, "HDRN", 4);
	assert_int_equal(word_at(4) >> 16, 0x470);
	assert_int_equal(word_at(8), 0x00080070);
	assert_int_equal(word_at(12), 0x00180470);
	assert_int_equal(word_at(16), HIP_EXT_TRACE | HIP_EXT_CONSOLE | HIP_EXT_MEMORY | HIP_EXT_IRQ);
	assert_int_equal(word_at(20), 13002);
	assert_int_equal(word_at(24), 0x4000000);
	assert_int_equal(word_at(28), 32);
	assert_int_equal(word_at(32), 256);
	assert_int_equal(word_at(36), 4096);
	assert_int_equal(word_at(40), 4096);
	for (unsigned i = 44; i < PAGE_SIZE; i++) /* nothing of what was in the page before */
		assert_int_equal(page.bytes[i], 0);
	assert_checksum();
}

/* Behind all that `length` counts, so that old users do not see it. */
UNIT_TEST(test_console)
{
	static const u8 wanted[] = {0, 32, 0, 0, 0x00, 0x40, 0x03, 0xfe, 0x34, 0x12, 0, 0};

	init(NULL, 0);
	hip_set_serial(&page.hip, (struct hip_gas){.space = HIP_GAS_MEMORY, .bits = 32, .addr = 0x1234fe034000});
	hip_finish(&page.hip);
	assert_int_equal(word_at(16),
			 HIP_EXT_TRACE | HIP_EXT_CONSOLE | HIP_EXT_MEMORY | HIP_EXT_IRQ | HIP_EXT_SERIAL);
	assert_int_equal(word_at(4) >> 16, 0x470);
	assert_memory_equal(page.bytes + PAGE_SIZE - 12, wanted, 12);
	assert_checksum();
}

/* Between the screen and the serial line, and as little in the way of old users. */
UNIT_TEST(test_build_id)
{
	static const u8 id[20] = {0x8e, 0x1c, 0xd7, 0x3d, 5,  6,  7,  8,  9,  10,
				  11,   12,   13,   14,   15, 16, 17, 18, 19, 0xff};

	boot.text = true;
	init(NULL, 0);
	u32 before = word_at(16);
	hip_set_serial(&page.hip, (struct hip_gas){.space = HIP_GAS_PORTS, .bits = 8, .addr = 0x3f8});
	hip_set_build_id(&page.hip, id);
	hip_finish(&page.hip);
	assert_int_equal(word_at(16), before | 1 << 21 | 1 << 24);
	assert_int_equal(word_at(4) >> 16, 0x470);
	assert_memory_equal(page.bytes + 4064, id, 20);
	assert_int_equal(page.bytes[0xfc0 + 24], 16); /* the screen, */
	assert_int_equal(page.bytes[4085], 8);        /* and the line */
	assert_checksum();
}

UNIT_TEST(test_acpi_fields)
{
	boot.efi = true;
	acpi = (struct acpi_info){
		.root = 0x123456789abc,
		.dmar = 0x7fe00000,
		.mcfg_base = 0xe0000000,
		.mcfg_size = 0x10000000,
		.pm1a_cnt = {.space = 1, .bits = 16, .addr = 0x604},
		.pm1b_cnt = {.space = 0, .bits = 32, .addr = 0xfed01234},
	};
	init(NULL, 0);
	assert_int_equal(word_at(16),
			 HIP_FEATURE_UEFI | HIP_EXT_TRACE | HIP_EXT_CONSOLE | HIP_EXT_MEMORY | HIP_EXT_IRQ);
	assert_int_equal(word_at(48), 0xe0000000);
	assert_int_equal(word_at(56), 0x10000000);
	assert_int_equal(word_at(64), 0x7fe00000);
	assert_int_equal(word_at(80), 0x56789abc);
	assert_int_equal(word_at(84), 0x1234);
	assert_int_equal(word_at(88), 0x1001);
	assert_int_equal(word_at(92), 0x604);
	assert_int_equal(word_at(100), 0x2000);
	assert_int_equal(word_at(104), 0xfed01234);
	assert_checksum();
}

UNIT_TEST(test_memory)
{
	const struct range claimed[] = {{0x6600000, 0x1000}};

	boot.map_count = 3;
	boot.map[0] = (struct boot_map){0x123, 0x9fc01, HIP_MEM_RAM}; /* unmodified */
	boot.map[1] = (struct boot_map){0xfffffffffffff000, 0x5000, 0x77};
	boot.map[2] = (struct boot_map){0, 0, 0};
	boot.module_count = 2;
	boot.module[0] = (struct boot_module){{0x200000, 12345}, 0x9010, 7};
	boot.module[1] = (struct boot_module){{0x300000, 0}, 0, 0};
	init(claimed, 1);
	assert_int_equal(page.hip.length, 0x470 + 6 * 24);
	assert_mem(0, 0x123, 0x9fc01, 1, 0);
	assert_mem(1, 0xfffffffffffff000, 0x5000, 0x77, 0);
	assert_mem(2, 0, 0, 0, 0);
	assert_mem(3, 0x200000, 12345, 0xfffffffe, 0x9010);
	assert_mem(4, 0x300000, 0, 0xfffffffe, 0);
	assert_mem(5, 0x6600000, 0x1000, 0xffffffff, 0);
	assert_checksum();
	assert_true(fake_log_empty());
}

/* Claimed ranges: whole pages, sorted; what touches or overlaps is one. */
UNIT_TEST(test_claimed)
{
	static const struct {
		struct range in[4];
		unsigned in_count;
		struct range out[4];
		unsigned out_count;
	} cases[] = {
		{{{0x5000, 0x1000}}, 1, {{0x5000, 0x1000}}, 1},
		{{{0x5001, 1}}, 1, {{0x5000, 0x1000}}, 1},
		{{{0x5fff, 2}}, 1, {{0x5000, 0x2000}}, 1},
		{{{0x5000, 0}}, 1, {{0}}, 0},
		{{{0x9000, 0x1000}, {0x5000, 0x1000}}, 2, {{0x5000, 0x1000}, {0x9000, 0x1000}}, 2},
		{{{0x6000, 0x1000}, {0x5000, 0x1000}}, 2, {{0x5000, 0x2000}}, 1},
		{{{0x5000, 0x800}, {0x5800, 0x800}}, 2, {{0x5000, 0x1000}}, 1}, /* touch by rounding */
		{{{0x5000, 0x4000}, {0x6000, 0x1000}}, 2, {{0x5000, 0x4000}}, 1},
		{{{0x5000, 0x4000}, {0x5000, 0x6000}}, 2, {{0x5000, 0x6000}}, 1},
		{{{0x8000, 0x1000}, {0x5000, 0x1000}, {0x7000, 0x1000}, {0x6000, 0x1000}}, 4, {{0x5000, 0x4000}}, 1},
		{{{0x9000, 0x1000}, {0x5000, 0x1000}, {0, 0}, {0x7000, 0x1000}},
		 4,
		 {{0x5000, 0x1000}, {0x7000, 0x1000}, {0x9000, 0x1000}},
		 3},
	};

	for (unsigned i = 0; i < array_size(cases); i++) {
		init(cases[i].in, cases[i].in_count);
		assert_int_equal(page.hip.length, 0x470 + 24 * cases[i].out_count);
		for (unsigned n = 0; n < cases[i].out_count; n++)
			assert_mem(n, cases[i].out[n].addr, cases[i].out[n].size, 0xffffffff, 0);
		assert_checksum();
	}
}

/* The page is full: modules and the kernel's ranges stay, the map is made shorter, and it is said. */
UNIT_TEST(test_too_many)
{
	const struct range claimed[] = {{0x1000, 0x1000}, {0x5000, 0x1000}};
	unsigned room = HIP_MEM_MAX - BOOT_MODULES_MAX - 2;

	boot.module_count = BOOT_MODULES_MAX;
	for (unsigned i = 0; i < BOOT_MODULES_MAX; i++)
		boot.module[i].image = (struct range){0x100000 * i, i};
	for (unsigned i = 0; i < BOOT_MAP_MAX; i++)
		boot.map[i] = (struct boot_map){i * PAGE_SIZE, PAGE_SIZE / 2 + i, i == BOOT_MAP_MAX - 2 ? 2 : 1};

	boot.map_count = room;
	init(claimed, 2);
	assert_true(fake_log_empty());
	assert_int_equal(page.hip.length, 0x470 + 24 * HIP_MEM_MAX);

	boot.map_count = BOOT_MAP_MAX;
	init(claimed, 2);
	assert_true(fake_log_has("of 256 entries of the memory map, joined"));
	assert_int_equal(page.hip.length, 0x470 + 24 * HIP_MEM_MAX);
	assert_true(page.hip.length <= HIP_SERIAL);
	/* the largest ones, and what is reserved */
	unsigned first = BOOT_MAP_MAX - room;
	assert_mem(0, first * PAGE_SIZE, PAGE_SIZE / 2 + first, 1, 0);
	assert_mem(room - 2, 254 * PAGE_SIZE, PAGE_SIZE / 2 + 254, 2, 0);
	assert_mem(room - 1, 255 * PAGE_SIZE, PAGE_SIZE / 2 + 255, 1, 0);
	assert_mem(room, 0, 0, 0xfffffffe, 0);
	assert_mem(HIP_MEM_MAX - 3, 0x1f00000, 31, 0xfffffffe, 0);
	assert_mem(HIP_MEM_MAX - 1, 0x5000, 0x1000, 0xffffffff, 0);
	assert_checksum();
}

/* The screen is behind everything else, also when the page is full, and outside of the checksum. */
UNIT_TEST(test_screen)
{
	struct hip_framebuffer fb = {
		.addr = 0x4000000000, .pitch = 5120, .width = 1280, .height = 800, .first_row = 256, .bits = 32};

	init(NULL, 0);
	assert_int_equal(page.hip.api_flg & HIP_EXT_FRAMEBUFFER, 0);
	for (unsigned i = page.hip.length; i < PAGE_SIZE; i++)
		assert_int_equal(page.bytes[i], 0);

	boot.framebuffer = fb;
	boot.screen = BOOT_SCREEN_RGB;
	boot.map_count = BOOT_MAP_MAX;
	init(NULL, 0);
	assert_int_equal(page.hip.api_flg & 1 << 20, 1 << 20);
	assert_true(page.hip.length <= 0xfc0);
	assert_memory_equal(page.bytes + 0xfc0, &fb, sizeof(fb));
	assert_checksum();

	boot.screen = BOOT_SCREEN_TEXT;
	init(NULL, 0);
	assert_int_equal(page.hip.api_flg & (HIP_EXT_FRAMEBUFFER | HIP_EXT_TEXT), 0);
	assert_int_equal(word_at(0xfc0), 0);
}

/* One of characters: announced where the kernel writes on it itself. */
UNIT_TEST(test_screen_of_text)
{
	static const struct hip_framebuffer text = {
		.addr = 0xb8000, .pitch = 160, .width = 80, .height = 25, .first_row = 10, .bits = 16};

	boot.text = true;
	init(NULL, 0);
	assert_int_equal(page.hip.api_flg & (HIP_EXT_FRAMEBUFFER | HIP_EXT_TEXT), 1 << 23);
	assert_memory_equal(page.bytes + 0xfc0, &text, sizeof(text));
	assert_checksum();
}

UNIT_TEST(test_cpus)
{
	init(NULL, 0);
	hip_set_cpu(&page.hip, 0, (struct acpi_cpu){1, 2}, 3, 4, 5);
	hip_set_cpu(&page.hip, 127, (struct acpi_cpu){0x1ff, 0x2fe}, 256, 257, 258); /* the low 8 bits */
	static const u8 first[8] = {1, 5, 4, 3, 1, 2, 0, 0}, last[8] = {1, 2, 1, 0, 0xff, 0xfe, 0, 0}, absent[8];
	assert_memory_equal(page.bytes + 112, first, 8);
	assert_memory_equal(page.bytes + 112 + 8, absent, 8);
	assert_memory_equal(page.bytes + 112 + 127 * 8, last, 8);

	hip_finish(&page.hip);
	assert_checksum();
	u16 before = page.hip.checksum;
	page.hip.freq_tsc = 2600000;
	page.hip.api_flg |= HIP_FEATURE_VMX;
	hip_finish(&page.hip); /* again, after changes */
	assert_checksum();
	assert_int_not_equal(page.hip.checksum, before);
}

static void set_cpu_128(void *arg)
{
	(void)arg;
	hip_set_cpu(&page.hip, HEDRON_CPU_MAX, (struct acpi_cpu){0, 0}, 0, 0, 0);
}

static void claim_too_much(void *arg)
{
	static const struct range claimed[HIP_CLAIMED_MAX + 1];
	(void)arg;
	init(claimed, HIP_CLAIMED_MAX + 1);
}

UNIT_TEST(test_kernel_bugs)
{
	assert_true(host_panics(set_cpu_128, NULL));
	assert_true(host_panics(claim_too_much, NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(fixed_fields),   TEST(console), TEST(build_id),    TEST(acpi_fields),
		TEST(memory),         TEST(claimed), TEST(too_many),    TEST(screen),
		TEST(screen_of_text), TEST(cpus),    TEST(kernel_bugs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
