/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hypervisor PD gives: all physical memory as it is, but for what is claimed and what cannot be addressed.
 */
#include "space/space_mem_fixture.h"

UNIT_TEST(physical_memory_is_mapped_as_it_is)
{
	unsigned order;
	assert_int_equal(give(&a, 0x200, 0x1000, 0, RWX), SUCCESS);
	u64 e = ptab_lookup(&a.mem.host, 0x1000, &order);
	assert_int_equal(e & ~(PTE_TYPE | PTE_DELEG), 0x200000 | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D);
	assert_int_equal(host_tlb.host, 0);
}

UNIT_TEST(claimed_memory_is_withheld_exactly)
{
	/* 32 MiB around the image: 0x6600000 .. 0x6800000, the odd size rounded up. */
	assert_int_equal(give(&a, 0x6000, 0x6000, 13, RWX), SUCCESS);
	assert_host(&a, 0x65ff, 0x65ff, RWX);
	assert_no_host(&a, 0x6600);
	assert_no_host(&a, 0x67ff);
	assert_host(&a, 0x6800, 0x6800, RWX);
	/* A claimed source unmaps. */
	assert_int_equal(give(&a, 0x7000, 0x5000, 0, RWX), SUCCESS);
	assert_int_equal(give(&a, 0x6700, 0x5000, 0, RWX), SUCCESS);
	assert_no_host(&a, 0x5000);
}

UNIT_TEST(addresses_beyond_maxphyaddr_are_refused)
{
	u64 end = bit(PHYS_BITS - PAGE_BITS);
	assert_int_equal(give(&a, end - 1, 1, 0, RWX), SUCCESS);
	assert_host(&a, 1, end - 1, RWX);
	assert_int_equal(give(&a, end, 2, 0, RWX), BAD_PAR);
	assert_int_equal(give(&a, 0, 0, 29, RWX), BAD_PAR);
	assert_no_host(&a, 2);
	/* Taking away never fails, nor does what has no effect. */
	assert_int_equal(give(&a, end, 1, 0, 0), SUCCESS);
	assert_no_host(&a, 1);
	assert_int_equal(delegate_mem(&pd_kernel, &a, end, 2, 0, RWX | ITEM_NO_HOST), SUCCESS);
}

UNIT_TEST(the_hypervisor_flag_names_the_source)
{
	assert_int_equal(delegate_mem(&b, &a, 0x200, 7, 0, RWX | ITEM_HYPERVISOR), SUCCESS);
	assert_host(&a, 7, 0x200, RWX);
	assert_int_equal(delegate_mem(&b, &a, 0x200, 7, 0, RWX), SUCCESS);
	assert_no_host(&a, 7);
}

UNIT_TEST(types_of_memory_reach_guests)
{
	assert_int_equal(delegate_mem(&pd_kernel, &a, 0, 0, 8, RWX | ITEM_GUEST), SUCCESS);
	assert_guest(&a, 0x9f, 0x9f, 7, MEM_WB);
	assert_guest(&a, 0xa0, 0xa0, 7, MEM_UC);
	assert_guest(&a, 0xff, 0xff, 7, MEM_UC);
	/* Also along a chain of PDs, and out of superpages. */
	assert_int_equal(give(&a, 0xc0000, 0x200, 9, RWX), SUCCESS);
	assert_int_equal(delegate_mem(&a, &b, 0x201, 5, 0, RWX | ITEM_GUEST | ITEM_NO_HOST), SUCCESS);
	assert_guest(&b, 5, 0xc0001, 7, MEM_UC);
	assert_no_host(&b, 5);
}

UNIT_TEST(a_hole_in_physical_memory_splits)
{
	/* 2 GiB with image, heap, and nothing else missing. */
	assert_int_equal(give(&a, 0, 0x80000, 19, RWX), SUCCESS);
	for (u64 page = 0; page < bit(19); page++) {
		bool image = page >= 0x6600 && page < 0x6800;
		bool heap = page >= HOST_HEAP_PHYS >> PAGE_BITS && page < (HOST_HEAP_PHYS + HEAP) >> PAGE_BITS;
		assert_host(&a, 0x80000 + page, image || heap ? ~0ull : page, image || heap ? 0 : RWX);
	}
	assert_int_equal(order_at(&a, 0xc0000), 18);
	assert_int_equal(order_at(&a, 0x80200), 9);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(physical_memory_is_mapped_as_it_is),
		T(claimed_memory_is_withheld_exactly),
		T(addresses_beyond_maxphyaddr_are_refused),
		T(the_hypervisor_flag_names_the_source),
		T(types_of_memory_reach_guests),
		T(a_hole_in_physical_memory_splits),
	};
	return cmocka_run_group_tests(tests, claim, NULL);
}
