/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two PDs, a machine with 1 TiB of physical address space, and looks into page tables, for the tests of memory
 * spaces. */
#pragma once

#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/space_mem.h"

#include "unit.h"

#define RWX (PERM_MEM_R | PERM_MEM_W | PERM_MEM_X)
#define ALL PERM_ALL
#define USER_PAGES (HEDRON_USER_END >> PAGE_BITS)
#define HEAP (16 * MiB)
#define PHYS_BITS 40

static struct pd a, b;
static u64 pages;

UNIT_FIXTURE(setup)
{
	host_reset(HEAP);
	host_phys_bits = PHYS_BITS;
	pages = page_free_count();
	a.obj.refs = b.obj.refs = 1;
	assert_int_equal(space_mem_init(&a.mem, &a.account, page_take_zeroed(&a.account)), SUCCESS);
	assert_int_equal(space_mem_init(&b.mem, &b.account, page_take_zeroed(&b.account)), SUCCESS);
	return 0;
}

static inline void destroy_mem(struct space_mem *m)
{
	while (space_mem_free_tables(m, PTAB_GATHER_PIECE) <= 0)
		;
	assert_false(space_mem_has_tables(m));
	space_mem_free(m);
}

UNIT_FIXTURE(teardown)
{
	destroy_mem(&a.mem);
	destroy_mem(&b.mem);
	return page_free_count() == pages ? 0 : -1;
}

/* Once per process: claims cannot be taken back. */
UNIT_FIXTURE(claim)
{
	host_reset(HEAP);
	host_phys_bits = PHYS_BITS;
	host_add_mem_type(0xa0000, MEM_UC);
	host_add_mem_type(0x100000, MEM_WB);
	host_add_mem_type(0xc0000000, MEM_UC);
	host_add_mem_type(0x100000000, MEM_WB);
	space_mem_claim(paddr(0x6600000), 0x1ff001);
	space_mem_claim(paddr(HOST_HEAP_PHYS), HEAP);
	return 0;
}

/* All pieces of it. */
static inline enum status delegate_mem(struct pd *src, struct pd *dst, u64 src_page, u64 dst_page, unsigned order,
				       unsigned how)
{
	enum status st = space_mem_delegate(src, dst, src_page, dst_page, order, how);
	return st == SUCCESS ? host_delegate_rest() : st;
}

static inline enum status give(struct pd *to, u64 phys_page, u64 page, unsigned order, unsigned perm)
{
	return delegate_mem(&pd_kernel, to, phys_page, page, order, perm);
}

/* A page of the host table: physical page and rights, as in a CRD; nothing there: ~0. */
static inline u64 host_page(struct pd *pd, u64 page, unsigned *rights)
{
	unsigned order;
	u64 e = ptab_lookup(&pd->mem.host, page, &order);
	*rights = e ? PERM_MEM_R | (e & PTE_W ? PERM_MEM_W : 0) | (e & PTE_NX ? 0 : PERM_MEM_X) : 0;
	return e ? ((e & PTE_ADDR) >> PAGE_BITS) + (page & bits_low(order)) : ~0ull;
}

static inline u64 guest_page(struct pd *pd, u64 page, unsigned *rights, unsigned *type)
{
	unsigned order;
	u64 e = ptab_lookup(&pd->mem.guest, page, &order);
	*rights = e & 7;
	*type = e >> 3 & 7;
	return e ? ((e & PTE_ADDR) >> PAGE_BITS) + (page & bits_low(order)) : ~0ull;
}

static inline void assert_host(struct pd *pd, u64 page, u64 phys_page, unsigned rights)
{
	unsigned found;
	assert_int_equal(host_page(pd, page, &found), phys_page);
	assert_int_equal(found, rights);
}

static inline void assert_no_host(struct pd *pd, u64 page)
{
	assert_host(pd, page, ~0ull, 0);
}

static inline void assert_guest(struct pd *pd, u64 page, u64 phys_page, unsigned rights, unsigned type)
{
	unsigned found, found_type;
	assert_int_equal(guest_page(pd, page, &found, &found_type), phys_page);
	assert_int_equal(found, rights);
	assert_int_equal(found_type, type);
}

static inline void assert_no_guest(struct pd *pd, u64 page)
{
	unsigned rights, type;
	assert_int_equal(guest_page(pd, page, &rights, &type), ~0ull);
}

static inline unsigned order_at(struct pd *pd, u64 page)
{
	unsigned order;
	assert_true(ptab_lookup(&pd->mem.host, page, &order));
	return order;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
