/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page table walker in both formats: single cases, shortage at every allocation, and random work against an array
 * of pages. */
#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "mm/ptab.h"

#include "hog.h"
#include "unit.h"

#define LEAF (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D | PTE_DELEG | (u64)MEM_WB << PTE_TYPE_SHIFT)
#define ORDER_2M 9
#define ORDER_1G 18

static struct ptab pt;
static struct account account;
static struct ptab_gather g;
static u64 pages;

static void start(enum ptab_format format, unsigned leaf_max)
{
	host_reset(16 * MiB);
	pages = page_free_count();
	account = (struct account){0};
	ptab_init(&pt, format, leaf_max, &account);
	g = (struct ptab_gather){0};
}

UNIT_FIXTURE(setup)
{
	start(PTAB_HOST, 2);
	return 0;
}

static unsigned free_all(void)
{
	unsigned pieces = 0;

	for (; g.tables; pieces++)
		(void)ptab_gather_free(&g, PTAB_GATHER_PIECE);
	return pieces;
}

/* All that hangs below the root. */
static void clear(struct ptab *t)
{
	while (ptab_gather_root(t, &g, PTAB_GATHER_PIECE) <= 0)
		;
	free_all();
	for (unsigned i = 0; t->root && i < PTAB_ENTRIES; i++)
		assert_int_equal(t->root[i], 0);
}

/* Nothing is lost: with the table gone all pages are free. */
static void finish(void)
{
	clear(&pt);
	if (pt.root)
		page_free(pt.root);
	pt.root = NULL;
	assert_int_equal(page_free_count(), pages);
}

static u64 leaf_at(u64 page)
{
	return LEAF | page << PAGE_BITS;
}

/* The entry for one page, as if every leaf were 4 KiB. */
static u64 look(u64 page, unsigned *order)
{
	u64 entry = ptab_lookup(&pt, page, order);
	assert_int_equal(!!(entry & PTE_PS), entry && *order); /* bit 7 has another meaning in small leaves */
	return entry ? (entry & ~PTE_PS) + ((page & bits_low(*order)) << PAGE_BITS) : 0;
}

static void map(u64 page, unsigned order, u64 leaf)
{
	assert_int_equal(ptab_map(&pt, page, order, leaf, &g), SUCCESS);
}
static void unmap(u64 page, unsigned order)
{
	assert_int_equal(ptab_unmap(&pt, page, order, &g), SUCCESS);
}

static void assert_maps(u64 page, u64 leaf, unsigned order)
{
	unsigned found;
	assert_int_equal(look(page, &found), leaf);
	assert_int_equal(found, order);
}

/* Whether a flush was asked for since the last time. */
static bool stale(void)
{
	bool was = g.stale;
	free_all();
	g.stale = 0;
	return was;
}

/* ---- single cases ---- */

UNIT_TEST(formats_are_the_manuals)
{
	u64 leaf = 0x123456000 | LEAF;
	assert_int_equal(ptab_encode(PTAB_HOST, leaf), leaf);
	assert_int_equal(ptab_encode(PTAB_EPT, leaf), 0x123456000 | 6 << 3 | 7);
	assert_int_equal(ptab_encode(PTAB_EPT, leaf | PTE_NX), 0x123456000 | 6 << 3 | 3);
	assert_int_equal(ptab_encode(PTAB_EPT, leaf & ~PTE_W), 0x123456000 | 6 << 3 | 5);
	assert_int_equal(ptab_encode(PTAB_EPT, 0x40000000 | PTE_PS | PTE_P | PTE_NX), 0x40000000 | 0x80 | 1);
	assert_int_equal(ptab_encode(PTAB_EPT, leaf & ~PTE_TYPE), 0x123456000 | 7);
}

UNIT_TEST(table_entries_are_the_manuals)
{
	map(5, 0, leaf_at(77));
	assert_int_equal(pt.root[0] & ~PTE_ADDR, 0x27);
	finish();
	start(PTAB_EPT, 2);
	map(5, 0, leaf_at(77));
	assert_int_equal(pt.root[0] & ~PTE_ADDR, 7);
	finish();
}

UNIT_TEST(an_empty_table_has_large_holes)
{
	unsigned order;
	assert_int_equal(ptab_lookup(&pt, 0, &order), 0);
	assert_int_equal(order, 36);
	map(0, 0, leaf_at(1));
	static const struct {
		u64 page;
		unsigned order;
	} holes[] = {{1, 0}, {512, 9}, {1 << 18, 18}, {1 << 27, 27}};
	for (unsigned i = 0; i < array_size(holes); i++) {
		assert_int_equal(ptab_lookup(&pt, holes[i].page, &order), 0);
		assert_int_equal(order, holes[i].order);
	}
	finish();
}

UNIT_TEST(leaves_are_as_large_as_possible)
{
	map(bit(20), 8, leaf_at(bit(20)));
	map(bit(21), ORDER_2M, leaf_at(bit(21)));
	map(bit(22), 12, leaf_at(bit(22)));
	map(bit(23), 20, leaf_at(bit(23)));
	assert_maps(bit(20) + 3, leaf_at(bit(20) + 3), 0);
	assert_maps(bit(21) + 3, leaf_at(bit(21) + 3), ORDER_2M);
	assert_maps(bit(22) + 700, leaf_at(bit(22) + 700), ORDER_2M);
	assert_maps(bit(23) + 700000, leaf_at(bit(23) + 700000), ORDER_1G);
	finish();
}

UNIT_TEST(without_1g_leaves_2m_do)
{
	start(PTAB_HOST, 1);
	map(0, 19, leaf_at(bit(20)));
	for (u64 page = 0; page < bit(19); page += 511)
		assert_maps(page, leaf_at(bit(20) + page), ORDER_2M);
	finish();
}

UNIT_TEST(a_split_keeps_the_rest)
{
	map(0, ORDER_1G, leaf_at(bit(20)));
	assert_false(stale());
	unmap(1000, 0);
	assert_true(stale());
	assert_maps(1000, 0, 0);
	assert_maps(999, leaf_at(bit(20) + 999), 0);
	assert_maps(1001, leaf_at(bit(20) + 1001), 0);
	assert_maps(511, leaf_at(bit(20) + 511), ORDER_2M);
	assert_maps(1024, leaf_at(bit(20) + 1024), ORDER_2M);
	finish();
}

UNIT_TEST(superpages_replace_tables)
{
	for (u64 page = 0; page < 2048; page++)
		map(page, 0, leaf_at(page));
	u64 before = page_free_count();
	map(512, ORDER_2M, leaf_at(512));
	assert_true(stale());
	assert_int_equal(page_free_count(), before + 1);
	map(0, ORDER_1G, leaf_at(0));
	assert_true(stale());
	assert_int_equal(page_free_count(), before + 5); /* three tables of 4 KiB leaves, and the one above */
	finish();
}

UNIT_TEST(unmapping_a_whole_table_frees_it)
{
	map(0, 0, leaf_at(0));
	u64 before = page_free_count();
	map(bit(27) + 512, 3, leaf_at(8));
	map(bit(27) + bit(18), 3, leaf_at(8));
	unmap(bit(27), 27);
	assert_true(stale());
	assert_int_equal(page_free_count(), before);
	finish();
}

/* A table of leaves is a tenth of a piece, 32 entries of another table that are all in use nearly a half. */
UNIT_TEST(many_tables_are_freed_in_pieces)
{
	struct ptab_gather other = {0};
	u64 before;

	map(0, 0, leaf_at(0));
	before = page_free_count();
	for (u64 n = 0; n < 600; n++)
		map(bit(27) + (n << ORDER_2M), 0, leaf_at(n));
	unmap(bit(27), 27);
	u64 free = page_free_count();
	(void)ptab_gather_free(&g, PTAB_GATHER_PIECE);
	assert_in_range(page_free_count() - free, 0, 200 / 20); /* a part of the table on top */
	ptab_gather_move(&g, &other);
	assert_null(g.tables);
	ptab_gather_move(&other, &g);
	assert_in_range(free_all(), 600 / 10, 600 / 10 + 2 * 512 / 64 + 4);
	assert_int_equal(page_free_count(), before);
	finish();
}

UNIT_TEST(a_flush_is_asked_for_only_when_needed)
{
	map(8, 2, leaf_at(8));
	assert_false(stale()); /* nothing was there */
	map(8, 2, leaf_at(8));
	assert_false(stale()); /* the same again */
	unmap(12, 2);
	assert_false(stale()); /* still nothing */
	map(8, 0, leaf_at(8) & ~PTE_W);
	assert_true(stale()); /* narrowed */
	map(9, 0, leaf_at(99));
	assert_true(stale()); /* moved */
	unmap(8, 2);
	assert_true(stale()); /* removed */
	unmap(0, 31);
	assert_true(stale()); /* an empty table may be in the CPU's caches of tables */
	unmap(0, 31);
	assert_false(stale());
	finish();
}

UNIT_TEST(huge_unmaps_of_nothing_are_cheap)
{
	unmap(0, 31);
	assert_null(pt.root);
	map(bit(31), 0, leaf_at(1));
	u64 before = page_free_count();
	for (unsigned i = 0; i < 100000; i++)
		unmap(0, 31);
	assert_int_equal(page_free_count(), before);
	finish();
}

/* ---- copies ---- */

UNIT_TEST(copies_follow_the_source)
{
	struct ptab src;

	ptab_init(&src, PTAB_HOST, 2, &account);
	assert_int_equal(ptab_map(&src, 0, 2, leaf_at(100), &g), SUCCESS);
	assert_int_equal(ptab_map(&src, 5, 0, leaf_at(200) & ~PTE_DELEG, &g), SUCCESS);
	assert_int_equal(ptab_map(&src, 512, ORDER_2M, leaf_at(1024), &g), SUCCESS);
	map(bit(20), 4, leaf_at(7 << 4));
	assert_int_equal(ptab_copy(&pt, bit(20), &src, 0, 10, 0, &g), SUCCESS);
	assert_true(stale());
	assert_maps(bit(20) + 3, leaf_at(103), 0);
	assert_maps(bit(20) + 4, 0, 0); /* was mapped, is not in the source */
	assert_maps(bit(20) + 5, 0, 0); /* not to be delegated */
	assert_maps(bit(20) + 512 + 5, leaf_at(1024 + 5), ORDER_2M);
	assert_int_equal(ptab_copy(&pt, bit(21), &src, 512 + 8, 3, PTE_W | PTE_NX, &g), SUCCESS);
	assert_maps(bit(21) + 7, (leaf_at(1024 + 8 + 7) & ~PTE_W) | PTE_NX, 0);

	clear(&src);
	page_free(src.root);
	finish();
}

UNIT_TEST(a_table_may_be_copied_onto_itself)
{
	map(0, ORDER_1G, leaf_at(0));
	map(1024, 0, leaf_at(3));
	/* The same range: narrowed in place. */
	assert_int_equal(ptab_copy(&pt, 1024, &pt, 1024, ORDER_2M, PTE_W, &g), SUCCESS);
	assert_maps(1024, leaf_at(3) & ~PTE_W, 0);
	assert_maps(1025, leaf_at(1025) & ~PTE_W, 0);
	/* From a superpage into itself. */
	assert_int_equal(ptab_copy(&pt, 2048 + 16, &pt, 2048, 4, PTE_W, &g), SUCCESS);
	assert_maps(2048 + 17, leaf_at(2048 + 1) & ~PTE_W, 0);
	assert_maps(2048 + 1, leaf_at(2048 + 1), 0);
	/* From a table onto one of its own superpages, and back. */
	assert_int_equal(ptab_copy(&pt, 512, &pt, 1024, ORDER_2M, 0, &g), SUCCESS);
	assert_maps(512, leaf_at(3) & ~PTE_W, 0);
	assert_maps(513, leaf_at(1025) & ~PTE_W, 0);
	finish();
}

/* ---- random work ---- */

#define WINDOW_ORDER 19
#define WINDOW (1ull << WINDOW_ORDER)

static u64 model[WINDOW];

static u64 expected(u64 page)
{
	u64 leaf = model[page];
	return leaf && pt.format == PTAB_EPT ? ptab_encode(PTAB_EPT, leaf) : leaf;
}

/* The model has no sizes of leaves: it is compared page by page, holes are skipped over by their order. */
static void compare(void)
{
	unsigned order;
	for (u64 page = 0; page < WINDOW; page++)
		if (look(page, &order) != expected(page))
			fail_msg("page %#lx: %#lx, not %#lx", page, look(page, &order), expected(page));
}

/* Mostly small blocks, some large, all naturally aligned. */
static unsigned random_order(void)
{
	return unit_random(3) ? unit_random(5) : unit_random(WINDOW_ORDER);
}
static u64 random_block(unsigned order)
{
	return (u64)unit_random(WINDOW >> order) << order;
}

static u64 random_leaf(unsigned order)
{
	u64 leaf = LEAF | (u64)unit_random(1 << 10) << (PAGE_BITS + order);
	if (!unit_random(3))
		leaf &= ~PTE_W;
	if (!unit_random(3))
		leaf |= PTE_NX;
	if (!unit_random(5))
		leaf &= ~PTE_DELEG;
	return leaf;
}

static bool change_model(u64 page, unsigned order, u64 leaf)
{
	bool flush = false;
	for (u64 n = 0; n < bit(order); n++) {
		u64 entry = leaf ? leaf + (n << PAGE_BITS) : 0;
		u64 old = model[page + n];
		model[page + n] = entry;
		flush |= old && old != entry;
	}
	return flush;
}

static bool copy_model(u64 page, u64 from, unsigned order, u64 deny)
{
	bool flush = false;
	for (u64 n = 0; n < bit(order); n++) {
		u64 leaf = model[from + n];
		flush |= change_model(page + n, 0, leaf & PTE_DELEG ? (leaf & ~(deny & PTE_W)) | (deny & PTE_NX) : 0);
	}
	return flush;
}

static void random_step(void)
{
	unsigned order = random_order();
	u64 page = random_block(order), leaf = random_leaf(order), from = random_block(order);
	u64 deny = (unit_random(2) ? PTE_W : 0) | (unit_random(2) ? PTE_NX : 0);
	bool flush;

	switch (unit_random(pt.format == PTAB_HOST ? 4 : 2)) {
	case 0:
		unmap(page, order);
		flush = change_model(page, order, 0);
		break;
	case 1:
		map(page, order, leaf);
		flush = change_model(page, order, leaf);
		break;
	default:
		assert_int_equal(ptab_copy(&pt, page, &pt, from, order, deny, &g), SUCCESS);
		flush = copy_model(page, from, order, deny);
		break;
	}
	if (flush)
		assert_true(g.stale);
	stale();
}

static void random_work(enum ptab_format format, unsigned leaf_max)
{
	start(format, leaf_max);
	memset(model, 0, sizeof(model));
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 60; i++)
			random_step();
		compare();
	}
	finish();
}

UNIT_TEST(random_work_in_host_tables)
{
	random_work(PTAB_HOST, 2);
	random_work(PTAB_HOST, 1);
}

UNIT_TEST(random_work_in_nested_tables)
{
	random_work(PTAB_EPT, 2);
	random_work(PTAB_EPT, 1);
}

/* ---- from a host table to a nested one ---- */

UNIT_TEST(nested_copies_match_their_source)
{
	struct ptab guest;
	unsigned order;

	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < 300; i++)
		random_step();
	ptab_init(&guest, PTAB_EPT, 1, &account);
	assert_int_equal(ptab_copy(&guest, bit(21), &pt, 0, WINDOW_ORDER, PTE_W | PTE_NX, &g), SUCCESS);
	for (u64 page = 0; page < WINDOW; page++) {
		u64 leaf = model[page] & PTE_DELEG ? model[page] & PTE_ADDR : 0;
		u64 entry = ptab_lookup(&guest, bit(21) + page, &order) & ~PTE_PS;
		if (entry)
			entry += (page & bits_low(order)) << PAGE_BITS;
		assert_int_equal(entry, leaf ? leaf | MEM_WB << 3 | EPT_R : 0);
	}
	clear(&guest);
	page_free(guest.root);
	finish();
}

/* ---- shortage ---- */

/* With `left` pages of memory: fails cleanly or succeeds; what it touched is old or new; nothing is lost. */
static enum status short_of_memory(u64 left)
{
	struct hog hog = {0};
	enum status st[3];
	unsigned order;

	start(PTAB_HOST, 2);
	map(0, ORDER_1G, leaf_at(0));
	map(bit(18), 0, leaf_at(1));
	stale();

	hog_take(&hog, left);
	st[0] = ptab_unmap(&pt, 12345, 0, &g);
	assert_int_equal(look(12345, &order), st[0] == SUCCESS ? 0 : leaf_at(12345));
	assert_int_equal(look(12346, &order), leaf_at(12346));
	st[1] = ptab_map(&pt, bit(28), 0, leaf_at(9), &g);
	assert_int_equal(look(bit(28), &order), st[1] == SUCCESS ? leaf_at(9) : 0);
	st[2] = ptab_copy(&pt, bit(27), &pt, 0, 19, PTE_W, &g);
	for (u64 page = 0; page < bit(19); page += 97) {
		u64 entry = look(bit(27) + page, &order), source = look(page, &order) & ~PTE_W;
		assert_true(entry == source || (st[2] == OOM && !entry));
	}
	hog_release(&hog);
	finish();
	return st[0] == SUCCESS && st[1] == SUCCESS ? st[2] : OOM;
}

UNIT_TEST(shortage_at_every_allocation)
{
	u64 left = 0;
	while (short_of_memory(left) != SUCCESS)
		assert_true(++left < 100);
	assert_int_equal(left, 10);
}

UNIT_TEST(shortage_without_a_root)
{
	struct hog hog = {0};
	hog_take(&hog, 0);
	assert_int_equal(ptab_map(&pt, 0, 0, leaf_at(0), &g), OOM);
	unmap(0, 31);
	assert_null(pt.root);
	hog_release(&hog);
	finish();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(formats_are_the_manuals, setup),
		cmocka_unit_test_setup(table_entries_are_the_manuals, setup),
		cmocka_unit_test_setup(an_empty_table_has_large_holes, setup),
		cmocka_unit_test_setup(leaves_are_as_large_as_possible, setup),
		cmocka_unit_test_setup(without_1g_leaves_2m_do, setup),
		cmocka_unit_test_setup(a_split_keeps_the_rest, setup),
		cmocka_unit_test_setup(many_tables_are_freed_in_pieces, setup),
		cmocka_unit_test_setup(superpages_replace_tables, setup),
		cmocka_unit_test_setup(unmapping_a_whole_table_frees_it, setup),
		cmocka_unit_test_setup(a_flush_is_asked_for_only_when_needed, setup),
		cmocka_unit_test_setup(huge_unmaps_of_nothing_are_cheap, setup),
		cmocka_unit_test_setup(copies_follow_the_source, setup),
		cmocka_unit_test_setup(a_table_may_be_copied_onto_itself, setup),
		cmocka_unit_test_setup(random_work_in_host_tables, setup),
		cmocka_unit_test_setup(random_work_in_nested_tables, setup),
		cmocka_unit_test_setup(nested_copies_match_their_source, setup),
		cmocka_unit_test_setup(shortage_at_every_allocation, setup),
		cmocka_unit_test_setup(shortage_without_a_root, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
