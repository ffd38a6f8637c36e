/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Performance counters of both makers: which MSRs are written, what is refused, and whose NMI is whose. MSRs are a
 * table. Manual: SDM vol. 3, 20.2; APM vol. 2, 13.2.
 */
#include "unit.h"

#include "apic/lapic.h"
#include "cpu/cpu.h"
#include "entry/nmi.h"

#include <hedron/trace.h>

#define MSRS 32

static struct {
	u32 number;
	u64 value;
} msrs[MSRS];
static unsigned msr_count, lapic_writes;
static bool amd, exist, keep; /* that MSRs exist, and that they keep what is written */
static u32 leaf_10_eax, ext1_ecx;

static u64 *msr(u32 number)
{
	for (unsigned i = 0; i < msr_count; i++)
		if (msrs[i].number == number)
			return &msrs[i].value;
	assert_true(msr_count < MSRS);
	msrs[msr_count].number = number;
	msrs[msr_count].value = 0;
	return &msrs[msr_count++].value;
}

bool msr_read_safe(u32 number, u64 *v)
{
	*v = *msr(number);
	return exist;
}

bool msr_write_safe(u32 number, u64 v)
{
	if (keep)
		*msr(number) = v;
	return exist;
}

static u64 fake_read(u32 number)
{
	assert_true(exist);
	return *msr(number);
}

static void fake_write(u32 number, u64 v)
{
	assert_true(exist);
	*msr(number) = v;
}

static struct cpuid fake_cpuid(u32 leaf)
{
	switch (leaf) {
	case 0:
		return (struct cpuid){.eax = amd ? 0xd : 0xa};
	case 0xa:
		assert_false(amd);
		return (struct cpuid){.eax = leaf_10_eax};
	default:
		assert_int_equal(leaf, 0x80000001);
		return (struct cpuid){.ecx = ext1_ecx};
	}
}

bool cpu_is_amd(void)
{
	return amd;
}

void lapic_counter_nmi(void)
{
	lapic_writes++;
}

static bool asked;

static void fake_order(u32 order, bool on)
{
	asked = on && order == NMI_ORDER_COUNTER;
}

#define cpuid(leaf, sub) fake_cpuid(leaf)
#define msr_read fake_read
#define msr_write fake_write
#define nmi_order(order, on) fake_order(order, on)
#define arch_pmu_choose pmu_choose
#define arch_pmu_set_period pmu_set_period
#define arch_pmu_apply pmu_apply
#define arch_pmu_delta pmu_delta
#include "trace/pmu.c"

static void start(bool is_amd, bool there)
{
	memset(&chosen, 0, sizeof(chosen));
	amd_outcome = AMD_UNKNOWN;
	msr_count = lapic_writes = 0;
	amd = is_amd;
	exist = keep = there;
	asked = false;
	leaf_10_eax = 0x08300404; /* version 4, four counters of 48 bits, eight events */
	ext1_ecx = 1u << 23;
}

static const u8 two[] = {TRACE_COUNTER_INSTRUCTIONS, TRACE_COUNTER_BRANCH_MISSES};

UNIT_TEST(intel_counts)
{
	start(false, true);
	assert_true(pmu_choose(two, 2));
	pmu_apply();
	assert_int_equal(*msr(0x186), 0x4200c0);
	assert_int_equal(*msr(0x187), 0x4200c5);
	assert_int_equal(*msr(0x188), 0);
	assert_int_equal(*msr(0x38f), 3);
	assert_int_equal(pmu_delta(0xffffffffffff, 1), 2);
}

UNIT_TEST(intel_samples)
{
	start(false, true);
	assert_true(pmu_set_period(1000));
	assert_true(asked);
	pmu_apply();
	assert_int_equal(*msr(0xc4), (u32)-1000);
	assert_int_equal(*msr(0x189), 0x53003c);
	assert_int_equal(*msr(0x38f), 8);
	assert_false(pmu_take_overflow());
	*msr(0x38e) = 8;
	assert_true(pmu_take_overflow());
	assert_int_equal(*msr(0x390), 8);
	assert_int_equal(lapic_writes, 2);
}

UNIT_TEST(intel_of_version_1_has_none)
{
	start(false, true);
	leaf_10_eax = 0x08300401;
	assert_false(pmu_choose(two, 1));
	assert_false(pmu_set_period(1000));
	pmu_apply();
	assert_int_equal(msr_count, 0);
}

UNIT_TEST(amd_counts_in_the_core_extension)
{
	start(true, true);
	assert_true(pmu_choose(two, 2));
	pmu_apply();
	assert_int_equal(*msr(0xc0010200), 0x4200c0);
	assert_int_equal(*msr(0xc0010202), 0x4200c3);
	assert_int_equal(*msr(0xc0010204), 0);
	assert_int_equal(*msr(0xc0010208), 0);
	assert_int_equal(pmu_delta(0xffffffffffff, 1), 2);
	for (unsigned i = 0; i < msr_count; i++)
		assert_in_range(msrs[i].number, 0xc0010200, 0xc001020b);
}

UNIT_TEST(amd_counts_in_the_old_registers)
{
	static const u8 four[] = {TRACE_COUNTER_CYCLES, TRACE_COUNTER_CYCLES, TRACE_COUNTER_CYCLES,
				  TRACE_COUNTER_CYCLES};

	start(true, true);
	ext1_ecx = 0;
	assert_false(pmu_choose(four, 4)); /* the last one is for samples */
	assert_true(pmu_choose(four, 3));
	pmu_apply();
	assert_int_equal(*msr(0xc0010002), 0x420076);
	assert_int_equal(*msr(0xc0010003), 0);
	for (unsigned i = 0; i < msr_count; i++)
		assert_in_range(msrs[i].number, 0xc0010000, 0xc0010007);
}

UNIT_TEST(amd_samples)
{
	const u64 first = 0xffffffffffff - 999;

	start(true, true);
	assert_true(pmu_set_period(1000));
	assert_true(asked);
	pmu_apply();
	assert_int_equal(*msr(0xc0010209), first);
	assert_int_equal(*msr(0xc0010208), 0x530076);
	assert_false(pmu_take_overflow());
	*msr(0xc0010209) = 5;
	assert_true(pmu_take_overflow());
	assert_int_equal(*msr(0xc0010209), first);
	assert_false(pmu_take_overflow());
}

/* The last NMI may come when the counter has stopped; later ones are not its own. */
UNIT_TEST(amd_late_nmi)
{
	start(true, true);
	assert_true(pmu_set_period(1000));
	pmu_apply();
	*msr(0xc0010209) = 5;
	assert_true(pmu_set_period(0));
	pmu_apply();
	assert_int_equal(*msr(0xc0010208), 0);
	assert_true(pmu_take_overflow());
	assert_false(pmu_take_overflow());
	assert_int_equal(lapic_writes, 1);
}

UNIT_TEST(amd_has_no_such_events)
{
	start(true, true);
	for (u8 kind = 0; kind < TRACE_COUNTER_KINDS; kind++)
		assert_int_equal(pmu_choose(&kind, 1),
				 kind == TRACE_COUNTER_CYCLES || kind == TRACE_COUNTER_INSTRUCTIONS ||
					 kind == TRACE_COUNTER_BRANCHES || kind == TRACE_COUNTER_BRANCH_MISSES);
}

/* Emulators refuse the MSRs, or take any value and forget it. */
UNIT_TEST(amd_of_emulators_has_none)
{
	start(true, false);
	assert_false(pmu_choose(two, 1));
	assert_false(pmu_set_period(1000));
	pmu_apply();
	start(true, true);
	keep = false;
	assert_false(pmu_choose(two, 1));
	assert_true(pmu_choose(two, 0));
	pmu_apply();
	assert_int_equal(*msr(0xc0010200), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intel_counts),
		cmocka_unit_test(intel_samples),
		cmocka_unit_test(intel_of_version_1_has_none),
		cmocka_unit_test(amd_counts_in_the_core_extension),
		cmocka_unit_test(amd_counts_in_the_old_registers),
		cmocka_unit_test(amd_samples),
		cmocka_unit_test(amd_late_nmi),
		cmocka_unit_test(amd_has_no_such_events),
		cmocka_unit_test(amd_of_emulators_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
