/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory delegation: what arrives in a page table, and that it arrives at once.
 *
 * Memory has no mapping tree. A delegation copies translations from one host page table to another, with fewer rights
 * at most, and overwrites; a revocation clears. So there are two things to get right: the contents of the tables,
 * with their superpages that must be split and may be made, and the processor's TLB, which remembers what was there
 * before. Whatever a hypercall took away must be gone at the next access.
 *
 * Each test therefore touches the memory before and after, by real accesses: read, write and execute are tried one by
 * one, and the faults are the answer. Pages carry their number, so that a wrong translation is seen, too.
 *
 * memory_source.c has what can be delegated at all: physical memory, the kernel's, UTCBs, the HIP, and the edges of
 * the address spaces.
 */
#include "memory.h"

#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/start.h"

#define RET 0xc3

struct utcb_item memory_got;

enum status memory_give(sel_t from_pd, sel_t to_pd, crd_t from, unsigned long meta, crd_t to)
{
	memory_got = (struct utcb_item){~0ul, ~0ul};
	return hc_delegate(from_pd, to_pd, from, meta, to, &memory_got);
}

/* Executable memory: `count` pages, each starts with RET and has its number at offset 8. */
unsigned long memory_pages(unsigned count, unsigned align)
{
	uint8_t *p = rt_pages_aligned(count, align);
	unsigned long va;

	if (!EXPECT(p))
		guest_leave();
	for (unsigned i = 0; i < count; i++) {
		p[i * RT_PAGE] = RET;
		*(unsigned long *)&p[i * RT_PAGE + 8] = i;
	}
	va = rt_va(count, align);
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, rt_phys(p), RT_SEL_PD, va, count, RT_MEM_RWX, ITEM_HYPERVISOR));
	return va;
}

unsigned long memory_number(unsigned long va)
{
	return can_read(va + 8) ? *(volatile unsigned long *)(va + 8) : MEMORY_NONE;
}

unsigned memory_rights(unsigned long va)
{
	return (can_read(va) ? PERM_MEM_R : 0) | (can_write(va) ? PERM_MEM_W : 0) | (can_exec(va) ? PERM_MEM_X : 0);
}

/* What rights mean on this architecture: writing and executing imply reading. */
static unsigned effective(unsigned rights)
{
	return rights & RT_MEM_RWX ? (rights & RT_MEM_RWX) | PERM_MEM_R : 0;
}

static void rights(void)
{
	unsigned long from = memory_pages(1, 1), to = rt_va(1, 1);

	for (unsigned a = 0; a < 32; a++)
		for (unsigned b = 0; b < 32; b += 3) {
			EXPECT_GIVEN(rt_mem(from, 0, a), ITEM_DELEGATE, rt_mem(to, 0, b));
			EXPECT_EQ(memory_got.crd, rt_mem(to, 0, a & b));
			if (memory_rights(to) != effective(a & b))
				test_fail(__FILE__, __LINE__, "rights %u & %u: got %u, expected %u", a, b,
					  memory_rights(to), effective(a & b));
		}
}

static void error_codes(void)
{
	unsigned long from = memory_pages(1, 1), to = rt_va(1, 1);

	EXPECT(!can_read(to));
	EXPECT_EQ(guest_fault.vector, 14);
	EXPECT_EQ(guest_fault.error, 4);
	EXPECT_EQ(guest_fault.cr2, to);
	EXPECT_GIVEN(rt_mem(from, 0, PERM_MEM_R), ITEM_DELEGATE, rt_mem(to, 0, PERM_ALL));
	EXPECT(!can_write(to));
	EXPECT_EQ(guest_fault.error, 7);
	EXPECT(!can_exec(to));
	EXPECT_EQ(guest_fault.error, 0x15);
}

/* Rights never grow along a chain. */
static void rights_shrink(void)
{
	unsigned long from = memory_pages(1, 1), ro = rt_va(1, 1), again = rt_va(1, 1);

	EXPECT_GIVEN(rt_mem(from, 0, PERM_MEM_R), ITEM_DELEGATE, rt_mem(ro, 0, PERM_ALL));
	EXPECT_GIVEN(rt_mem(ro, 0, PERM_ALL), ITEM_DELEGATE, rt_mem(again, 0, PERM_ALL));
	EXPECT_EQ(memory_got.crd, rt_mem(again, 0, PERM_ALL)); /* the window, not what was found */
	EXPECT_EQ(memory_rights(again), PERM_MEM_R);
	EXPECT_GIVEN(rt_mem(ro, 0, PERM_MEM_W), ITEM_DELEGATE, rt_mem(again, 0, PERM_ALL));
	EXPECT(!can_write(again));
	EXPECT_GIVEN(rt_mem(from, 0, PERM_ALL), ITEM_DELEGATE, rt_mem(again, 0, PERM_MEM_X));
	EXPECT_EQ(memory_rights(again), PERM_MEM_R | PERM_MEM_X);
	EXPECT_GIVEN(rt_mem(again, 0, PERM_ALL), ITEM_DELEGATE, rt_mem(again, 0, PERM_MEM_R)); /* in place */
	EXPECT_EQ(memory_rights(again), PERM_MEM_R);
	EXPECT_EQ(memory_rights(from), RT_MEM_RWX);
}

/* Permissions 0, and sources that are not there, unmap. */
static void unmap_by_delegation(void)
{
	unsigned long from = memory_pages(4, 4), to = rt_va(4, 4), nothing = rt_va(4, 4);

	EXPECT_GIVEN(rt_mem(from, 2, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 2, RT_MEM_RW));
	EXPECT_EQ(memory_number(to + 3 * RT_PAGE), 3);
	EXPECT_GIVEN(rt_mem(from, 1, 0), ITEM_DELEGATE, rt_mem(to, 1, RT_MEM_RW));
	EXPECT_EQ(memory_got.crd, rt_mem(to, 1, 0));
	EXPECT_EQ(memory_number(to), MEMORY_NONE);
	EXPECT_EQ(memory_number(to + RT_PAGE), MEMORY_NONE);
	EXPECT_EQ(memory_number(to + 2 * RT_PAGE), 2);
	EXPECT_GIVEN(rt_mem(nothing, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to + 2 * RT_PAGE, 0, RT_MEM_RW));
	EXPECT_EQ(memory_got.crd, rt_mem(to + 2 * RT_PAGE, 0, RT_MEM_RW));
	EXPECT_EQ(memory_number(to + 2 * RT_PAGE), MEMORY_NONE);
	EXPECT_EQ(memory_number(to + 3 * RT_PAGE), 3);
	/* Page by page: a source with holes. */
	ASSERT_OK(rt_mem_revoke(from + RT_PAGE, 1));
	EXPECT_GIVEN(rt_mem(from, 2, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 2, RT_MEM_RW));
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(memory_number(to + i * RT_PAGE), i == 1 ? MEMORY_NONE : i);
}

/* What was there is replaced, and the TLB knows. */
static void replaces(void)
{
	unsigned long a = memory_pages(2, 2), to = rt_va(1, 1);

	for (unsigned i = 0; i < 10; i++) {
		EXPECT_GIVEN(rt_mem(a + (i & 1) * RT_PAGE, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 0, RT_MEM_RW));
		EXPECT_EQ(memory_number(to), i & 1);
	}
	EXPECT_GIVEN(rt_mem(a, 0, PERM_MEM_R), ITEM_DELEGATE, rt_mem(to, 0, RT_MEM_RW));
	EXPECT(!can_write(to));
	EXPECT_GIVEN(rt_mem(a, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 0, RT_MEM_RW));
	EXPECT(can_write(to));
}

/* The same arithmetic as for objects: pages of a block of 16, seen by their numbers. */
static const struct {
	unsigned from, from_order, to, to_order, hotspot, first, landing, order;
} clamps[] = {
	{3, 0, 5, 0, 0, 3, 5, 0},     {4, 2, 8, 2, 3, 4, 8, 2},      {3, 0, 0, 4, 7, 3, 7, 0},
	{3, 0, 8, 3, 2, 3, 10, 0},    {3, 0, 8, 3, 10, 3, 10, 0},    {4, 1, 0, 4, 7, 4, 6, 1},
	{0, 4, 6, 0, 9, 9, 6, 0},     {0, 4, 6, 1, 9, 8, 6, 1},      {0, 4, 4, 2, 0xe, 12, 4, 2},
	{8, 3, 6, 1, 0xf5, 12, 6, 1}, {5, 1, 7, 1, 0, 4, 6, 1},      {7, 2, 9, 2, 0, 4, 8, 2},
	{0, 4, 0, 4, 5, 0, 0, 4},     {3, 0, 0, 4, 0xfff3, 3, 3, 0},
};

static void windows(void)
{
	unsigned long from = memory_pages(16, 16), to = rt_va(16, 16);

	for (unsigned i = 0; i < RT_ARRAY(clamps); i++) {
		crd_t want = rt_mem(to + clamps[i].landing * RT_PAGE, clamps[i].order, RT_MEM_RW);

		ASSERT_OK(rt_mem_revoke(to, 16));
		EXPECT_GIVEN(rt_mem(from + clamps[i].from * RT_PAGE, clamps[i].from_order, RT_MEM_RW),
			     (unsigned long)clamps[i].hotspot << 12 | ITEM_DELEGATE,
			     rt_mem(to + clamps[i].to * RT_PAGE, clamps[i].to_order, RT_MEM_RW));
		if (memory_got.crd != want || memory_got.meta != ITEM_DELEGATE)
			test_fail(__FILE__, __LINE__, "row %u: item %lx %lx, expected %lx", i, memory_got.crd,
				  memory_got.meta, want);
		for (unsigned t = 0; t < 16; t++) {
			unsigned n = t - clamps[i].landing;
			unsigned long expected = n < 1u << clamps[i].order ? clamps[i].first + n : MEMORY_NONE;

			if (memory_number(to + t * RT_PAGE) != expected)
				test_fail(__FILE__, __LINE__, "row %u, page %u: %lu, expected %lu", i, t,
					  memory_number(to + t * RT_PAGE), expected);
		}
	}
}

/* Host and guest flags. Without a nested page table to look at, the host's must be left alone by guest-only items. */
static void where_to_map(void)
{
	unsigned long from = memory_pages(2, 2), to = rt_va(1, 1);

	EXPECT_GIVEN(rt_mem(from, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 0, RT_MEM_RW));
	EXPECT_GIVEN(rt_mem(from + RT_PAGE, 0, RT_MEM_RW), ITEM_DELEGATE | ITEM_NO_HOST, rt_mem(to, 0, RT_MEM_RW));
	EXPECT_EQ(memory_got.crd, rt_mem(to, 0, RT_MEM_RW));
	EXPECT_EQ(memory_number(to), 0);
	EXPECT_GIVEN(rt_mem(from, 0, 0), ITEM_DELEGATE | ITEM_NO_HOST, rt_mem(to, 0, RT_MEM_RW));
	EXPECT_EQ(memory_number(to), 0);
	for (unsigned long guest = 1ul << 9; guest <= 3ul << 9; guest += 1ul << 9) {
		EXPECT_GIVEN(rt_mem(from + RT_PAGE, 0, RT_MEM_RW), ITEM_DELEGATE | ITEM_NO_HOST | guest,
			     rt_mem(to, 0, RT_MEM_RW));
		EXPECT_EQ(memory_number(to), 0);
		EXPECT_GIVEN(rt_mem(from + RT_PAGE, 0, RT_MEM_RW), ITEM_DELEGATE | guest, rt_mem(to, 0, RT_MEM_RW));
		EXPECT_EQ(memory_number(to), 1);
		EXPECT_GIVEN(rt_mem(from, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 0, RT_MEM_RW));
	}
}

/* Metadata come back without the hotspot; kinds 0 and 3 move no memory. */
static void metadata(void)
{
	unsigned long from = memory_pages(1, 1), to = rt_va(1, 1);

	for (unsigned long meta = 0; meta < 0x800; meta++) {
		bool delegates = (meta & 3) == ITEM_DELEGATE || (meta & 3) == ITEM_TRANSLATE_DELEGATE;
		bool host = delegates && !(meta & ITEM_NO_HOST);

		ASSERT_OK(rt_mem_revoke(to, 1));
		EXPECT_GIVEN(rt_mem(from, 0, PERM_MEM_R), meta | 0xabc000, rt_mem(to, 0, PERM_MEM_R));
		EXPECT_EQ(memory_got.crd, delegates ? rt_mem(to, 0, PERM_MEM_R) : 0);
		EXPECT_EQ(memory_got.meta, (meta & 3) == ITEM_TRANSLATE_DELEGATE ? meta | 1 : meta);
		EXPECT_EQ(can_read(to), host);
		if (test_failed())
			return;
	}
}

/* Superpages: 4 MiB in one go, then pieces are replaced, restricted and removed; the others stay as they are. */
static void superpages(void)
{
	enum { COUNT = 1024, ORDER = 10 };
	unsigned long from = memory_pages(COUNT, COUNT), to = rt_va(COUNT, COUNT);

	EXPECT_GIVEN(rt_mem(from, ORDER, RT_MEM_RWX), ITEM_DELEGATE, rt_mem(to, ORDER, RT_MEM_RWX));
	for (unsigned i = 0; i < COUNT; i += 31)
		ASSERT_EQ(memory_number(to + i * RT_PAGE), i);
	ASSERT_OK(rt_mem_revoke(to + 100 * RT_PAGE, 1));
	EXPECT_GIVEN(rt_mem(from + 7 * RT_PAGE, 0, PERM_MEM_R), ITEM_DELEGATE,
		     rt_mem(to + 101 * RT_PAGE, 0, PERM_MEM_R));
	EXPECT_GIVEN(rt_mem(from, 0, 0), ITEM_DELEGATE, rt_mem(to + 600 * RT_PAGE, 0, PERM_MEM_R));
	for (unsigned i = 0; i < COUNT; i++) {
		unsigned long want = i == 100 || i == 600 ? MEMORY_NONE : i == 101 ? 7 : i;

		ASSERT_EQ(memory_number(to + i * RT_PAGE), want);
	}
	EXPECT_EQ(memory_rights(to + 101 * RT_PAGE), PERM_MEM_R);
	EXPECT_EQ(memory_rights(to + 102 * RT_PAGE), RT_MEM_RWX);
	/* The whole again, over the pieces, with fewer rights. */
	EXPECT_GIVEN(rt_mem(from, ORDER, PERM_MEM_R), ITEM_DELEGATE, rt_mem(to, ORDER, RT_MEM_RWX));
	for (unsigned i = 0; i < COUNT; i++)
		ASSERT_EQ(memory_number(to + i * RT_PAGE), i);
	EXPECT_EQ(memory_rights(to + 102 * RT_PAGE), PERM_MEM_R);
	EXPECT_EQ(memory_rights(from + 102 * RT_PAGE), RT_MEM_RWX);
	ASSERT_OK(rt_mem_revoke(to, COUNT));
	for (unsigned i = 0; i < COUNT; i += 17)
		ASSERT_EQ(memory_number(to + i * RT_PAGE), MEMORY_NONE);
}

/* Superpages to a target of another alignment. */
static void misaligned_superpages(void)
{
	enum { COUNT = 512, SHIFT = 8 };
	unsigned long from = memory_pages(COUNT, COUNT), to = rt_va(2 * COUNT, COUNT) + SHIFT * RT_PAGE;

	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, from, RT_SEL_PD, to, COUNT, RT_MEM_RW, 0));
	for (unsigned i = 0; i < COUNT; i++)
		ASSERT_EQ(memory_number(to + i * RT_PAGE), i);
	EXPECT_EQ(memory_number(to - RT_PAGE), MEMORY_NONE);
	EXPECT_EQ(memory_number(to + COUNT * RT_PAGE), MEMORY_NONE);
}

/* 1 GiB of whatever physical memory there is, and a hole in it. */
static void gigantic_pages(void)
{
	const unsigned long gib = 1ul << 30;
	unsigned long to = rt_va(2 * (gib / RT_PAGE), 2 * (gib / RT_PAGE)), page = memory_pages(1, 1);

	EXPECT_GIVEN(rt_mem(0, 18, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR, rt_mem(to, 18, PERM_MEM_R));
	EXPECT(can_read(to + 0x100000));
	EXPECT(!can_write(to + 0x100000));
	EXPECT_GIVEN(rt_mem(page, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to + 0x123000, 0, RT_MEM_RW));
	EXPECT(can_write(to + 0x123000));
	EXPECT(!can_write(to + 0x124000));
	EXPECT(can_read(to + 0x124000));
	EXPECT(can_read(to + 0x122000));
	EXPECT_GIVEN(rt_mem(3 * gib, 18, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR,
		     rt_mem(to + gib, 18, PERM_MEM_R));
	EXPECT(can_read(to + gib));
	EXPECT_OK(hc_revoke(rt_mem(to, 19, PERM_ALL), 0, 0));
	EXPECT(!can_read(to + 0x100000));
	EXPECT(!can_read(to + 0x123000));
	EXPECT(!can_read(to + gib));
}

/* Revocation: everything goes whatever rights and flags are named; only the named PD; only whole aligned ranges. */
static void revocation(void)
{
	unsigned long from = memory_pages(8, 8), to = rt_va(8, 8);

	for (unsigned rights = 0; rights < 32; rights += 5)
		for (unsigned self = 0; self < 2; self++) {
			EXPECT_GIVEN(rt_mem(from, 3, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 3, RT_MEM_RW));
			EXPECT_EQ(memory_number(to), 0);
			EXPECT_OK(hc_revoke(rt_mem(to, 1, rights), self, 0));
			EXPECT_EQ(memory_number(to), MEMORY_NONE);
			EXPECT_EQ(memory_number(to + RT_PAGE), MEMORY_NONE);
			EXPECT_EQ(memory_number(to + 2 * RT_PAGE), 2);
			EXPECT_EQ(memory_number(from), 0); /* no tree */
		}
	EXPECT_OK(hc_revoke(rt_mem(to + 3 * RT_PAGE, 2, PERM_ALL), REVOKE_SELF, 0)); /* not aligned: ignored */
	EXPECT_EQ(memory_number(to + 3 * RT_PAGE), 3);
	EXPECT_EQ(memory_number(to + 2 * RT_PAGE), 2);
	EXPECT_OK(hc_revoke(rt_mem(from, 3, PERM_ALL), REVOKE_SELF, 0));
	EXPECT_EQ(memory_number(to + 7 * RT_PAGE), 7); /* the copy stays */
}

static void clear_large_ranges(void)
{
	for (unsigned i = 0; i < 100; i++)
		EXPECT_OK(hc_revoke(rt_mem(0x300000000000, 31, PERM_ALL), REVOKE_SELF, 0));
	EXPECT_GIVEN(rt_mem(0x300000000000, 31, 0), ITEM_DELEGATE, rt_mem(0x380000000000, 31, PERM_ALL));
	EXPECT_GIVEN(rt_mem(0x300000000000, 31, RT_MEM_RW), ITEM_DELEGATE, rt_mem(0x380000000000, 31, PERM_ALL));
}

/* Very large ranges that are empty are cleared quickly. */
static void large_empty_ranges(void)
{
	EXPECT(guest_quick(clear_large_ranges, 2000));
}

const struct test memory_table_tests[] = {
	TEST(rights),
	TEST(error_codes),
	TEST(rights_shrink),
	TEST(unmap_by_delegation),
	TEST(replaces),
	TEST(windows),
	TEST(where_to_map),
	TEST(metadata),
	TEST(superpages),
	TEST(misaligned_superpages),
	TEST(gigantic_pages),
	TEST(revocation),
	TEST(large_empty_ranges),
	{},
};

bool main(void)
{
	static const struct test *const tables[] = {memory_table_tests, memory_source_tests, NULL};

	return guest_run_tables("memory", tables);
}
