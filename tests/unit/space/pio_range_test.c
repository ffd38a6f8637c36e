/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ranges of PDs against a list of all ranges: what covers a port, what was given of a block, what is left of a
 * range without a part. */
#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/pio_range.h"

#include "hog.h"
#include "unit.h"

#define PDS 6
#define RANGES 64

static struct hog hog;
static struct pd pds[PDS]; /* number 0 gives, the others hold */
static struct pio_range *ranges[RANGES];

UNIT_FIXTURE(setup)
{
	host_reset(16 * MiB);
	memset(pds, 0, sizeof pds);
	memset(ranges, 0, sizeof ranges);
	pio_range_boot();
	return 0;
}

static struct pio_range *make(struct pd *pd, struct block b)
{
	struct pio_range *n = pio_range_alloc(pd);

	assert_non_null(n);
	*n = (struct pio_range){.pd = pd, .source = &pds[0], .base = (u16)b.base, .order = (u8)b.order};
	assert_int_equal(pio_range_insert(n, pd, &pds[0], (u32)b.base, b.order), SUCCESS);
	assert_ptr_equal(pio_range_at(&pd->pio, b.base), n);
	return n;
}

static void drop(struct pio_range *n)
{
	pio_range_drop_given(n);
	pio_range_drop_held(&n->pd->pio, n);
	pio_range_release(n);
}

/* Few places, so that ranges are nested. */
static struct block random_block(void)
{
	unsigned order = unit_random(4) ? unit_random(6) : unit_random(PIO_ORDER + 1);
	return block_make(unit_random(2) ? unit_random(64) : PIO_PORTS - 1 - unit_random(64), order);
}

static struct pio_range *model_at(const struct pd *pd, u64 port)
{
	for (unsigned i = 0; i < RANGES; i++)
		if (ranges[i] && ranges[i]->pd == pd && block_has(pio_range_block(ranges[i]), port))
			return ranges[i];
	return NULL;
}

static struct pio_range *model_begin(const struct pd *pd, u64 port)
{
	struct pio_range *first = NULL;

	for (unsigned i = 0; i < RANGES; i++)
		if (ranges[i] && ranges[i]->pd == pd && ranges[i]->base >= port &&
		    (!first || ranges[i]->base < first->base))
			first = ranges[i];
	return first;
}

static bool is_free(const struct pd *pd, struct block b)
{
	struct pio_range *n = model_begin(pd, b.base);

	return !model_at(pd, b.base) && (!n || n->base >= block_end(b));
}

static void toggle(unsigned i)
{
	struct pd *pd = &pds[1 + unit_random(PDS - 1)];
	struct block b = random_block();

	if (ranges[i]) {
		drop(ranges[i]);
		ranges[i] = NULL;
	} else if (is_free(pd, b)) {
		ranges[i] = make(pd, b);
	}
}

static void check(void)
{
	struct pd *pd = &pds[1 + unit_random(PDS - 1)];
	struct block b = random_block();
	struct pio_range *given = pio_range_given(&pds[0].pio, b), *at = model_at(pd, b.base);
	bool any = false;

	assert_ptr_equal(pio_range_at(&pd->pio, b.base), at);
	assert_ptr_equal(pio_range_begin(&pd->pio, b.base), model_begin(pd, b.base));
	assert_ptr_equal(pio_range_from(&pd->pio, b.base), at ? at : model_begin(pd, b.base));
	for (unsigned i = 0; i < RANGES; i++)
		any |= ranges[i] && block_overlap(pio_range_block(ranges[i]), b);
	assert_int_equal(given != NULL, any);
	if (given)
		assert_true(block_overlap(pio_range_block(given), b));
}

UNIT_TEST(random_ranges)
{
	for (unsigned i = 0; i < 30000; i++) {
		toggle(unit_random(RANGES));
		check();
	}
	for (unsigned i = 0; i < RANGES; i++)
		if (ranges[i])
			drop(ranges[i]);
	assert_int_equal(pds[0].pio.given.count, 0);
	assert_int_equal(pds[0].pio.given_orders, 0);
}

UNIT_TEST(no_port_behind_the_last)
{
	make(&pds[1], block_make(0, PIO_ORDER));
	assert_null(pio_range_at(&pds[1].pio, PIO_PORTS));
	assert_null(pio_range_at(&pds[1].pio, 1ull << 32));
	assert_null(pio_range_begin(&pds[1].pio, PIO_PORTS));
}

/* ---- parts ---- */

static void check_split(struct pio_range *n, struct block whole, struct block part)
{
	struct space_pio *held = &n->pd->pio, *given = &pds[0].pio;
	u32 count = 1;

	assert_ptr_equal(pio_range_at(held, part.base), n);
	assert_int_equal(n->order, part.order);
	for (unsigned order = part.order; order < whole.order; order++, count++) {
		struct block half = block_make(part.base ^ bit(order), order);
		struct pio_range *h = pio_range_at(held, half.base);
		assert_int_equal(h->base, half.base);
		assert_int_equal(h->order, order);
		assert_int_equal(h->depth, 7);
		assert_ptr_equal(pio_range_given(given, half), h);
	}
	assert_int_equal(held->held.count, count);
	assert_int_equal(given->given.count, count - 1);
	assert_null(pio_range_given(given, part));
}

/* Without memory nothing has changed, at whichever allocation there is none. */
static void split(struct block whole, struct block part)
{
	struct pio_range *n = make(&pds[1], whole);
	enum status status = OOM;

	n->depth = 7;
	pio_range_drop_given(n);
	for (u64 left = 0; status != SUCCESS; left++) {
		hog_take(&hog, left);
		status = pio_range_split(n, part, &pds[0]);
		hog_release(&hog);
		if (status == SUCCESS)
			break;
		assert_int_equal(status, OOM);
		assert_int_equal(pds[1].pio.held.count, 1);
		assert_int_equal(pds[0].pio.given.count, 0);
		assert_ptr_equal(pio_range_at(&pds[1].pio, whole.base), n);
		assert_ptr_equal(pio_range_at(&pds[1].pio, block_end(whole) - 1), n);
		assert_true(left < 40);
	}
	check_split(n, whole, part);
	for (struct pio_range *h; (h = pio_range_given(&pds[0].pio, whole)); drop(h))
		;
	pio_range_drop_held(&pds[1].pio, n);
	pio_range_release(n);
	assert_int_equal(pds[1].pio.held.count, 0);
}

UNIT_TEST(splits)
{
	split(block_make(0, PIO_ORDER), block_make(0, 0));
	split(block_make(0, PIO_ORDER), block_make(PIO_PORTS - 1, 0));
	split(block_make(0, PIO_ORDER), block_make(0x1234, 2));
	split(block_make(0x40, 1), block_make(0x41, 0));
	split(block_make(0x8000, 15), block_make(0xc000, 14));
	for (unsigned i = 0; i < 200; i++) {
		unsigned order = 1 + unit_random(PIO_ORDER);
		struct block whole = block_make(unit_random(PIO_PORTS), order);
		split(whole, block_make(whole.base + unit_random(1u << order), unit_random(order)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_ranges, setup),
		cmocka_unit_test_setup(no_port_behind_the_last, setup),
		cmocka_unit_test_setup(splits, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
