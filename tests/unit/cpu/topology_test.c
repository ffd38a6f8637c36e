/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a CPU is in the machine, from what processors of several kinds say of themselves. CPUID is a table; leaves
 * that a processor does not have are not asked for. Manual: SDM vol. 2, CPUID; APM vol. 3, appendix E.
 */
#include "unit.h"

#include "cpu/cpu.h"

#define ROWS 16

static struct {
	u32 leaf, sub;
	struct cpuid regs;
} rows[ROWS];
static unsigned row_count;
static bool amd;

static struct cpuid find(u32 leaf, u32 sub)
{
	for (unsigned i = 0; i < row_count; i++)
		if (rows[i].leaf == leaf && rows[i].sub == sub)
			return rows[i].regs;
	return (struct cpuid){0};
}

static struct cpuid fake_cpuid(u32 leaf, u32 sub)
{
	u32 first = leaf & 0x80000000;

	assert_true(leaf == first || leaf <= find(first, 0).eax);
	if (leaf == 0x8000001e) /* there if this bit says so */
		assert_true(find(0x80000001, 0).ecx >> 22 & 1);
	return find(leaf, sub);
}

bool cpu_is_amd(void)
{
	return amd;
}

#define cpuid(leaf, sub) fake_cpuid(leaf, sub)
#include "cpu/topology.c"

static void says(u32 leaf, u32 sub, struct cpuid regs)
{
	assert_true(row_count < ROWS);
	rows[row_count].leaf = leaf;
	rows[row_count].sub = sub;
	rows[row_count++].regs = regs;
}

static void start(bool is_amd, u32 max, u32 max_extended)
{
	row_count = 0;
	amd = is_amd;
	says(0, 0, (struct cpuid){.eax = max});
	says(0x80000000, 0, (struct cpuid){.eax = max_extended});
}

static void initial_id(u32 apic_id, u32 logical)
{
	says(1, 0, (struct cpuid){.ebx = apic_id << 24 | logical << 16, .edx = logical > 1 ? 1u << 28 : 0});
}

enum { SMT = 1, CORE, MODULE, TILE, DIE };

static void level(u32 leaf, u32 sub, unsigned type, unsigned shift, u32 apic_id)
{
	says(leaf, sub, (struct cpuid){.eax = shift, .ebx = 1, .ecx = type << 8 | sub, .edx = apic_id});
}

/* 80000008h: `count` threads in a package, `width` bits for them. */
static void amd_size(unsigned count, unsigned width)
{
	says(0x80000008, 0, (struct cpuid){.ecx = width << 12 | (count - 1)});
}

static void amd_threads(unsigned threads, u32 apic_id)
{
	says(0x80000001, 0, (struct cpuid){.ecx = 1u << 22});
	says(0x8000001e, 0, (struct cpuid){.eax = apic_id, .ebx = (threads - 1) << 8});
}

static void is_at(unsigned package, unsigned core, unsigned thread)
{
	struct topology t = topology_self();

	assert_int_equal(t.package, package);
	assert_int_equal(t.core, core);
	assert_int_equal(t.thread, thread);
}

/* Zen 2 with two sockets. What AMD's own leaves say does not count then. */
UNIT_TEST(amd_with_leaf_0b)
{
	start(true, 0x10, 0x80000020);
	level(0xb, 0, SMT, 1, 0xd7);
	level(0xb, 1, CORE, 7, 0xd7);
	amd_size(200, 8);
	amd_threads(1, 5);
	is_at(1, 0x2b, 1);
}

/* Threads switched off: their level has no bits. */
UNIT_TEST(one_thread_a_core)
{
	start(true, 0x10, 0x80000020);
	level(0xb, 0, SMT, 0, 0x4b);
	level(0xb, 1, CORE, 6, 0x4b);
	is_at(1, 0xb, 0);
}

/* The numbers of packages need not fit into the APIC IDs of old. */
UNIT_TEST(wide_ids)
{
	start(true, 0x10, 0x80000026);
	level(0xb, 0, SMT, 1, 0x3fd);
	level(0xb, 1, CORE, 9, 0x3fd);
	is_at(1, 0xfe, 1);
}

/* Leaf 1fh before 0bh, levels between core and package are part of the core's number. */
UNIT_TEST(dies_and_modules)
{
	start(false, 0x1f, 0x80000008);
	level(0x1f, 0, SMT, 1, 0x1d3);
	level(0x1f, 1, CORE, 3, 0x1d3);
	level(0x1f, 2, MODULE, 5, 0x1d3);
	level(0x1f, 3, DIE, 7, 0x1d3);
	level(0xb, 0, SMT, 1, 0x1d3);
	level(0xb, 1, CORE, 6, 0x1d3);
	is_at(3, 0x29, 1);
}

/* Leaf 1fh is within the range, but says nothing. */
UNIT_TEST(empty_leaf)
{
	start(false, 0x1f, 0x80000008);
	level(0xb, 0, SMT, 1, 0x15);
	level(0xb, 1, CORE, 4, 0x15);
	is_at(1, 2, 1);
}

/* Zen under a hypervisor that hides leaf 0bh. */
UNIT_TEST(amd_by_its_own_leaves)
{
	start(true, 0xd, 0x8000001e);
	initial_id(0x1b, 16);
	amd_size(16, 4);
	amd_threads(2, 0x1b);
	is_at(1, 5, 1);
}

/* Two cores of family 15h share a module as threads share a core. The ID is that of the leaf, which has more bits. */
UNIT_TEST(amd_modules)
{
	start(true, 0xd, 0x8000001e);
	initial_id(0x27, 8);
	amd_size(8, 4);
	amd_threads(2, 0x127);
	is_at(0x12, 3, 1);
}

/* An ID of all zeros, as in Bochs, is none: each CPU has a place of its own all the same. */
UNIT_TEST(amd_with_an_empty_leaf)
{
	start(true, 0xd, 0x8000001f);
	initial_id(0x3, 2);
	amd_size(1, 0);
	amd_threads(1, 0);
	is_at(3, 0, 0);
}

/* As many bits as the next power of two needs; three threads need two. */
UNIT_TEST(amd_numbers_without_width)
{
	static const struct {
		unsigned count, threads, id, package, core, thread;
	} cpus[] = {
		{1, 1, 3, 3, 0, 0},     {2, 1, 3, 1, 1, 0},     {6, 1, 13, 1, 5, 0},
		{12, 2, 0x17, 1, 3, 1}, {12, 3, 0x1e, 1, 3, 2}, {256, 2, 0xff, 0, 0x7f, 1},
	};

	for (unsigned i = 0; i < array_size(cpus); i++) {
		start(true, 0xd, 0x8000001e);
		initial_id(cpus[i].id, cpus[i].count & 0xff);
		amd_size(cpus[i].count, 0);
		amd_threads(cpus[i].threads, cpus[i].id);
		is_at(cpus[i].package, cpus[i].core, cpus[i].thread);
	}
}

/* No topology extensions: cores only, and leaf 1 has the ID. The last case has the leaf, but not the bit. */
UNIT_TEST(amd_without_extensions)
{
	start(true, 5, 0x8000001b);
	initial_id(0x15, 6);
	amd_size(6, 3);
	is_at(2, 5, 0);
	start(true, 0xd, 0x8000001e);
	initial_id(0x15, 6);
	amd_size(6, 3);
	says(0x8000001e, 0, (struct cpuid){.eax = 0x77, .ebx = 1 << 8});
	is_at(2, 5, 0);
}

UNIT_TEST(amd_without_a_size)
{
	start(true, 1, 0x80000007);
	initial_id(1, 1);
	is_at(1, 0, 0);
}

/* Numbers of logical processors and cores, rounded up; AMD's leaves mean nothing to others. */
UNIT_TEST(others_by_counts)
{
	start(false, 4, 0x8000001e);
	initial_id(0x2d, 16);
	says(4, 0, (struct cpuid){.eax = 7u << 26});
	amd_size(4, 2);
	amd_threads(1, 0);
	is_at(2, 6, 1);
	start(false, 1, 0x80000008);
	initial_id(3, 1);
	is_at(3, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amd_with_leaf_0b),
		cmocka_unit_test(one_thread_a_core),
		cmocka_unit_test(wide_ids),
		cmocka_unit_test(dies_and_modules),
		cmocka_unit_test(empty_leaf),
		cmocka_unit_test(amd_by_its_own_leaves),
		cmocka_unit_test(amd_with_an_empty_leaf),
		cmocka_unit_test(amd_modules),
		cmocka_unit_test(amd_numbers_without_width),
		cmocka_unit_test(amd_without_extensions),
		cmocka_unit_test(amd_without_a_size),
		cmocka_unit_test(others_by_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
