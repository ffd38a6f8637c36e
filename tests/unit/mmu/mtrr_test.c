/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory types from MTRRs: which range decides, where a type ends, and the order in which the registers are written
 * after sleep. The registers are a table here. Manual: SDM vol. 3, 12.11.2 (registers), 12.11.4.1 (precedence),
 * 12.11.8 (changing them).
 */
#include "unit.h"

#include "arch/memory.h"
#include "cpu/cpu.h"
#include "platform/fake_log.h"

#define MSRS 0x300
#define VARIABLE_MAX 10
#define PHYS_BITS 36

static u64 msrs[MSRS], fake_cr0, fake_cr4;
static bool has_mtrrs_bit;
static char events[256];
struct cpu_features cpu_features = {.phys_bits = PHYS_BITS};

static void event(const char *text)
{
	assert_true(strlen(events) + strlen(text) < sizeof(events));
	strcat(events, text);
}

static struct cpuid fake_cpuid(u32 leaf)
{
	assert_int_equal(leaf, 1);
	return (struct cpuid){.edx = has_mtrrs_bit ? 1u << 12 : 0};
}

static u64 fake_msr_read(u32 msr)
{
	assert_true(has_mtrrs_bit && msr < MSRS);
	assert_true(msr == 0xfe || msr == 0x2ff || (msr >= 0x200 && msr < 0x200 + 2 * VARIABLE_MAX) ||
		    (msr >= 0x250 && msr < 0x270));
	return msrs[msr];
}

static void fake_msr_write(u32 msr, u64 v)
{
	assert_true(fake_cr0 & CR0_CD); /* caches are off */
	if (msr == 0x2ff)
		event(v & 1 << 11 ? "on " : "off ");
	else
		assert_false(msrs[0x2ff] & 1 << 11);
	msrs[msr] = v;
}

static void fake_cr0_write(u64 v)
{
	assert_false(v & CR0_NW);
	event(v & CR0_CD ? "CD " : "cd ");
	fake_cr0 = v;
}

static void fake_cr4_write(u64 v)
{
	event(v & CR4_PGE ? "PGE " : "pge ");
	fake_cr4 = v;
}

bool msr_read_safe(u32 msr, u64 *v)
{
	*v = fake_msr_read(msr);
	return true;
}

/* The code under test sees these instead of the instructions. */
#define arch_mem_type mtrr_type
#define cpuid(leaf, sub) fake_cpuid(leaf)
#define msr_read fake_msr_read
#define msr_write fake_msr_write
#define cr0_read() fake_cr0
#define cr4_read() fake_cr4
#define cr3_read() 0
#define cr0_write fake_cr0_write
#define cr4_write fake_cr4_write
#define cr3_write(v) event(((void)(v), "flush "))
#define wbinvd() event("wbinvd ")
u8 mtrr_type(paddr_t pa, u64 size, u64 *same_until);
#include "mmu/mtrr.c"

/* ---- registers as firmware leaves them ---- */

#define DEF_ON (1u << 11)
#define DEF_FIXED (1u << 10)

UNIT_FIXTURE(setup)
{
	memset(msrs, 0, sizeof(msrs));
	has_mtrrs_bit = true;
	msrs[0xfe] = VARIABLE_MAX | 1 << 8 | 1 << 10;
	msrs[0x2ff] = DEF_ON | MEM_WB;
	fake_cr0 = fake_cr4 = 0;
	events[0] = '\0';
	return 0;
}

static void variable(unsigned n, u64 base, u64 size, u8 type)
{
	msrs[0x200 + 2 * n] = base | type;
	msrs[0x201 + 2 * n] = (bits_low(PHYS_BITS) & ~(size - 1)) | 1 << 11;
}

static void assert_type(u64 pa, u64 size, u8 type, u64 until)
{
	u64 same_until;
	assert_int_equal(mtrr_type(paddr(pa), size, &same_until), type);
	assert_int_equal(same_until, until);
}

UNIT_TEST(without_mtrrs_all_is_wb)
{
	has_mtrrs_bit = false;
	assert_type(0, 4 * GiB, MEM_WB, 4 * GiB);
}

UNIT_TEST(disabled_all_is_uc)
{
	variable(0, 0, 2 * GiB, MEM_WB);
	msrs[0x250] = 0x0606060606060606;
	msrs[0x2ff] = DEF_FIXED | MEM_WB;
	assert_type(0, 4 * GiB, MEM_UC, 4 * GiB);
	assert_type(GiB, GiB, MEM_UC, 2 * GiB);
}

UNIT_TEST(what_no_range_has_is_the_default)
{
	static const u8 types[] = {MEM_UC, MEM_WC, MEM_WT, MEM_WP, MEM_WB};

	for (unsigned i = 0; i < array_size(types); i++) {
		msrs[0x2ff] = DEF_ON | types[i];
		assert_type(0, bit(PHYS_BITS), types[i], bit(PHYS_BITS));
	}
}

UNIT_TEST(fixed_ranges_decide_below_1_mib)
{
	msrs[0x2ff] = DEF_ON | DEF_FIXED | MEM_UC;
	variable(0, 0, 2 * GiB, MEM_WT);
	msrs[0x250] = 0x0106060606060604; /* 64 KiB each, from 0 */
	msrs[0x258] = 0x0606060606060606; /* 16 KiB each, from 0x80000 */
	msrs[0x259] = 0x0400000000000001; /* from 0xa0000 */
	msrs[0x268] = 0x0500000000000006; /* 4 KiB each, from 0xc0000 */
	msrs[0x26f] = 0x0600000000000001; /* from 0xf8000 */
	assert_type(0, GiB, MEM_WT, 0x10000);
	assert_type(0xf000, 0x1000, MEM_WT, 0x10000);
	assert_type(0x10000, GiB, MEM_WB, 0x20000);
	assert_type(0x7f000, GiB, MEM_WC, 0x80000);
	assert_type(0x80000, GiB, MEM_WB, 0x84000);
	assert_type(0xa0000, GiB, MEM_WC, 0xa4000);
	assert_type(0xa4000, 0x1000, MEM_UC, 0xa5000);
	assert_type(0xbc000, GiB, MEM_WT, 0xc0000);
	assert_type(0xc0000, GiB, MEM_WB, 0xc1000);
	assert_type(0xc7000, GiB, MEM_WP, 0xc8000);
	assert_type(0xf8000, GiB, MEM_WC, 0xf9000);
	assert_type(0xff000, GiB, MEM_WB, 0x100000);
	assert_type(0x100000, 4 * GiB, MEM_WT, 2 * GiB);
}

UNIT_TEST(unused_fixed_ranges_do_not)
{
	variable(0, 0, 512 * MiB, MEM_WT);
	msrs[0x2ff] = DEF_ON | MEM_UC;
	assert_type(0xa0000, GiB, MEM_WT, 512 * MiB);
	msrs[0x2ff] |= DEF_FIXED; /* but the CPU has none */
	msrs[0xfe] = VARIABLE_MAX;
	assert_type(0xa0000, GiB, MEM_WT, 512 * MiB);
}

UNIT_TEST(a_type_ends_where_the_next_range_begins)
{
	variable(3, 3 * GiB, GiB, MEM_UC);
	variable(7, 0xe0000000, 256 * MiB, MEM_WC); /* within: UC all the same */
	variable(9, 8 * GiB, 4 * GiB, MEM_WP);
	assert_type(0, 64 * GiB, MEM_WB, 3 * GiB);
	assert_type(GiB, GiB, MEM_WB, 2 * GiB);
	assert_type(3 * GiB, 64 * GiB, MEM_UC, 0xe0000000);
	assert_type(0xe0000000, 16 * GiB, MEM_UC, 0xf0000000);
	assert_type(0xf0000000, 16 * GiB, MEM_UC, 4 * GiB);
	assert_type(4 * GiB, 16 * GiB, MEM_WB, 8 * GiB);
	assert_type(8 * GiB, 16 * GiB, MEM_WP, 12 * GiB);
	assert_type(12 * GiB, 16 * GiB, MEM_WB, 28 * GiB);
}

UNIT_TEST(overlaps_have_an_order)
{
	static const struct {
		u8 a, b, both;
	} mixes[] = {
		{MEM_WB, MEM_WB, MEM_WB},
		{MEM_UC, MEM_WB, MEM_UC},
		{MEM_UC, MEM_WT, MEM_UC},
		{MEM_UC, MEM_WC, MEM_UC},
		{MEM_WT, MEM_WB, MEM_WT},
		{MEM_WC, MEM_WC, MEM_WC},
		{MEM_UC, MEM_UC, MEM_UC},
		/* What the manual leaves undefined is the type that is always safe. */
		{MEM_WC, MEM_WB, MEM_UC},
		{MEM_WP, MEM_WT, MEM_UC},
	};

	for (unsigned i = 0; i < array_size(mixes); i++)
		for (unsigned swapped = 0; swapped < 2; swapped++) {
			variable(swapped, GiB, GiB, mixes[i].a);
			variable(!swapped, GiB, 512 * MiB, mixes[i].b);
			assert_type(GiB, GiB, mixes[i].both, GiB + 512 * MiB);
			assert_type(GiB + 512 * MiB, 512 * MiB, mixes[i].a, 2 * GiB);
		}
	variable(2, GiB, 256 * MiB, MEM_UC);
	assert_type(GiB, GiB, MEM_UC, GiB + 256 * MiB);
}

UNIT_TEST(ranges_that_are_not_valid_mean_nothing)
{
	variable(0, GiB, GiB, MEM_UC);
	msrs[0x201] &= ~(u64)(1 << 11);
	assert_type(0, 4 * GiB, MEM_WB, 4 * GiB);
	msrs[0xfe] = 1 | 1 << 8; /* one variable range only */
	variable(1, GiB, GiB, MEM_UC);
	assert_type(0, 4 * GiB, MEM_WB, 4 * GiB);
}

UNIT_TEST(a_mask_of_nothing_matches_everything)
{
	variable(0, 0, bit(PHYS_BITS), MEM_WT);
	assert_int_equal(msrs[0x201], 1 << 11);
	assert_type(5 * GiB, GiB, MEM_WT, 6 * GiB);
	assert_type(0, bit(PHYS_BITS), MEM_WT, bit(PHYS_BITS));
}

/* Bits of the mask above what the CPU addresses, as firmware for larger CPUs writes them. */
UNIT_TEST(masks_may_be_too_wide)
{
	variable(0, 2 * GiB, GiB, MEM_UC);
	msrs[0x201] |= 0x000ffff000000000;
	assert_type(0, 4 * GiB, MEM_WB, 2 * GiB);
	assert_type(2 * GiB, 4 * GiB, MEM_UC, 3 * GiB);
}

/* And without the upper ones, as firmware for smaller CPUs writes them: 32 bits here, where there are 36. */
UNIT_TEST(masks_may_be_too_narrow)
{
	variable(0, 3 * GiB, GiB, MEM_UC);
	variable(1, 2 * GiB, 256 * MiB, MEM_WT);
	fake_log_start();
	mtrr_check();
	assert_true(fake_log_empty());
	msrs[0x201] &= bits_low(32);
	msrs[0x203] &= bits_low(32);
	msrs[0x205] = 0xc0000000; /* not in use */
	mtrr_check();
	assert_true(fake_log_has("MTRR: range 0 at 0xc0000000 has a mask for fewer address bits than 36"));
	assert_true(fake_log_has("MTRR: range 1 at 0x80000000"));
	assert_false(fake_log_has("MTRR: range 2"));
	assert_type(0, 4 * GiB, MEM_WB, 2 * GiB);
	assert_type(2 * GiB, 4 * GiB, MEM_WT, 2 * GiB + 256 * MiB);
	assert_type(3 * GiB, 4 * GiB, MEM_UC, 4 * GiB);
	assert_type(4 * GiB, 4 * GiB, MEM_WB, 8 * GiB);
}

/* ---- random ranges against the rules, block by block ---- */

#define BLOCK (256 * MiB)
#define BLOCKS ((unsigned)(bit(PHYS_BITS) / BLOCK))

static u8 by_the_rules(u64 pa, u8 otherwise)
{
	bool seen[8] = {0};
	unsigned kinds = 0;
	u8 last = otherwise;

	for (unsigned n = 0; n < VARIABLE_MAX; n++) {
		u64 mask = msrs[0x201 + 2 * n];
		if (!(mask & 1 << 11))
			continue;
		mask &= ~0xfffull;
		if ((pa & mask) != (msrs[0x200 + 2 * n] & mask))
			continue;
		last = msrs[0x200 + 2 * n] & 0xff;
		kinds += !seen[last];
		seen[last] = true;
	}
	if (kinds < 2)
		return last;
	return kinds == 2 && seen[MEM_WT] && seen[MEM_WB] ? MEM_WT : MEM_UC;
}

static void random_ranges(void)
{
	static const u8 types[] = {MEM_UC, MEM_WC, MEM_WT, MEM_WP, MEM_WB, MEM_WB, MEM_WB};

	for (unsigned n = 0; n < VARIABLE_MAX; n++) {
		u64 size = BLOCK << unit_random(7);
		variable(n, unit_random(BLOCKS) * BLOCK & ~(size - 1), size, types[unit_random(array_size(types))]);
		if (!unit_random(3))
			msrs[0x201 + 2 * n] = 0;
	}
}

UNIT_TEST(random_ranges_follow_the_rules)
{
	for (unsigned round = 0; round < 2000; round++) {
		u64 until = 0;
		u8 type = MEM_WB;

		random_ranges();
		for (unsigned b = 0; b < BLOCKS; b++) {
			if (b * BLOCK >= until) {
				type = mtrr_type(paddr(b * BLOCK), bit(PHYS_BITS) - b * BLOCK, &until);
				assert_true(until > b * BLOCK && until <= bit(PHYS_BITS) && !(until % BLOCK));
			}
			assert_int_equal(type, by_the_rules(b * BLOCK, MEM_WB));
		}
	}
}

/* ---- sleep ---- */

static void fill_all(void)
{
	variable(0, 3 * GiB, GiB, MEM_UC);
	variable(VARIABLE_MAX - 1, 16 * GiB, GiB, MEM_WT);
	for (unsigned i = 0; i < array_size(fixed_ranges); i++)
		msrs[fixed_ranges[i].msr] = 0x0606060606060600 + i % 2;
	msrs[0x2ff] = DEF_ON | DEF_FIXED | MEM_WB;
}

UNIT_TEST(sleep_changes_nothing)
{
	struct mtrr_state s;
	u64 before[MSRS];

	fill_all();
	memcpy(before, msrs, sizeof(before));
	mtrr_save(&s);
	memset(msrs + 0x200, 0, 0x100 * sizeof(u64));
	fake_cr4 = CR4_PGE;
	mtrr_restore(&s);
	assert_memory_equal(msrs, before, sizeof(before));
	assert_string_equal(events, "CD wbinvd pge flush off wbinvd on flush cd PGE ");
}

UNIT_TEST(what_firmware_has_put_right_is_left_alone)
{
	struct mtrr_state s;

	fill_all();
	mtrr_save(&s);
	mtrr_restore(&s);
	assert_string_equal(events, "");
	has_mtrrs_bit = false;
	mtrr_save(&s);
	assert_int_equal(s.fixed_count + s.variable_count, 0);
	mtrr_restore(&s);
	assert_string_equal(events, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_mtrrs_all_is_wb, setup),
		cmocka_unit_test_setup(disabled_all_is_uc, setup),
		cmocka_unit_test_setup(what_no_range_has_is_the_default, setup),
		cmocka_unit_test_setup(fixed_ranges_decide_below_1_mib, setup),
		cmocka_unit_test_setup(unused_fixed_ranges_do_not, setup),
		cmocka_unit_test_setup(a_type_ends_where_the_next_range_begins, setup),
		cmocka_unit_test_setup(overlaps_have_an_order, setup),
		cmocka_unit_test_setup(ranges_that_are_not_valid_mean_nothing, setup),
		cmocka_unit_test_setup(a_mask_of_nothing_matches_everything, setup),
		cmocka_unit_test_setup(masks_may_be_too_wide, setup),
		cmocka_unit_test_setup(masks_may_be_too_narrow, setup),
		cmocka_unit_test_setup(random_ranges_follow_the_rules, setup),
		cmocka_unit_test_setup(sleep_changes_nothing, setup),
		cmocka_unit_test_setup(what_firmware_has_put_right_is_left_alone, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
