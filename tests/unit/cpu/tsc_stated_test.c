/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CPUs and hypervisors state about the rate of the TSC. CPUID and MSRs are tables; what is not there is not
 * asked for. */
#include "unit.h"

#include "cpu/cpu.h"

static struct cpuid leaf_0, leaf_1, leaf_15, leaf_16, leaf_hypervisor, leaf_clock, leaf_ext, leaf_ext7;
static bool amd, has_msrs;
static u64 hwcr, pstate0;

static struct cpuid fake_cpuid(u32 leaf)
{
	assert_true(leaf < 0x40000000 ? leaf <= leaf_0.eax : true);
	switch (leaf) {
	case 0:
		return leaf_0;
	case 1:
		return leaf_1;
	case 0x15:
		return leaf_15;
	case 0x16:
		return leaf_16;
	case 0x40000000:
		assert_true(leaf_1.ecx >> 31);
		return leaf_hypervisor;
	case 0x40000010:
		assert_true(leaf_hypervisor.eax >= leaf);
		return leaf_clock;
	case 0x80000000:
		return leaf_ext;
	case 0x80000007:
		assert_true(leaf_ext.eax >= leaf);
		return leaf_ext7;
	}
	fail();
	return leaf_0;
}

bool cpu_is_amd(void)
{
	return amd;
}

bool msr_read_safe(u32 msr, u64 *v)
{
	assert_true(msr == 0xc0010015 || msr == 0xc0010064);
	assert_true(amd);
	*v = msr == 0xc0010015 ? hwcr : pstate0;
	return has_msrs;
}

#define cpuid(leaf, sub) fake_cpuid(leaf)
#include "cpu/tsc_stated.c"

UNIT_FIXTURE(setup)
{
	leaf_0 = (struct cpuid){.eax = 0x16};
	leaf_1 = leaf_15 = leaf_16 = leaf_hypervisor = leaf_clock = leaf_ext = leaf_ext7 = (struct cpuid){0};
	amd = false;
	has_msrs = true;
	hwcr = pstate0 = 0;
	return 0;
}

UNIT_TEST(test_crystal_stated)
{
	leaf_15 = (struct cpuid){2, 0x7e, 0x249f000, 0};
	assert_int_equal(tsc_stated_crystal(), 2419200);
	leaf_15.eax = 0;
	assert_int_equal(tsc_stated_crystal(), 0);
	leaf_15 = (struct cpuid){2, 0, 0x249f000, 0};
	assert_int_equal(tsc_stated_crystal(), 0);
	leaf_15 = (struct cpuid){1, ~0u, ~0u, 0}; /* no overflow into something sensible */
	assert_int_equal(tsc_stated_crystal(), ~0u);
	leaf_0.eax = 0x14;
	assert_int_equal(tsc_stated_crystal(), 0);
}

UNIT_TEST(test_crystal_by_model)
{
	static const struct {
		u32 signature, khz; /* with a ratio of 100 */
	} models[] = {{0x000406e3, 2400000}, {0x000506e3, 2400000}, {0x000806ea, 2400000}, {0x000906ed, 2400000},
		      {0x00050654, 2500000}, {0x00050657, 2500000}, {0x000506c9, 1920000}, {0x000306c3, 0},
		      {0x000806c1, 0},       {0x00000f4a, 0}};

	for (unsigned i = 0; i < array_size(models); i++) {
		leaf_1.eax = models[i].signature;
		leaf_15 = (struct cpuid){2, 200, 0, 0};
		assert_int_equal(tsc_stated_crystal(), models[i].khz);
		leaf_15.ecx = 1000000; /* what is stated counts */
		assert_int_equal(tsc_stated_crystal(), 100000);
	}
}

static void be_hypervisor(const char *name)
{
	leaf_1.ecx = 1u << 31;
	leaf_hypervisor.eax = 0x40000010;
	memcpy(&leaf_hypervisor.ebx, name, 12);
	leaf_clock.eax = 2600123;
}

UNIT_TEST(test_hypervisor)
{
	assert_int_equal(tsc_stated_hypervisor(), 0);
	be_hypervisor("KVMKVMKVM\0\0\0");
	assert_int_equal(tsc_stated_hypervisor(), 2600123);
	leaf_hypervisor.eax = 0x4000000f;
	assert_int_equal(tsc_stated_hypervisor(), 0);
	be_hypervisor("VMwareVMware");
	assert_int_equal(tsc_stated_hypervisor(), 2600123);
	leaf_1.ecx = 0;
	assert_int_equal(tsc_stated_hypervisor(), 0);
	be_hypervisor("Microsoft Hv");
	assert_int_equal(tsc_stated_hypervisor(), 0);
	be_hypervisor("TCGTCGTCGTCG");
	assert_int_equal(tsc_stated_hypervisor(), 0);
}

static void be_amd(u32 signature, u64 pstate)
{
	amd = true;
	leaf_1.eax = signature;
	leaf_ext.eax = 0x80000008;
	leaf_ext7.edx = 1u << 8;
	hwcr = 1u << 24;
	pstate0 = 1ull << 63 | pstate;
}

UNIT_TEST(test_pstate)
{
	static const struct {
		u32 signature;
		u64 pstate;
		u32 khz;
	} cpus[] = {
		{0x00800f12, 0x0888, 3400000}, /* 17h: 88h * 200 / 8 */
		{0x00830f10, 0x0c8c, 2333333}, /* 17h: a divisor that is no power of two */
		{0x00a20f10, 0x0894, 3700000}, /* 19h */
		{0x00b40f40, 0x0320, 4000000}, /* 1ah: 320h * 5 */
		{0x00800f12, 0x0088, 0},       /* no divisor */
		{0x00600f12, 0x0888, 0},       /* 15h: another format */
		{0x00c00f10, 0x0888, 0},       /* a family that is not known */
	};

	for (unsigned i = 0; i < array_size(cpus); i++) {
		be_amd(cpus[i].signature, cpus[i].pstate);
		assert_int_equal(tsc_stated_pstate(), cpus[i].khz);
	}
}

UNIT_TEST(test_pstate_that_does_not_count)
{
	assert_int_equal(tsc_stated_pstate(), 0); /* Intel: the MSRs are not touched */
	be_amd(0x00800f12, 0x0888);
	leaf_ext7.edx = 0;
	assert_int_equal(tsc_stated_pstate(), 0);
	be_amd(0x00800f12, 0x0888);
	leaf_ext.eax = 0x80000006;
	assert_int_equal(tsc_stated_pstate(), 0);
	be_amd(0x00800f12, 0x0888);
	hwcr = 0;
	assert_int_equal(tsc_stated_pstate(), 0);
	be_amd(0x00800f12, 0x0888);
	pstate0 &= ~(1ull << 63);
	assert_int_equal(tsc_stated_pstate(), 0);
	be_amd(0x00800f12, 0x0888);
	has_msrs = false;
	assert_int_equal(tsc_stated_pstate(), 0);
}

UNIT_TEST(test_base)
{
	leaf_16.eax = 0xabcd0960; /* the upper half is reserved */
	assert_int_equal(tsc_stated_base(), 2400000);
	leaf_0.eax = 0x15;
	assert_int_equal(tsc_stated_base(), 0);
	leaf_0.eax = 0x16;
	amd = true;
	assert_int_equal(tsc_stated_base(), 0);
	assert_int_equal(tsc_stated_crystal(), 0);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(crystal_stated), TEST(crystal_by_model),           TEST(hypervisor),
		TEST(pstate),         TEST(pstate_that_does_not_count), TEST(base),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
