/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMX of CPUs that differ: what one has not, nobody uses; what one must have, everybody does. */
#include "unit.h"

#include "vmx/vmx_common.c"

static struct vmx typical(void)
{
	return (struct vmx){
		.revision = 4,
		.pin = {0x16, 0x7f},
		.primary = {0x401e172, 0xfff9fffe},
		.secondary = {0, 0x77cff},
		.exit = {0x36dff, 0x3ffffff},
		.entry = {0x11ff, 0x3ffff},
		.cr0_must = 0x20,
		.cr0_may = 0x9fffffff,
		.cr4_must = 0x2040,
		.cr4_may = 0x3727ff,
		.ept_caps = 0xf0106734141,
		.timer_shift = 5,
		.vpid = true,
		.spec_ctrl = true,
		.tsc_aux = true,
		.wait_sipi = true,
		.l1_can_flush = true,
	};
}

UNIT_TEST(equals_change_nothing)
{
	struct vmx all = typical(), one = typical(), before = typical();

	assert_null(vmx_common_merge(&all, &one));
	assert_memory_equal(&all, &before, sizeof(all));
	assert_true(vmx_common_covers(&one, &all));
}

/* Merged in either order, both CPUs can do the result; one that can do less than that is found out. */
static void assert_common(struct vmx a, struct vmx b)
{
	struct vmx ab = a, ba = b;

	assert_null(vmx_common_merge(&ab, &b));
	assert_null(vmx_common_merge(&ba, &a));
	assert_true(vmx_common_covers(&a, &ab) && vmx_common_covers(&b, &ab));
	assert_true(vmx_common_covers(&ab, &ba) && vmx_common_covers(&ba, &ab));
	assert_false(vmx_common_covers(&b, &a));
}

UNIT_TEST(less_is_less_for_all){
#define LACKS(field, value)                                                 \
	{                                                                   \
		struct vmx weak = typical(), strong = typical();            \
		weak.field = value;                                         \
		assert_common(strong, weak);                                \
		assert_null(vmx_common_merge(&strong, &weak));              \
		assert_true(strong.field == (__typeof__(weak.field))value); \
	}
	LACKS(pin.may, 0x3f) LACKS(primary.may, 0xf7f9fffe) LACKS(secondary.may, 0x4ff) LACKS(exit.may, 0x1ffffff)
		LACKS(entry.may, 0x1ffff) LACKS(pin.must, 0x17) LACKS(primary.must, 0x401e17e)
			LACKS(secondary.must, 2) LACKS(exit.must, 0x37dff) LACKS(entry.must, 0x13ff)
				LACKS(cr0_may, 0x8fffffff) LACKS(cr0_must, 0x30) LACKS(cr4_may, 0x1727ff)
					LACKS(cr4_must, 0x2060) LACKS(ept_caps, 0xf0106714141) LACKS(vpid, false)
						LACKS(spec_ctrl, false) LACKS(tsc_aux, false) LACKS(wait_sipi, false)
							LACKS(l1_can_flush, false) LACKS(l1_leaks, true)
#undef LACKS
}

UNIT_TEST(each_may_lack_something_else)
{
	struct vmx a = typical(), b = typical();

	a.secondary.may &= ~8u;
	b.secondary.may &= ~16u;
	b.pin.must |= 1;
	assert_null(vmx_common_merge(&a, &b));
	assert_int_equal(a.secondary.may, 0x77cff & ~24u);
	assert_int_equal(a.pin.must, 0x17);
}

UNIT_TEST(what_cannot_be_chosen)
{
	struct vmx all = typical(), one = typical();

	one.timer_shift = 0;
	assert_string_equal(vmx_common_merge(&all, &one), "the rate of the preemption timer");
	assert_false(vmx_common_covers(&one, &all));
	one = typical();
	one.exit.may &= ~0x100u; /* must be 1 on the other one */
	assert_string_equal(vmx_common_merge(&all, &one), "controls that cannot be chosen");
	all = one = typical();
	one.cr4_may &= ~0x2000ull;
	all.cr4_must |= 0x2000;
	assert_string_equal(vmx_common_merge(&all, &one), "bits of CR0 or CR4 that cannot be chosen");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_change_nothing),
		cmocka_unit_test(less_is_less_for_all),
		cmocka_unit_test(each_may_lack_something_else),
		cmocka_unit_test(what_cannot_be_chosen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
