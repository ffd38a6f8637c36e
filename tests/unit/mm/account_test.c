/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts: limits, payers, what is moved and what comes back. */
#include "mm/account.h"

#include "platform/fake_log.h"
#include "lib/bits.h"
#include "host.h"
#include "mm/page.h"
#include "mm/slab.h"

#include "unit.h"

#include "../hog.h"

#include <hedron/abi.h>

#define TOP (64 * MiB)
#define N 8

static struct account top, a[N];
static struct account *ended[N];
static unsigned ends;

static void gone(struct account *which)
{
	assert_true(ends < N);
	ended[ends++] = which;
}

UNIT_FIXTURE(setup)
{
	host_reset(16 * MiB);
	memset(a, 0, sizeof a);
	ends = 0;
	account_gone = gone;
	account_init(&top, TOP);
	return 0;
}

static void opened(unsigned i, struct account *creator)
{
	account_open(&a[i], creator);
}

static void allowed(unsigned i, struct account *creator, u64 bytes)
{
	opened(i, creator);
	assert_int_equal(account_move(creator, &a[i], bytes), SUCCESS);
}

static u64 left(struct account *which)
{
	return account_look(which).left;
}

static u64 take_all(struct account *which, u64 piece)
{
	u64 sum = 0;
	while (account_take(which, piece))
		sum += piece;
	return sum;
}

UNIT_TEST(takes_what_there_is)
{
	assert_int_equal(take_all(&top, 4096), TOP);
	assert_int_equal(account_look(&top).used, TOP);
	assert_false(account_take(&top, 1));
	account_give(&top, 4096);
	assert_false(account_take(&top, 4097));
	assert_true(account_take(&top, 4096));
	account_give(&top, TOP);
	assert_int_equal(left(&top), TOP);
}

/* Without an allowance: all that the payer has, and none of it is lost in the batches that others hold. */
UNIT_TEST(draws_on_its_payer)
{
	for (unsigned i = 0; i < N; i++) {
		opened(i, i ? &a[i - 1] : &top);
		assert_ptr_equal(a[i].payer, &top);
		assert_true(account_take(&a[i], 64));
		assert_int_equal(account_look(&a[i]).used, 64);
		assert_int_equal(account_look(&a[i]).limit, 0);
	}
	assert_int_equal(take_all(&a[N - 1], 64), TOP - N * 64);
	assert_false(account_take(&top, 1));
	for (unsigned i = 0; i < N; i++) {
		account_give(&a[i], account_look(&a[i]).used);
		account_close(&a[i], 0);
		assert_ptr_equal(ended[i], &a[i]);
	}
	assert_int_equal(left(&top), TOP);
}

UNIT_TEST(an_allowance_is_the_limit)
{
	allowed(0, &top, 10000);
	assert_int_equal(left(&a[0]), 10000);
	assert_int_equal(left(&top), TOP - 10000);
	opened(1, &a[0]);
	assert_ptr_equal(a[1].payer, &a[0]);
	assert_int_equal(take_all(&a[1], 100), 10000);
	assert_false(account_take(&a[0], 1));
	assert_true(account_take(&top, 1000000));
	account_give(&a[1], 10000);
	assert_int_equal(take_all(&a[0], 1), 10000); /* back from a[1], which does not use it */
}

/* What an account uses when it gets an allowance stays its own. */
UNIT_TEST(a_late_allowance)
{
	opened(0, &top);
	assert_true(account_take(&a[0], 5000));
	assert_int_equal(account_move(&top, &a[0], 300), SUCCESS);
	assert_int_equal(account_look(&a[0]).limit, 5300);
	assert_int_equal(left(&a[0]), 300);
	assert_int_equal(left(&top), TOP - 5300);
}

UNIT_TEST(moves_across_the_tree)
{
	allowed(0, &top, 100000);
	allowed(1, &a[0], 50000);
	allowed(2, &a[1], 20000);
	allowed(3, &top, 100000);
	allowed(4, &a[3], 30000);
	assert_int_equal(account_move(&a[2], &a[4], 20000), SUCCESS);
	assert_int_equal(left(&a[2]), 0);
	assert_int_equal(left(&a[4]), 50000);
	assert_int_equal(account_look(&a[1]).limit, 30000);
	assert_int_equal(account_look(&a[0]).limit, 80000);
	assert_int_equal(account_look(&a[3]).limit, 120000);
	assert_int_equal(left(&a[0]), 50000);
	assert_int_equal(left(&a[3]), 70000);
	assert_int_equal(account_move(&a[4], &top, 50000), SUCCESS);
	assert_int_equal(left(&top), TOP - 150000);
	assert_int_equal(account_move(&a[3], &a[0], 70001), OOM);
	assert_int_equal(account_move(&a[3], &a[3], 1), BAD_PAR);
	assert_int_equal(account_move(&top, &a[0], ~0ul), OOM);
	assert_int_equal(left(&a[3]), 70000);
	for (unsigned i = 5; i--;)
		account_close(&a[i], 0);
	assert_int_equal(ends, 5);
	assert_int_equal(left(&top), TOP);
}

/* An account whose owner has gone is there until nobody has memory of it, and returns at once what it gets back. */
UNIT_TEST(outlasts_its_owner)
{
	allowed(0, &top, 100000);
	assert_true(account_take(&a[0], 1000));
	account_close(&a[0], 300); /* of which it is stored in 300 */
	assert_int_equal(left(&top), TOP - 1000);
	account_give(&a[0], 600);
	assert_int_equal(ends, 0);
	assert_int_equal(left(&top), TOP - 400);
	account_give(&a[0], 100);
	assert_int_equal(ends, 1);
	assert_int_equal(left(&top), TOP);
}

/* Those that it paid for go on with whoever paid for it. */
UNIT_TEST(outlived_by_those_it_paid_for)
{
	allowed(0, &top, 1000000);
	allowed(1, &a[0], 500000);
	opened(2, &a[1]);
	assert_true(account_take(&a[2], 100));
	account_close(&a[0], 0);
	account_close(&a[1], 0);
	assert_int_equal(take_all(&a[2], 4096) / 4096, (TOP - 100) / 4096);
	assert_ptr_equal(a[2].payer, &top);
	assert_int_equal(ends, 2);
	account_give(&a[2], account_look(&a[2]).used);
	account_close(&a[2], 0);
	assert_int_equal(ends, 3);
	assert_int_equal(left(&top), TOP);
}

static unsigned lines(const char *what)
{
	unsigned n = 0;
	for (const char *at = fake_log; (at = strstr(at, what)); at++)
		n++;
	return n;
}

/* Each allowance has its lines, whatever others say, and whoever draws on it has none of his own. */
UNIT_TEST(says_whose_allowance_is_used_up)
{
	fake_log_start();
	allowed(0, &top, 3 * KiB);
	allowed(1, &top, 5 * KiB);
	opened(2, &a[0]);
	for (unsigned i = 0; i < 100; i++)
		assert_false(account_take(&a[i % 2 ? 0 : 2], 8 * KiB));
	assert_false(account_take(&a[1], 8 * KiB));
	assert_int_equal(lines("the allowance of a PD is used up: 3 KiB of"), 1);
	assert_int_equal(lines("the allowance of a PD is used up: 5 KiB of"), 1);
	for (unsigned i = 0; i < 100; i++) {
		host_tsc += 1ull << 28;
		assert_false(account_take(&a[0], 8 * KiB));
	}
	assert_in_range(lines("3 KiB"), 7, 8);
	assert_int_equal(lines("5 KiB"), 1);
	assert_false(account_take(&a[1], 8 * KiB));
	assert_int_equal(lines("5 KiB"), 2);
	account_close(&a[2], 0);
	account_close(&a[1], 0);
	account_close(&a[0], 0);
}

UNIT_TEST(nesting_is_limited)
{
	static struct account chain[ACCOUNT_LEVELS + 2];
	enum status s = SUCCESS;
	unsigned n = 0;

	while (s == SUCCESS) {
		account_open(&chain[n], n ? &chain[n - 1] : &top);
		s = account_move(n ? &chain[n - 1] : &top, &chain[n], 1000 * (ACCOUNT_LEVELS + 2 - n));
		n++;
	}
	assert_int_equal(s, BAD_PAR);
	assert_int_equal(n, ACCOUNT_LEVELS);
	assert_true(account_take(&chain[n - 1], 1));
}

/* Whatever is done, the bytes of the top are all somewhere. */
UNIT_TEST(nothing_is_lost)
{
	u64 taken[N] = {0};
	bool open[N] = {0};

	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = unit_random(N), j = unit_random(N);
		u64 bytes = 1 + unit_random(200000);
		if (!open[i]) {
			taken[i] = 0;
			opened(i, open[j] ? &a[j] : &top);
			open[i] = true;
		} else if (unit_random(4) == 0 && open[j]) {
			enum status s = account_move(&a[i], &a[j], bytes);
			assert_true(s == SUCCESS || s == OOM || (s == BAD_PAR && i == j));
		} else if (unit_random(3)) {
			if (account_take(&a[i], bytes))
				taken[i] += bytes;
		} else if (unit_random(20) == 0) {
			unsigned before = ends = 0;
			account_give(&a[i], taken[i]);
			account_close(&a[i], 0);
			open[i] = ends > before; /* reused only if it has gone: it may pay for others */
			if (!open[i])
				break;
			open[i] = false;
			ends = 0;
		} else {
			u64 part = min_u64(bytes, taken[i]);
			account_give(&a[i], part);
			taken[i] -= part;
		}
		for (unsigned k = 0; k < N; k++)
			assert_true(!open[k] || account_look(&a[k]).used >= taken[k]);
	}
	for (unsigned i = 0; i < N; i++)
		if (open[i]) {
			account_give(&a[i], taken[i]);
			account_close(&a[i], 0);
		}
	assert_int_equal(left(&top), TOP);
}

static struct hog hog;

/* Pages and objects are paid for only if there are some. */
UNIT_TEST(pages_and_objects)
{
	static struct slab_cache cache;
	slab_init(&cache, "test", 64, 64);
	allowed(0, &top, 2 * PAGE_SIZE + 64);
	void *page = page_take(&a[0]), *zeroed = page_take_zeroed(&a[0]), *object = slab_take(&cache, &a[0]);
	assert_non_null(page);
	assert_non_null(object);
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(((u8 *)zeroed)[i], 0);
	assert_int_equal(left(&a[0]), 0);
	assert_null(page_take(&a[0]));
	assert_null(page_take_zeroed(&a[0]));
	assert_null(slab_take(&cache, &a[0]));
	page_return(page);
	memset(zeroed, 0, PAGE_SIZE);
	page_return_zeroed(zeroed);
	slab_return(&cache, object, &a[0]);
	assert_int_equal(left(&a[0]), 2 * PAGE_SIZE + 64);
	slab_drain(&cache);
	hog_take(&hog, 0);
	assert_null(page_take(&a[0]));
	assert_null(page_take_zeroed(&a[0]));
	assert_null(slab_take(&cache, &a[0]));
	assert_int_equal(left(&a[0]), 2 * PAGE_SIZE + 64);
	hog_release(&hog);
}

/* An account is closed while what it paid for is given back: page by page, as the last one of them it is gone. */
UNIT_TEST(pages_of_a_closed_account)
{
	void *pages[10];
	opened(0, &top);
	for (unsigned i = 0; i < array_size(pages); i++)
		assert_non_null(pages[i] = page_take(&a[0]));
	account_close(&a[0], 0);
	assert_int_equal(left(&top), TOP - sizeof pages / sizeof *pages * PAGE_SIZE);
	for (unsigned i = 0; i < array_size(pages); i++) {
		assert_int_equal(ends, 0);
		page_return(pages[i]);
	}
	assert_int_equal(ends, 1);
	assert_int_equal(left(&top), TOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_what_there_is, setup),
		cmocka_unit_test_setup(draws_on_its_payer, setup),
		cmocka_unit_test_setup(an_allowance_is_the_limit, setup),
		cmocka_unit_test_setup(a_late_allowance, setup),
		cmocka_unit_test_setup(moves_across_the_tree, setup),
		cmocka_unit_test_setup(outlasts_its_owner, setup),
		cmocka_unit_test_setup(outlived_by_those_it_paid_for, setup),
		cmocka_unit_test_setup(says_whose_allowance_is_used_up, setup),
		cmocka_unit_test_setup(nesting_is_limited, setup),
		cmocka_unit_test_setup(nothing_is_lost, setup),
		cmocka_unit_test_setup(pages_and_objects, setup),
		cmocka_unit_test_setup(pages_of_a_closed_account, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
