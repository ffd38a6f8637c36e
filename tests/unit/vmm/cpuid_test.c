/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On a processor that has everything, and on one that has next to nothing. */
#include "unit.h"

#include "vmm/cpuid.h"

#define BIT(n) (1u << (n))

static uint32_t last_leaf, last_amd, lacking; /* features of leaf 7 in EBX */

/* Components of XSAVE as processors have them: AVX, MPX, AVX-512, protection keys. */
static struct cpuid_regs component(uint32_t n)
{
	static const struct cpuid_regs sizes[] = {
		[2] = {256, 576, 0, 0},  [3] = {64, 960, 0, 0},    [4] = {64, 1024, 0, 0}, [5] = {64, 1088, 0, 0},
		[6] = {512, 1152, 0, 0}, [7] = {1024, 1664, 0, 0}, [9] = {8, 2688, 0, 0}};

	return n < sizeof(sizes) / sizeof(*sizes) ? sizes[n] : (struct cpuid_regs){0};
}

static struct cpuid_regs machine(uint32_t leaf, uint32_t subleaf)
{
	if (leaf == 0)
		return (struct cpuid_regs){last_leaf, 'G', 'n', 'i'};
	if (leaf == 0x80000000)
		return (struct cpuid_regs){last_amd, 'G', 'n', 'i'};
	if (leaf == 0xd && subleaf > 1)
		return component(subleaf);
	if (leaf == 7)
		return (struct cpuid_regs){~0u, ~lacking, ~0u, ~0u};
	return (struct cpuid_regs){~0u, ~0u, ~0u, ~0u};
}

static const struct cpuid_guest guest = {
	.cr4 = 0, .xcr0 = 3, .xcr0_allowed = 0xe7, .tsc_khz = 4500000, .has_rdtscp = true, .has_invpcid = true};

UNIT_FIXTURE(setup)
{
	last_leaf = 0x20;
	last_amd = 0x80000021;
	lacking = 0;
	return 0;
}

static struct cpuid_regs ask(uint32_t leaf, uint32_t subleaf)
{
	return cpuid_answer(machine, &guest, leaf, subleaf);
}

/*
 * What a guest must not believe it has: VMX, SMX, MONITOR, MTRRs, MCA, DS. The local APIC, x2APIC and the deadline
 * timer are the board's.
 */
UNIT_TEST(test_features)
{
	struct cpuid_regs r = ask(1, 0), on;
	struct cpuid_guest with = guest;

	assert_false(r.ecx & (BIT(3) | BIT(5) | BIT(6) | BIT(15)));
	assert_true(r.ecx & BIT(21) && r.ecx & BIT(24));
	assert_false(r.edx & (BIT(7) | BIT(9) | BIT(12) | BIT(14) | BIT(21) | BIT(22) | BIT(28)));
	assert_true(r.ecx & BIT(31));
	assert_int_equal(r.ebx, 0xff00);
	assert_false(r.ecx & BIT(27));
	with.cr4 = BIT(18);
	with.has_apic = true;
	on = cpuid_answer(machine, &with, 1, 0);
	assert_int_equal(on.ecx ^ r.ecx, BIT(27));
	assert_int_equal(on.edx ^ r.edx, BIT(9));
}

UNIT_TEST(test_extended)
{
	struct cpuid_regs r = ask(7, 0), more = ask(7, 1);
	struct cpuid_guest without = guest;

	assert_int_equal(r.eax, 0);
	assert_false(r.ebx & (BIT(2) | BIT(4) | BIT(11) | BIT(12) | BIT(14) | BIT(25))); /* SGX, TSX, MPX, PT */
	assert_false(r.ecx & (BIT(3) | BIT(4) | BIT(5) | BIT(7) | BIT(16))); /* keys, WAITPKG, CET, LA57 */
	assert_true(r.ebx & BIT(10) && r.ecx & BIT(22));
	assert_int_equal(more.eax | more.ebx | more.ecx | more.edx, 0);
	without.has_invpcid = without.has_rdtscp = false;
	r = cpuid_answer(machine, &without, 7, 0);
	assert_false(r.ebx & BIT(10) || r.ecx & BIT(22));
	r = cpuid_answer(machine, &without, 0x80000001, 0);
	assert_false(r.edx & BIT(27));
}

UNIT_TEST(test_xsave)
{
	struct cpuid_regs r = ask(0xd, 0);
	struct cpuid_guest all = guest;

	assert_int_equal(r.eax, 0xe7);
	assert_int_equal(r.ebx, 576);
	assert_int_equal(r.ecx, 2688);
	all.xcr0 = 7;
	assert_int_equal(cpuid_answer(machine, &all, 0xd, 0).ebx, 832);
	assert_int_equal(ask(0xd, 1).eax, 1);
	assert_int_equal(ask(0xd, 2).ebx, 576);
	assert_int_equal(ask(0xd, 9).eax, 0); /* protection keys are not allowed */
	assert_int_equal(ask(0xd, 63).eax, 0);
	assert_int_equal(ask(0xd, ~0u).eax, 0);
}

/* What CPUID shows can be switched on; what the processor lacks cannot, and VMX, SMX, LA57, keys and CET neither. */
UNIT_TEST(test_cr4)
{
	assert_int_equal(cpuid_cr4(machine, &guest), 0x370fff);
	lacking = BIT(7) | BIT(20);
	assert_int_equal(cpuid_cr4(machine, &guest), 0x070fff);
	last_leaf = 6;
	assert_int_equal(cpuid_cr4(machine, &guest), 0x0607ff);
}

UNIT_TEST(test_tsc)
{
	struct cpuid_regs r = ask(0x15, 0);

	assert_int_equal((uint64_t)r.ecx * r.ebx / r.eax, 4500000000ul);
	assert_int_equal(ask(0x40000010, 0).eax, 4500000);
	r = ask(0x40000000, 0);
	assert_int_equal(r.eax, 0x40000010);
	assert_memory_equal(&r.ebx, "HedronHedron", 12); /* in EBX, ECX, EDX */
}

/* Leaves nobody knows say nothing, also on processors that would answer with their last one. */
/* Each is a package of its own: nobody shares anything, and the number is all of the topology. */
UNIT_TEST(test_number)
{
	struct cpuid_guest other = guest;

	other.number = 5;
	assert_int_equal(ask(1, 0).ebx, 0xff00);
	assert_int_equal(cpuid_answer(machine, &other, 1, 0).ebx, 0x500ff00);
	assert_false(cpuid_answer(machine, &other, 1, 0).edx & BIT(28));
	assert_int_equal(cpuid_answer(machine, &other, 4, 0).eax & ~0x3ffu, 0);
}

UNIT_TEST(test_unknown)
{
	static const uint32_t leaves[] = {3,    5,    6,    9,          0xa,        0xb,        0xf,       0x10,
					  0x14, 0x16, 0x1f, 0x40000001, 0x80000009, 0x8000001f, 0xc0000000};

	for (unsigned i = 0; i < sizeof(leaves) / sizeof(*leaves); i++) {
		struct cpuid_regs r = ask(leaves[i], 0);

		assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	}
	assert_int_equal(ask(0, 0).eax, 0x15);
	assert_int_equal(ask(0x80000000, 0).eax, 0x80000008);
	last_leaf = 6;
	assert_int_equal(ask(7, 0).ebx, 0);
	assert_int_equal(ask(0xd, 0).eax, 0);
	assert_int_equal(ask(0x15, 0).eax, 1);
	last_amd = 0x80000004;
	assert_int_equal(ask(0x80000000, 0).eax, 0x80000004);
	assert_int_equal(ask(0x80000007, 0).edx, 0);
	assert_true(ask(0x80000004, 0).eax);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_features, setup), cmocka_unit_test_setup(test_extended, setup),
		cmocka_unit_test_setup(test_xsave, setup),    cmocka_unit_test_setup(test_tsc, setup),
		cmocka_unit_test_setup(test_cr4, setup),      cmocka_unit_test_setup(test_unknown, setup),
		cmocka_unit_test_setup(test_number, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
