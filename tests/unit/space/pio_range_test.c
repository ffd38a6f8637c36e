/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trees of ranges against a list of all ranges: what covers a port, what was given of a block, which bits are
 * set. */
#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/pio_range.h"

#include "hog.h"
#include "unit.h"

#define PDS 6
#define RANGES 64

static struct pd pds[PDS]; /* number 0 gives, the others hold */
static struct pio_node *ranges[RANGES];

UNIT_FIXTURE(setup)
{
	host_reset(16 * MiB);
	memset(pds, 0, sizeof pds);
	memset(ranges, 0, sizeof ranges);
	pio_range_boot();
	return 0;
}

static struct pio_node *make(struct pd *pd, struct pd *source, u64 base, unsigned order, unsigned where)
{
	struct pio_node *n;
	assert_int_equal(pio_range_reserve(&n, 1), SUCCESS);
	pio_range_insert(pio_range_take(&n), pd, source, block_make(base, order), where);
	assert_null(n);
	n = pio_range_at(&pd->pio, base);
	assert_non_null(n);
	return n;
}

/* Few places, so that ranges are nested. */
static struct block random_block(void)
{
	unsigned order = unit_random(4) ? unit_random(6) : unit_random(PIO_ORDER + 1);
	return block_make(unit_random(2) ? unit_random(64) : PIO_PORTS - 1 - unit_random(64), order);
}

static bool is_free(const struct space_pio *sp, struct block b)
{
	for (unsigned i = 0; i < RANGES; i++)
		if (ranges[i] && &ranges[i]->pd->pio == sp && block_overlap(pio_range_block(ranges[i]), b))
			return false;
	return true;
}

static void toggle(unsigned i)
{
	struct pd *pd = &pds[1 + unit_random(PDS - 1)];
	struct block b = random_block();

	if (ranges[i]) {
		pio_range_free(ranges[i]);
		ranges[i] = NULL;
	} else if (is_free(&pd->pio, b)) {
		ranges[i] = make(pd, &pds[0], b.base, b.order, 0);
	}
}

static void check_given(struct block b)
{
	bool seen[RANGES] = {0};
	for (struct pio_node *n = pio_range_given(&pds[0].pio, b, NULL); n; n = pio_range_given(&pds[0].pio, b, n)) {
		unsigned i = 0;
		while (ranges[i] != n)
			assert_true(++i < RANGES);
		assert_false(seen[i]);
		seen[i] = true;
	}
	for (unsigned i = 0; i < RANGES; i++)
		assert_int_equal(seen[i], ranges[i] && block_overlap(pio_range_block(ranges[i]), b));
}

static void check_port(const struct space_pio *sp, u64 port)
{
	struct pio_node *at = NULL, *from = NULL;
	for (unsigned i = 0; i < RANGES; i++) {
		struct pio_node *n = ranges[i];
		if (!n || &n->pd->pio != sp)
			continue;
		if (block_has(pio_range_block(n), port))
			at = n;
		if (block_end(pio_range_block(n)) > port && (!from || from->held.key > n->held.key))
			from = n;
	}
	assert_ptr_equal(pio_range_at(sp, port), at);
	assert_ptr_equal(pio_range_from(sp, port), from);
}

UNIT_TEST(random_ranges)
{
	for (unsigned round = 0; round < 20000; round++) {
		toggle(unit_random(RANGES));
		check_given(random_block());
		check_port(&pds[unit_random(PDS)].pio, random_block().base);
	}
}

UNIT_TEST(beyond_the_ports)
{
	ranges[0] = make(&pds[1], &pds[0], PIO_PORTS - 2, 1, 0);
	assert_null(pio_range_at(&pds[1].pio, PIO_PORTS));
	assert_null(pio_range_at(&pds[1].pio, ~0ull));
	check_given((struct block){PIO_PORTS - 1, 0});
	check_given((struct block){0, PIO_ORDER});
}

UNIT_TEST(without_source)
{
	struct pio_node *n = make(&pds[0], NULL, 0, PIO_ORDER, 0);
	assert_null(n->source);
	pio_range_free(n);
	assert_null(pds[0].pio.ranges.root);
}

/* Exactly the bits of the block change, within a byte and across pages. */
UNIT_TEST(bitmaps)
{
	static const struct block blocks[] = {{5, 0},      {6, 1},  {8, 3},      {0x7ff8, 3},
					      {0x8000, 0}, {0, 16}, {0x4000, 14}};

	for (unsigned i = 0; i < PIO_HOST_PAGES; i++)
		pds[1].pio.host[i] = memset(page_alloc(), 0xff, PAGE_SIZE);
	for (unsigned i = 0; i < PIO_GUEST_PAGES; i++)
		pds[1].pio.guest[i] = memset(page_alloc(), 0xff, PAGE_SIZE);
	for (unsigned i = 0; i < array_size(blocks); i++)
		for (unsigned where = 0; where < 4; where++) {
			struct pio_node *n = make(&pds[1], &pds[0], blocks[i].base, blocks[i].order, where);
			pio_range_deny(n, blocks[i], false);
			for (u32 p = 0; p < PIO_PORTS; p++) {
				bool in = block_has(blocks[i], p);
				assert_int_equal(pds[1].pio.host[p >> 15][p >> 3 & PAGE_MASK] >> (p & 7) & 1,
						 !(in && (where & PIO_HOST)));
				assert_int_equal(pds[1].pio.guest[p >> 15][p >> 3 & PAGE_MASK] >> (p & 7) & 1,
						 !(in && (where & PIO_GUEST)));
			}
			pio_range_free(n); /* denies them again */
		}
	for (u32 p = 0; p < PIO_PORTS; p += 8)
		assert_int_equal(pds[1].pio.host[p >> 15][p >> 3 & PAGE_MASK] &
					 pds[1].pio.guest[p >> 15][p >> 3 & PAGE_MASK],
				 0xff);
	assert_int_equal(pds[1].pio.host[2][0], 0xff);
}

static struct hog hog;

UNIT_TEST(all_or_nothing)
{
	struct pio_node *spares;

	assert_int_equal(pio_range_reserve(&spares, 0), SUCCESS);
	assert_null(spares);
	hog_take(&hog, 1);
	assert_int_equal(pio_range_reserve(&spares, 1000), OOM);
	assert_null(spares);
	assert_int_equal(pio_range_reserve(&spares, 10), SUCCESS);
	for (unsigned i = 0; i < 10; i++)
		pio_range_release(pio_range_take(&spares));
	assert_null(spares);
	hog_release(&hog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_ranges, setup),  cmocka_unit_test_setup(beyond_the_ports, setup),
		cmocka_unit_test_setup(without_source, setup), cmocka_unit_test_setup(bitmaps, setup),
		cmocka_unit_test_setup(all_or_nothing, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
