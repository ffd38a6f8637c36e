/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs compared with the boot CPU: what it has and the other has not is named; what only the other has does not
 * matter. */
#include "unit.h"

#include "cpu/cpu.h"

static struct cpuid leaves[9][4];
static u32 max_leaf, max_extended;

/* By the low digits of the leaf and of the subleaf: 0, 1, 7, 0dh; 80000000h, 80000001h, 80000008h, 8000001fh. */
static struct cpuid *leaf(u32 n, u32 sub)
{
	static const u32 known[] = {0, 1, 7, 0xd, 0x80000000, 0x80000001, 0x80000008, 0x8000001f};

	for (unsigned i = 0; i < array_size(known); i++)
		if (known[i] == n)
			return &leaves[i][sub & 3];
	fail();
	return NULL;
}

static struct cpuid fake_cpuid(u32 n, u32 sub)
{
	assert_true(n <= max_leaf || (n >= 0x80000000 && n <= max_extended) || n == 0 || n == 0x80000000);
	struct cpuid l = *leaf(n, sub);
	if (n == 0)
		l.eax = max_leaf;
	if (n == 0x80000000)
		l.eax = max_extended;
	return l;
}

static bool amd;
bool cpu_is_amd(void)
{
	return amd;
}

static u64 tme_activate, syscfg;
static u64 fake_msr_read(u32 msr) /* there if CPUID says so */
{
	if (msr == 0x982) {
		assert_true(leaf(7, 0)->ecx & 1u << 13);
		return tme_activate;
	}
	assert_int_equal(msr, 0xc0010010);
	assert_true(leaf(0x8000001f, 0)->eax & 1);
	return syscfg;
}

#define cpuid(n, sub) fake_cpuid(n, sub)
#define msr_read fake_msr_read
#include "cpu/errata.c"
#include "cpu/features.c"

UNIT_FIXTURE(setup)
{
	memset(leaves, 0, sizeof(leaves));
	max_leaf = 0xd;
	max_extended = 0x80000008;
	amd = false;
	tme_activate = syscfg = 0;
	return 0;
}

static struct cpu_features everything(void)
{
	struct cpu_features f = {.phys_bits = 46, .xcr0 = 0xe7, .fpu_size = 2688};
#define X(member, name) f.member = true;
	FEATURE_LIST(X)
#undef X
	return f;
}

UNIT_TEST(nothing_is_lacking_among_equals)
{
	struct cpu_features f = everything(), none = {0};

	assert_int_equal(features_lacking(&f, &f), 0);
	assert_int_equal(features_lacking(&none, &none), 0);
}

UNIT_TEST(more_is_no_lack)
{
	struct cpu_features f = everything(), none = {.fpu_size = 2688};

	assert_int_equal(features_lacking(&none, &f), 0);
}

UNIT_TEST(each_feature_is_missed_by_name)
{
	struct cpu_features wanted = everything();

#define X(member, name)                                                                          \
	{                                                                                        \
		struct cpu_features have = everything();                                         \
		have.member = false;                                                             \
		assert_string_equal(features_name(features_lacking(&wanted, &have)), name);      \
		wanted.member = false; /* switched off on the command line, say: nobody cares */ \
		assert_int_equal(features_lacking(&wanted, &have), 0);                           \
		wanted.member = true;                                                            \
	}
	FEATURE_LIST(X)
#undef X
}

UNIT_TEST(sizes_are_compared)
{
	struct cpu_features wanted = everything(), have = everything();

	have.phys_bits = 39;
	assert_string_equal(features_name(features_lacking(&wanted, &have)), "bits of physical addresses");
	have = everything();
	have.xcr0 = 0x7;
	assert_string_equal(features_name(features_lacking(&wanted, &have)), "a part of the extended state");
	have = everything();
	have.xcr0 |= 1 << 9;
	assert_int_equal(features_lacking(&wanted, &have), 0);
	have.fpu_size++;
	assert_string_equal(features_name(features_lacking(&wanted, &have)), "the layout of the extended state");
}

UNIT_TEST(names_of_numbers_beyond_the_list)
{
	assert_non_null(features_name(1000));
	assert_non_null(strstr(features_name(FEATURES_APIC_MODE), "local APIC"));
}

/* ---- what CPUID says ---- */

UNIT_TEST(bits_are_read_where_they_are)
{
	struct cpu_features f;

	*leaf(1, 0) = (struct cpuid){0x806c1, 0, 1u << 3 | 1u << 17 | 1u << 21 | 1u << 26, 1u << 13};
	*leaf(7, 0) = (struct cpuid){0, 1u << 0 | 1u << 7 | 1u << 20, 1u << 2, 0};
	*leaf(0xd, 0) = (struct cpuid){0xe7, 0, 0, 0};
	*leaf(0xd, 1) = (struct cpuid){1u << 0 | 1u << 2, 0, 0, 0};
	*leaf(0x80000001, 0) = (struct cpuid){0, 0, 0, 1u << 26};
	*leaf(0x80000008, 0) = (struct cpuid){0x3027, 0, 0, 0};
	features_read(&f);
	struct cpu_features wanted = everything();
	wanted.phys_bits = 39;
	wanted.fpu_size = 0;
	assert_int_equal(features_lacking(&wanted, &f), 0);
	assert_int_equal(f.phys_bits, 39);
	leaf(1, 0)->eax = 0xb06d1;
	features_read(&f);
	assert_false(f.mwait);
}

/* Leaves beyond the last one repeat others on some CPUs: they are not asked (fake_cpuid() would fail). */
UNIT_TEST(short_cpuid)
{
	struct cpu_features f, none = {0};

	max_leaf = 5;
	max_extended = 0x80000001;
	*leaf(1, 0) = (struct cpuid){0, 0, 1u << 26, 0}; /* XSAVE, and no leaf for it */
	features_read(&f);
	none.xsave = true;
	assert_string_equal(features_name(features_lacking(&none, &f)), "XSAVE");
	assert_int_equal(f.phys_bits, 36);
}

UNIT_TEST(x87_pointers_of_amd)
{
	struct cpu_features f;

	leaf(1, 0)->eax = 0x00800f11; /* Zen */
	features_read(&f);
	assert_true(f.x87_pointers); /* another vendor */
	amd = true;
	features_read(&f);
	assert_false(f.x87_pointers);
	leaf(0x80000008, 0)->ebx = 1u << 2;
	features_read(&f);
	assert_true(f.x87_pointers);
}

/* Bits that number a key are no address: a page there is another one than firmware's map means. */
UNIT_TEST(bits_of_keys)
{
	leaf(0x80000008, 0)->eax = 0x3034;
	assert_int_equal(features_phys_bits(), 52);
	tme_activate = 1 | 1 << 1 | 6ull << 32 | 0xffull << 48;
	assert_int_equal(features_phys_bits(), 52); /* the CPU has no such register */
	leaf(7, 0)->ecx = 1u << 13;
	assert_int_equal(features_phys_bits(), 46);
	tme_activate &= ~2ull; /* set up and not switched on */
	assert_int_equal(features_phys_bits(), 52);
	max_leaf = 5;
	tme_activate |= 2;
	assert_int_equal(features_phys_bits(), 52);
}

UNIT_TEST(bit_of_encryption)
{
	max_extended = 0x8000001f;
	leaf(0x80000008, 0)->eax = 0x3030;
	*leaf(0x8000001f, 0) = (struct cpuid){1 | 1 << 1, 47 | 5 << 6 | 15 << 12, 15, 1};
	assert_int_equal(features_phys_bits(), 48);
	syscfg = 1u << 23;
	assert_int_equal(features_phys_bits(), 43);
	leaf(0x8000001f, 0)->eax = 1 << 1; /* SEV alone, as in some virtual machines */
	assert_int_equal(features_phys_bits(), 48);
}

UNIT_TEST(area_of_components)
{
	*leaf(0xd, 2) = (struct cpuid){256, 576, 0, 0};
	assert_int_equal(features_xsave_size(0x3), 576);
	assert_int_equal(features_xsave_size(0x7), 832);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lacking_among_equals),
		cmocka_unit_test(more_is_no_lack),
		cmocka_unit_test(each_feature_is_missed_by_name),
		cmocka_unit_test(sizes_are_compared),
		cmocka_unit_test(names_of_numbers_beyond_the_list),
		cmocka_unit_test_setup(bits_are_read_where_they_are, setup),
		cmocka_unit_test_setup(short_cpuid, setup),
		cmocka_unit_test_setup(x87_pointers_of_amd, setup),
		cmocka_unit_test_setup(bits_of_keys, setup),
		cmocka_unit_test_setup(bit_of_encryption, setup),
		cmocka_unit_test_setup(area_of_components, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
