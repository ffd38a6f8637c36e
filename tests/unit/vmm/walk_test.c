/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "vmm/walk.h"

#include <pthread.h>

enum { P = 1, W = 2, U = 4, ACCESSED = 0x20, DIRTY = 0x40, LARGE = 0x80, WORDS = 0x8000 / 8 };
#define LONG                                                                 \
	{                                                                    \
		.cr0 = 0x80010001, .cr3 = 0x1000, .cr4 = 0x20, .efer = 0x500 \
	}

static uint64_t ram[WORDS];

static void *memory(const void *arg, uint64_t gpa, uint64_t size)
{
	assert_ptr_equal(arg, ram);
	return gpa < sizeof(ram) && size <= sizeof(ram) - gpa ? (uint8_t *)ram + gpa : NULL;
}

static void put(uint64_t table, unsigned index, uint64_t entry)
{
	ram[table / 8 + index] = entry;
}

static void put_32(uint64_t table, unsigned index, uint32_t entry)
{
	((uint32_t *)ram)[table / 4 + index] = entry;
}

UNIT_FIXTURE(setup)
{
	memset(ram, 0, sizeof(ram));
	return 0;
}

static void finds(const struct walk_paging *p, uint64_t linear, unsigned access, uint64_t want)
{
	uint64_t gpa = ~0ul;
	unsigned error = 0;

	assert_true(walk(p, linear, access, memory, ram, &gpa, &error));
	assert_true(gpa == want);
}

static void faults(const struct walk_paging *p, uint64_t linear, unsigned access, unsigned want)
{
	uint64_t gpa;
	unsigned error = ~0u;

	assert_false(walk(p, linear, access, memory, ram, &gpa, &error));
	assert_int_equal(error, want);
}

/* Linear 0x8080604000 and so on: index 1 at level 4, 2 at 3, 3 at 2, 4 at 1. */
#define LINEAR (1ul << 39 | 2ul << 30 | 3ul << 21 | 4ul << 12)

static void build(uint64_t rights)
{
	put(0x1000, 1, 0x2000 | P | W | U);
	put(0x2000, 2, 0x3000 | P | W | U);
	put(0x3000, 3, 0x4000 | P | W | U);
	put(0x4000, 4, 0x7654321000 | rights | 1ul << 63);
}

UNIT_TEST(test_off)
{
	struct walk_paging p = {.cr3 = 0x1000};

	finds(&p, 0x1234567890, WALK_WRITE, 0x34567890);
}

UNIT_TEST(test_long)
{
	struct walk_paging p = LONG;

	build(P | W | U);
	finds(&p, LINEAR | 0xabc, WALK_READ, 0x7654321abc);
	assert_true(ram[0x4000 / 8 + 4] & ACCESSED && !(ram[0x4000 / 8 + 4] & DIRTY));
	assert_true(ram[0x1000 / 8 + 1] & ACCESSED);
	finds(&p, LINEAR, WALK_WRITE | WALK_USER, 0x7654321000);
	assert_true(ram[0x4000 / 8 + 4] & DIRTY);
	faults(&p, LINEAR + 0x1000, WALK_READ, 0);
	faults(&p, LINEAR + 0x1000, WALK_WRITE | WALK_USER, 6);
	put(0x3000, 5, 0x7654200000 | P | W | LARGE);
	finds(&p, (LINEAR & ~0x3fffffful) | 5ul << 21 | 0x12345, WALK_READ, 0x7654212345);
	put(0x2000, 3, 0x40000000 | P | W | LARGE);
	finds(&p, 1ul << 39 | 3ul << 30 | 0x12345678, WALK_READ, 0x52345678);
	put(0x1000, 2, 0x100000 | P); /* tables outside memory */
	faults(&p, 2ul << 39, WALK_READ, 0);
}

UNIT_TEST(test_rights)
{
	struct walk_paging p = LONG;

	build(P | U);
	faults(&p, LINEAR, WALK_WRITE | WALK_USER, 7);
	faults(&p, LINEAR, WALK_WRITE, 3);
	p.cr0 &= ~0x10000ul; /* without WP the kernel may */
	finds(&p, LINEAR, WALK_WRITE, 0x7654321000);
	faults(&p, LINEAR, WALK_WRITE | WALK_USER, 7);
	p.cr4 |= 1 << 21; /* SMAP */
	faults(&p, LINEAR, WALK_READ, 1);
	p.rflags = 1 << 18;
	finds(&p, LINEAR, WALK_READ, 0x7654321000);
	build(P | W);
	faults(&p, LINEAR, WALK_USER, 5);
	ram[0x2000 / 8 + 2] &= ~(uint64_t)W; /* a right that one level lacks */
	p.cr0 |= 0x10000;
	faults(&p, LINEAR, WALK_WRITE, 3);
}

UNIT_TEST(test_pae)
{
	struct walk_paging p = {.cr0 = 0x80000001, .cr3 = 0x1020, .cr4 = 0x20};

	put(0x1020, 3, 0x2000 | P);
	put(0x2000, 1, 0x3000 | P | W | U);
	put(0x3000, 2, 0x123456000 | P | W);
	put(0x2000, 2, 0x140000000 | P | LARGE);
	finds(&p, 3ul << 30 | 1ul << 21 | 2ul << 12 | 5, WALK_WRITE, 0x123456005);
	assert_false(ram[0x1020 / 8 + 3] & ACCESSED); /* the bit is reserved there */
	finds(&p, 3ul << 30 | 2ul << 21 | 5, WALK_READ, 0x140000005);
	faults(&p, 2ul << 30, WALK_READ, 0);
}

UNIT_TEST(test_32)
{
	struct walk_paging p = {.cr0 = 0x80010001, .cr3 = 0x1000, .cr4 = 0x10};

	put_32(0x1000, 3, 0x2000 | P | W | U);
	put_32(0x2000, 4, 0x87654000 | P | U);
	put_32(0x1000, 5, 0xc0000000 | 3 << 13 | P | W | LARGE);
	finds(&p, 3ul << 22 | 4ul << 12 | 9, WALK_USER, 0x87654009);
	faults(&p, 3ul << 22 | 4ul << 12, WALK_USER | WALK_WRITE, 7);
	finds(&p, 5ul << 22 | 0x12345, WALK_WRITE, 0x3c0012345);
	assert_true(((uint32_t *)ram)[0x1000 / 4 + 5] & DIRTY);
	p.cr4 = 0; /* without PSE there are no large pages: the entry is a table, outside memory */
	faults(&p, 5ul << 22, WALK_READ, 0);
	faults(&p, 6ul << 22, WALK_READ, 0);
}

/* ---- Another processor changes the entries ---- */

enum { PAGE_OUT = 0x1234000 }; /* where the page is while it is not there: no bit of it is the walk's to set */
static bool others_end, spoilt;

static void *page_in_and_out(void *arg)
{
	uint64_t *entry = arg;
	bool out = false;

	while (!__atomic_load_n(&others_end, __ATOMIC_RELAXED)) {
		uint64_t was = __atomic_exchange_n(entry, out ? 0x5000 | P | W : PAGE_OUT, __ATOMIC_SEQ_CST);

		spoilt = spoilt || (!(was & P) && was != PAGE_OUT);
		out = !out;
	}
	return NULL;
}

/* Bits are set in an entry that is there, and found is what it says: never half of the one and of the other. */
UNIT_TEST(test_changes)
{
	enum { WALKS = 1000000 };
	struct walk_paging p = LONG;
	pthread_t other;

	build(P | W);
	ram[0x4000 / 8 + 4] = 0x5000 | P | W;
	others_end = spoilt = false;
	assert_int_equal(pthread_create(&other, NULL, page_in_and_out, &ram[0x4000 / 8 + 4]), 0);
	for (unsigned n = 0; n < WALKS; n++) {
		uint64_t gpa = 0;
		unsigned error;

		if (walk(&p, LINEAR, WALK_WRITE, memory, ram, &gpa, &error) && gpa != 0x5000)
			spoilt = true;
	}
	__atomic_store_n(&others_end, true, __ATOMIC_RELAXED);
	pthread_join(other, NULL);
	assert_false(spoilt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_off, setup),    cmocka_unit_test_setup(test_long, setup),
		cmocka_unit_test_setup(test_rights, setup), cmocka_unit_test_setup(test_pae, setup),
		cmocka_unit_test_setup(test_32, setup),     cmocka_unit_test_setup(test_changes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
