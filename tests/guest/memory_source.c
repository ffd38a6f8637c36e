/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where memory comes from and where it can go: other PDs, physical memory, special pages, edges. */
#include "memory.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/thread.h"

#define LAST_PAGES 0x7fffffff8000ul /* free pages below the roottask's UTCB */

static unsigned maxphyaddr(void)
{
	return rt_cpuid(0x80000000, 0).eax >= 0x80000008 ? rt_cpuid(0x80000008, 0).eax & 0xff : 36;
}

/* Another PD sees what it was given, as long as it is not taken away there. */
static void other_pd(void)
{
	unsigned long from = memory_pages(4, 4);
	struct agent a, b;

	agent_make(&a);
	agent_make(&b);
	EXPECT(!agent_can_read(&a, from));
	EXPECT_OK(memory_give(RT_SEL_PD, a.pd, rt_mem(from, 2, RT_MEM_RWX), ITEM_DELEGATE,
			      rt_mem(from, 2, PERM_MEM_R)));
	EXPECT(agent_can_read(&a, from));
	EXPECT(!agent_can_write(&a, from));
	EXPECT(!agent_can_exec(&a, from));
	EXPECT(!agent_can_read(&b, from));
	/* On to the next, who cannot get more. */
	EXPECT_OK(memory_give(a.pd, b.pd, rt_mem(from, 2, RT_MEM_RWX), ITEM_DELEGATE, rt_mem(from, 2, RT_MEM_RWX)));
	EXPECT(agent_can_read(&b, from));
	EXPECT(!agent_can_write(&b, from));
	/* Taken from the first only. */
	EXPECT_OK(hc_revoke(rt_mem(from, 2, PERM_ALL), REVOKE_SELF | REVOKE_REMOTE, a.pd));
	EXPECT(!agent_can_read(&a, from));
	EXPECT(agent_can_read(&b, from));
	EXPECT(can_write(from));
	EXPECT_OK(hc_revoke(rt_mem(from, 2, PERM_ALL), REVOKE_SELF, 0));
	EXPECT(!can_read(from));
	EXPECT(agent_can_read(&b, from + 3 * RT_PAGE));
}

/* The same page at the same address with different rights in two PDs that call each other. */
static void rights_per_pd(void)
{
	unsigned long from = memory_pages(1, 1);
	struct agent a;

	agent_make(&a);
	EXPECT_OK(memory_give(RT_SEL_PD, a.pd, rt_mem(from, 0, PERM_MEM_R), ITEM_DELEGATE,
			      rt_mem(from, 0, RT_MEM_RWX)));
	for (unsigned i = 0; i < 5; i++) {
		EXPECT(can_write(from));
		EXPECT(!agent_can_write(&a, from));
		EXPECT(agent_can_read(&a, from));
	}
	EXPECT_OK(
		memory_give(RT_SEL_PD, a.pd, rt_mem(from, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(from, 0, RT_MEM_RWX)));
	EXPECT(agent_can_write(&a, from));
	EXPECT_OK(memory_give(RT_SEL_PD, RT_SEL_PD, rt_mem(from, 0, PERM_MEM_R), ITEM_DELEGATE,
			      rt_mem(from, 0, PERM_MEM_R)));
	EXPECT(!can_write(from));
	EXPECT(agent_can_write(&a, from));
}

static bool claimed(uint64_t pa)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type == (uint32_t)HIP_MEM_HYPERVISOR && pa - m->addr < m->size)
			return true;
	}
	return false;
}

/* Exactly the claimed ranges are withheld: they count as not present, and unmap. */
static void kernel_memory(void)
{
	unsigned long to = rt_va(1, 1), page = memory_pages(1, 1);
	unsigned ranges = 0;

	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];
		uint64_t edges[] = {m->addr - RT_PAGE, m->addr, m->addr + m->size / 2 / RT_PAGE * RT_PAGE,
				    m->addr + m->size - RT_PAGE, m->addr + m->size};

		if (m->type != (uint32_t)HIP_MEM_HYPERVISOR)
			continue;
		ranges++;
		EXPECT_EQ(m->addr % RT_PAGE | m->size % RT_PAGE, 0);
		for (unsigned e = 0; e < RT_ARRAY(edges); e++) {
			EXPECT_GIVEN(rt_mem(page, 0, PERM_MEM_R), ITEM_DELEGATE, rt_mem(to, 0, PERM_MEM_R));
			EXPECT_GIVEN(rt_mem(edges[e], 0, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR,
				     rt_mem(to, 0, PERM_MEM_R));
			EXPECT_EQ(memory_got.crd, rt_mem(to, 0, PERM_MEM_R));
			if (can_read(to) == claimed(edges[e]))
				test_fail(__FILE__, __LINE__, "page %#lx: readable %d, claimed %d", edges[e],
					  can_read(to), claimed(edges[e]));
		}
	}
	EXPECT(ranges > 0);
}

/* A large range around kernel memory: everything but that. */
static void range_with_kernel_memory(void)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];
		const unsigned order = 14; /* 64 MiB */
		unsigned long size = RT_PAGE << order, base = m->addr & -size, to;

		if (m->type != (uint32_t)HIP_MEM_HYPERVISOR)
			continue;
		to = rt_va(1ul << order, 1ul << order);
		EXPECT_GIVEN(rt_mem(base, order, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR,
			     rt_mem(to, order, PERM_MEM_R));
		for (unsigned long at = 0; at < size; at += 37 * RT_PAGE)
			if (can_read(to + at) == claimed(base + at))
				test_fail(__FILE__, __LINE__, "page %#lx: claimed %d", base + at, claimed(base + at));
		for (long at = (long)(m->addr - base) - 2 * (long)RT_PAGE;
		     at < (long)(m->addr - base) + 2 * (long)RT_PAGE; at += RT_PAGE)
			if (at >= 0 && can_read(to + (unsigned long)at) == claimed(base + (unsigned long)at))
				test_fail(__FILE__, __LINE__, "page %#lx: claimed %d", base + (unsigned long)at,
					  claimed(base + (unsigned long)at));
		EXPECT_OK(hc_revoke(rt_mem(to, order, PERM_ALL), 0, 0));
	}
}

/* Physical memory ends at MAXPHYADDR; what is below exists, RAM or not. */
static void physical_limit(void)
{
	unsigned long to = rt_va(1, 1), page = memory_pages(1, 1), end = 1ul << maxphyaddr();

	EXPECT_GIVEN(rt_mem(page, 0, PERM_MEM_R), ITEM_DELEGATE, rt_mem(to, 0, PERM_MEM_R));
	EXPECT_ST(memory_give(RT_SEL_PD, RT_SEL_PD, rt_mem(end, 0, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR,
			      rt_mem(to, 0, PERM_MEM_R)),
		  BAD_PAR);
	EXPECT_EQ(memory_got.crd, rt_mem(end, 0, PERM_MEM_R)); /* the argument, as it was */
	EXPECT_GIVEN(rt_mem(-RT_PAGE, 0, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR, rt_mem(to, 0, PERM_MEM_R));
	EXPECT(can_read(to)); /* beyond what user addresses reach: ignored */
	EXPECT_OK(memory_give(RT_SEL_PD, RT_SEL_PD, rt_mem(end, 0, 0), ITEM_DELEGATE | ITEM_HYPERVISOR,
			      rt_mem(to, 0, PERM_MEM_R)));
	EXPECT(!can_read(to)); /* permissions 0 unmap and never fail */
	EXPECT_OK(memory_give(RT_SEL_PD, RT_SEL_PD, rt_mem(end - RT_PAGE, 0, PERM_MEM_R),
			      ITEM_DELEGATE | ITEM_HYPERVISOR, rt_mem(to, 0, PERM_MEM_R)));
	EXPECT(can_read(to));
}

/* The upper half of all physical memory in one piece, and then taken away but for one page. */
static void half_of_physical_memory(void)
{
	unsigned order = maxphyaddr() - 1 - 12;
	unsigned long half = RT_PAGE << order, to;

	if (order > 31 || half > HEDRON_USER_END / 4)
		SKIP("more than a range can name");
	to = rt_va(half / RT_PAGE, half / RT_PAGE);
	EXPECT_GIVEN(rt_mem(half, order, PERM_MEM_R), ITEM_DELEGATE | ITEM_HYPERVISOR, rt_mem(to, order, PERM_MEM_R));
	EXPECT(can_read(to));
	EXPECT(can_read(to + half / 2 + 0x12345678));
	EXPECT(can_read(to + half - RT_PAGE));
	EXPECT(!can_write(to));
	EXPECT(!can_read(to + half));
	for (unsigned o = 0; o < order; o++)
		EXPECT_OK(hc_revoke(rt_mem(to + (RT_PAGE << o), o, PERM_ALL), REVOKE_SELF, 0));
	EXPECT(can_read(to));
	EXPECT(!can_read(to + RT_PAGE));
	EXPECT(!can_read(to + half / 2 + 0x12345678));
	EXPECT(!can_read(to + half - RT_PAGE));
	EXPECT_OK(hc_revoke(rt_mem(to, order, PERM_ALL), REVOKE_SELF, 0));
	EXPECT(!can_read(to));
}

/* The user limit, on both sides: a range that touches it is invalid as a whole. */
static void user_limit(void)
{
	unsigned long from = memory_pages(4, 4);

	EXPECT_GIVEN(rt_mem(from, 2, RT_MEM_RW), ITEM_DELEGATE, rt_mem(LAST_PAGES, 2, RT_MEM_RW));
	EXPECT_EQ(memory_number(LAST_PAGES), 0);
	EXPECT_EQ(memory_number(LAST_PAGES + 3 * RT_PAGE), 3);
	EXPECT_GIVEN(rt_mem(from, 2, RT_MEM_RW), ITEM_DELEGATE, rt_mem(LAST_PAGES + 4 * RT_PAGE, 2, RT_MEM_RW));
	EXPECT_EQ(memory_number(LAST_PAGES + 4 * RT_PAGE), MEMORY_NONE);
	EXPECT(can_write(HEDRON_ROOT_UTCB));
	EXPECT_GIVEN(rt_mem(from, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(HEDRON_USER_END, 0, RT_MEM_RW));
	EXPECT(!can_read(HEDRON_USER_END));
	EXPECT_GIVEN(rt_mem(from, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(0x800000000000, 0, RT_MEM_RW));
	EXPECT_GIVEN(rt_mem(from, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(0xffff800000000000, 0, RT_MEM_RW));
	EXPECT_GIVEN(rt_mem(from, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(0xffffffff80000000, 0, RT_MEM_RW));
	EXPECT_GIVEN(rt_mem(HEDRON_USER_END, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(LAST_PAGES, 0, RT_MEM_RW));
	EXPECT_GIVEN(rt_mem(0xffffffff80000000, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(LAST_PAGES, 0, RT_MEM_RW));
	EXPECT_GIVEN(rt_mem(0x7ffffffff000 & ~0x3fffful, 6, RT_MEM_RW), ITEM_DELEGATE, rt_mem(from, 6, RT_MEM_RW));
	EXPECT_EQ(memory_number(LAST_PAGES), 0);
	EXPECT_OK(hc_revoke(rt_mem(0x7fffffffc000, 2, PERM_ALL), REVOKE_SELF, 0)); /* touches the limit: ignored */
	EXPECT(can_write(HEDRON_ROOT_UTCB));
	EXPECT(can_read(HEDRON_ROOT_HIP));
	EXPECT_OK(hc_revoke(rt_mem(0xffffffff80000000, 0, PERM_ALL), REVOKE_SELF, 0));
	EXPECT_OK(hc_revoke(rt_mem(0, 36, PERM_ALL), REVOKE_SELF, 0)); /* order 36 is 4 in five bits */
	ASSERT_OK(rt_mem_revoke(LAST_PAGES, 4));
}

/* The HIP can be passed on, read-only. */
static void hip_page(void)
{
	unsigned long to = rt_va(1, 1);

	EXPECT_GIVEN(rt_mem(HEDRON_ROOT_HIP, 0, PERM_ALL), ITEM_DELEGATE, rt_mem(to, 0, PERM_ALL));
	ASSERT(can_read(to));
	EXPECT(!can_write(to));
	EXPECT_EQ(((const struct hip *)to)->signature, HIP_SIGNATURE);
	ASSERT_OK(rt_mem_revoke(to, 1));
}

/* UTCBs cannot be delegated: as if they were not there. */
static void utcb_pages(void)
{
	unsigned long to = rt_va(1, 1), page = memory_pages(1, 1);
	struct server s;

	server_make(&s, NULL, NULL);
	for (unsigned i = 0; i < 2; i++) {
		unsigned long utcb = i ? (unsigned long)s.ec.utcb : HEDRON_ROOT_UTCB;

		ASSERT(can_write(utcb));
		EXPECT(!can_exec(utcb) && guest_fault.error == 0x15);
		EXPECT_GIVEN(rt_mem(page, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 0, RT_MEM_RW));
		EXPECT_GIVEN(rt_mem(utcb, 0, RT_MEM_RW), ITEM_DELEGATE, rt_mem(to, 0, RT_MEM_RW));
		EXPECT_EQ(memory_got.crd, rt_mem(to, 0, RT_MEM_RW));
		EXPECT(!can_read(to));
	}
	/* Onto itself: what is not there unmaps. */
	EXPECT_GIVEN(rt_mem((unsigned long)s.ec.utcb, 0, RT_MEM_RW), ITEM_DELEGATE,
		     rt_mem((unsigned long)s.ec.utcb, 0, RT_MEM_RW));
	EXPECT(!can_read((unsigned long)s.ec.utcb));
}

/* A UTCB replaces what was mapped there; with its EC it disappears, and does not bring the old page back. */
static void utcb_replaces(void)
{
	unsigned long va = memory_pages(1, 1);
	struct rt_ec ec = {.cpu = rt_cpu, .events = guest_events, .sel = sel_new(), .utcb = (struct utcb *)va};

	EXPECT_EQ(memory_number(va), 0);
	*(volatile unsigned long *)va = ~0ul;
	ASSERT_OK(rt_ec_local(&ec));
	ASSERT(can_write(va));
	for (unsigned i = 0; i < RT_PAGE / 8; i++)
		ASSERT_EQ(((volatile unsigned long *)va)[i], 0);
	ASSERT_OK(rt_revoke(ec.sel));
	EXPECT(!can_read(va));
}

/* In the parent's address space, or with the flag in the creator's. */
static void utcb_place(void)
{
	unsigned long va = rt_va(2, 1);
	struct agent a;

	agent_make(&a);
	ASSERT_OK(hc_create_ec(sel_new(), a.pd, rt_cpu, va, 0, 0, 0));
	EXPECT(!can_read(va));
	EXPECT(agent_can_write(&a, va));
	ASSERT_OK(hc_create_ec(sel_new(), a.pd, rt_cpu, va + RT_PAGE, 0, 0, CREATE_EC_CALLER_UTCB));
	EXPECT(can_write(va + RT_PAGE));
	EXPECT(!agent_can_read(&a, va + RT_PAGE));
}

/* Where a UTCB is, other memory can be put; the EC goes on without. */
static void utcb_covered(void)
{
	unsigned long page = memory_pages(1, 1);
	struct server s;

	server_make(&s, NULL, NULL);
	EXPECT_GIVEN(rt_mem(page, 0, RT_MEM_RWX), ITEM_DELEGATE, rt_mem((unsigned long)s.ec.utcb, 0, RT_MEM_RWX));
	EXPECT_EQ(memory_rights((unsigned long)s.ec.utcb), RT_MEM_RWX);
	ASSERT_OK(rt_revoke(s.pt));
	ASSERT_OK(rt_revoke(s.ec.sel));
}

/* Memory of the second page of the address space up to anywhere: page 0 too can be mapped. */
static void low_addresses(void)
{
	unsigned long from = memory_pages(2, 2);

	EXPECT(!can_read(0));
	EXPECT_GIVEN(rt_mem(from, 1, RT_MEM_RW), ITEM_DELEGATE, rt_mem(0, 1, RT_MEM_RW));
	EXPECT(can_write(0));
	EXPECT_EQ(memory_number(RT_PAGE), 1);
	ASSERT_OK(hc_revoke(rt_mem(0, 1, PERM_ALL), REVOKE_SELF, 0));
	EXPECT(!can_read(0));
}

/* Source and target overlap. */
static void overlap(void)
{
	unsigned long va = memory_pages(8, 8);

	EXPECT_GIVEN(rt_mem(va, 1, RT_MEM_RWX), ITEM_DELEGATE, rt_mem(va, 1, RT_MEM_RWX));
	EXPECT_EQ(memory_number(va + RT_PAGE), 1);
	EXPECT_GIVEN(rt_mem(va, 3, RT_MEM_RW), 5 * RT_PAGE | ITEM_DELEGATE, rt_mem(va, 0, RT_MEM_RW));
	EXPECT_EQ(memory_number(va), 5);
	EXPECT_GIVEN(rt_mem(va + 4 * RT_PAGE, 2, RT_MEM_RW), ITEM_DELEGATE, rt_mem(va, 2, RT_MEM_RW));
	for (unsigned i = 0; i < 8; i++)
		EXPECT_EQ(memory_number(va + i * RT_PAGE), 4 + i % 4);
}

/*
 * RAM, the screen, firmware's ROM and the local APIC, each at RT_PHYS and its address; for guests at its address,
 * from the hypervisor PD, and higher up, copied from here; and then in another PD. What types page tables have is not
 * to be seen from here: tests/integration/memtype_test.py looks at them when memory_mark() is called. Entries ask for
 * what PAT has first, which lets the MTRRs decide if it is write-back.
 */
#define COPIES 0x10000000000

unsigned long memory_mark(unsigned long a, unsigned long b, unsigned long c);
__attribute__((noinline, used)) unsigned long memory_mark(unsigned long a, unsigned long b, unsigned long c)
{
	__asm__ volatile("" : : : "memory"); /* it has an effect */
	return a + b + c;
}

static void types(void)
{
	enum { PAT = 0x277, PAT_WB = 6 };
	static const struct {
		unsigned long pa, size;
	} places[] = {{0x8000000, 0x200000}, {0xa0000, RT_PAGE}, {0xf0000, RT_PAGE}, {0xfee00000, RT_PAGE}};
	struct agent a;
	unsigned long pat;

	EXPECT_OK(hc_msr_read(PAT, &pat));
	EXPECT_EQ(pat & 0xff, PAT_WB);
	agent_make(&a);
	for (unsigned i = 0; i < RT_ARRAY(places); i++)
		ASSERT(rt_map(places[i].pa, places[i].size, PERM_MEM_R));
	memory_mark(0, 0, 0);
	for (unsigned i = 0; i < RT_ARRAY(places); i++) {
		const unsigned long pa = places[i].pa, pages = places[i].size / RT_PAGE;
		const unsigned long guest = ITEM_GUEST | ITEM_NO_HOST;

		ASSERT_OK(rt_mem_delegate(RT_SEL_PD, pa, RT_SEL_PD, pa, pages, PERM_MEM_R, guest | ITEM_HYPERVISOR));
		ASSERT_OK(rt_mem_delegate(RT_SEL_PD, RT_PHYS + pa, RT_SEL_PD, COPIES + pa, pages, PERM_MEM_R, guest));
	}
	memory_mark(0, 0, 0);
	for (unsigned i = 0; i < RT_ARRAY(places); i++) {
		unsigned long va = RT_PHYS + places[i].pa;

		ASSERT_OK(rt_mem_delegate(RT_SEL_PD, va, a.pd, va, places[i].size / RT_PAGE, PERM_MEM_R, 0));
		EXPECT(can_read(va) && agent_can_read(&a, va));
	}
	EXPECT_EQ(agent_do(&a, memory_mark, 1, 2, 3), 6);
}

const struct test memory_source_tests[] = {
	TEST(other_pd),       TEST(rights_per_pd),
	TEST(kernel_memory),  TEST(range_with_kernel_memory),
	TEST(physical_limit), TEST(half_of_physical_memory),
	TEST(user_limit),     TEST(hip_page),
	TEST(utcb_pages),     TEST(utcb_replaces),
	TEST(utcb_place),     TEST(utcb_covered),
	TEST(low_addresses),  TEST(overlap),
	TEST(types),          {},
};
