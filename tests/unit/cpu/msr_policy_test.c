/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSRs that programs may not touch: each kind is refused at both ends of its range and no further, what monitors need
 * stays, and the list is in order. Manual: SDM vol. 4; APM vol. 2, appendix A.
 */
#include "unit.h"

#include "arch/machine.h"
#include "cpu/cpu.h"

static unsigned reads, writes;

bool msr_read_safe(u32 msr, u64 *v)
{
	(void)msr;
	*v = 42;
	reads++;
	return true;
}

bool msr_write_safe(u32 msr, u64 v)
{
	(void)msr;
	(void)v;
	writes++;
	return true;
}

#define arch_msr_access policy_msr_access
enum status policy_msr_access(u64 msr, bool write, u64 *value);
#include "cpu/msr_policy.c"

struct range {
	u32 first, last;
};

UNIT_TEST(nobody_reads_or_writes)
{
	static const struct range both[] = {
		{0x174, 0x176},           {0x480, 0x491},           {0x600, 0x600},           {0x800, 0x8ff},
		{0xc0000080, 0xc0000080}, {0xc0000101, 0xc0000103}, {0xc0010117, 0xc0010117}, /* VM_HSAVE_PA */
	};

	for (unsigned i = 0; i < array_size(both); i++)
		for (u32 msr = both[i].first; msr <= both[i].last; msr++) {
			assert_false(msr_policy_allows(msr, false));
			assert_false(msr_policy_allows(msr, true));
		}
}

UNIT_TEST(nobody_writes)
{
	static const struct range only_read[] = {
		{0x1b, 0x1b},             /* APIC_BASE */
		{0x3a, 0x3a},             /* FEATURE_CONTROL */
		{0x48, 0x48},             /* SPEC_CTRL */
		{0x79, 0x79},             /* BIOS_UPDT_TRIG */
		{0x9b, 0x9b},             /* SMM_MONITOR_CTL */
		{0xe4, 0xe4},             /* PMG_IO_CAPTURE_BASE */
		{0x122, 0x123},           /* TSX_CTRL, MCU_OPT_CTRL */
		{0x150, 0x150},           /* voltages */
		{0x179, 0x17b},           /* MCG */
		{0x1a0, 0x1a0},           /* MISC_ENABLE */
		{0x1d9, 0x1d9},           /* DEBUGCTL */
		{0x1f2, 0x1f3},           /* SMRR */
		{0x200, 0x26f},           /* MTRRs */
		{0x277, 0x277},           /* PAT */
		{0x280, 0x29f},           /* MCi_CTL2 */
		{0x2ff, 0x2ff},           /* MTRR_DEF_TYPE */
		{0x3f1, 0x3f1},           /* PEBS_ENABLE */
		{0x400, 0x47f},           /* MCi */
		{0x560, 0x587},           /* processor trace */
		{0x6a0, 0x6a8},           /* CET */
		{0x6e1, 0x6e1},           /* PKRS */
		{0xda0, 0xda0},           /* XSS */
		{0x14ce, 0x14ce},         /* LBR_CTL */
		{0x17d0, 0x17d1},         /* hardware feedback */
		{0xc0000081, 0xc0000084}, /* SYSCALL */
		{0xc0000104, 0xc0000106}, /* TSC_RATIO, lightweight profiling */
		{0xc0002000, 0xc0002fff}, /* SMCA */
		{0xc0010010, 0xc0010010}, /* SYSCFG */
		{0xc0010015, 0xc001001a}, /* HWCR, IORRs, TOP_MEM */
		{0xc001001d, 0xc001001d}, /* TOP_MEM2 */
		{0xc0010020, 0xc0010020}, /* PATCH_LOADER */
		{0xc0010030, 0xc0010035}, /* the CPU's name */
		{0xc0010044, 0xc001004a}, /* masks of machine checks */
		{0xc0010064, 0xc001006b}, /* voltages of P-states */
		{0xc0010070, 0xc0010070}, /* the current one */
		{0xc0010073, 0xc0010074}, /* C-state ports, watchdog */
		{0xc0010111, 0xc0010116}, /* SMM, VM_CR */
		{0xc0010118, 0xc001011f}, /* SVM_KEY, doorbell, VIRT_SPEC_CTRL */
		{0xc0010400, 0xc001043f}, /* masks of machine checks */
		{0xc0011019, 0xc001101b}, /* masks of breakpoints */
		{0xc0011020, 0xc001102f}, /* LS_CFG, DE_CFG, the mask of breakpoint 0 */
		{0xc00110e3, 0xc00110e3}, /* speculation */
	};

	for (unsigned i = 0; i < array_size(only_read); i++)
		for (u32 msr = only_read[i].first; msr <= only_read[i].last; msr++) {
			assert_true(msr_policy_allows(msr, false));
			assert_false(msr_policy_allows(msr, true));
		}
}

/* Time, power, performance counters, commands that only flush, and the neighbours of ranges. */
UNIT_TEST(the_rest_is_free)
{
	static const u32 free[] = {
		0x10,       0x1a,       0x1c,       0x34,       0x3b,       0x49,       0x8b,       0xc1,
		0xe2,       0xe3,       0xe5,       0xe7,       0xe8,       0x10b,      0x121,      0x124,
		0x173,      0x177,      0x17c,      0x186,      0x199,      0x1b0,      0x1d8,      0x1da,
		0x1f1,      0x1f6,      0x270,      0x276,      0x278,      0x27f,      0x300,      0x309,
		0x38d,      0x38f,      0x390,      0x3f0,      0x3f2,      0x3ff,      0x492,      0x55f,
		0x588,      0x5ff,      0x601,      0x69f,      0x6a9,      0x6e0,      0x7ff,      0x900,
		0xd9f,      0xda1,      0x17cf,     0x17d2,     0xc000007f, 0xc0000085, 0xc0000100, 0xc0000107,
		0xc0000108, 0xc0001fff, 0xc0003000, 0xc0010014, 0xc001001b, 0xc0010021, 0xc001002f, 0xc0010036,
		0xc0010043, 0xc001004b, 0xc0010062, 0xc0010063, 0xc001006c, 0xc0010071, 0xc0010075, 0xc0010110,
		0xc0010120, 0xc0010200, 0xc00102b3, 0xc00103ff, 0xc0010440, 0xc0011018, 0xc001101c, 0xc0011030,
		0xc00110e2, 0xc00110e4,
	};

	for (unsigned i = 0; i < array_size(free); i++) {
		assert_true(msr_policy_allows(free[i], false));
		assert_true(msr_policy_allows(free[i], true));
	}
}

UNIT_TEST(numbers_have_32_bits)
{
	assert_true(msr_policy_allows(0xffffffff, true));
	assert_false(msr_policy_allows(0x100000000, false));
	assert_false(msr_policy_allows(0x100000010, true)); /* not the TSC */
}

UNIT_TEST(the_list_is_in_order)
{
	static const struct range list[] = {
#define X(first, last, what, why) {first, last},
		MSR_POLICY_LIST(X)
#undef X
	};

	for (unsigned i = 0; i < array_size(list); i++) {
		assert_true(list[i].first <= list[i].last);
		assert_true(!i || list[i - 1].last < list[i].first);
	}
}

/* What is refused never reaches the CPU. */
UNIT_TEST(refused_is_not_tried)
{
	u64 value = 1;

	reads = writes = 0;
	assert_int_equal(policy_msr_access(0x3f1, true, &value), BAD_PAR);
	assert_int_equal(policy_msr_access(0x600, false, &value), BAD_PAR);
	assert_int_equal(reads + writes, 0);
	assert_int_equal(policy_msr_access(0x179, false, &value), SUCCESS);
	assert_int_equal(value, 42);
	assert_int_equal(policy_msr_access(0x10, true, &value), SUCCESS);
	assert_int_equal(reads, 1);
	assert_int_equal(writes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_reads_or_writes), cmocka_unit_test(nobody_writes),
		cmocka_unit_test(the_rest_is_free),       cmocka_unit_test(numbers_have_32_bits),
		cmocka_unit_test(the_list_is_in_order),   cmocka_unit_test(refused_is_not_tried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
