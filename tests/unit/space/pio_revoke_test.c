/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Revocation of ports in pieces: it is interrupted everywhere, others come in between, and when any is over nothing
 * is left of what it names. */
#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "space/pd.h"
#include "space/pio_lock.h"
#include "space/pio_revoke.h"

#include "hog.h"
#include "unit.h"

#define PDS PIO_DEPTH_MAX
#define PORTS 4096

static struct pd pds[PDS]; /* number 0 is the hypervisor's */

UNIT_FIXTURE(setup)
{
	host_reset(64 * MiB);
	memset(pds, 0, sizeof pds);
	assert_int_equal(space_pio_boot(&pds[0]), SUCCESS);
	for (unsigned i = 0; i < PDS; i++)
		pds[i].obj.refs = 1;
	return 0;
}

static void give(unsigned src, unsigned dst, u32 base, unsigned order)
{
	assert_int_equal(space_pio_delegate(&pds[src], &pds[dst], base, order, PIO_HOST), SUCCESS);
	assert_int_equal(host_delegate_rest(), SUCCESS);
}

/* Each port on its own. */
static void give_singly(unsigned src, unsigned dst, u32 base, unsigned order)
{
	for (u32 port = base; port < base + (1u << order); port++)
		give(src, dst, port, 0);
}

struct revocation {
	unsigned pd;
	struct block range;
	bool self;
	u64 next;
};

static struct revocation begin(unsigned pd, u32 base, unsigned order, bool self)
{
	return (struct revocation){pd, block_make(base, order), self, base};
}

static bool piece(struct revocation *r)
{
	bool over;

	pio_lock_take();
	over = pio_revoke_piece_locked(&pds[r->pd], r->range, &r->next, r->self);
	pio_lock_release();
	return over;
}

static unsigned finish(struct revocation *r)
{
	unsigned pieces = 1;

	while (!piece(r))
		pieces++;
	return pieces;
}

static bool has(unsigned pd, u32 port)
{
	bool bit = !pds[pd].pio.host[0] || pds[pd].pio.host[port >> 15][port >> 3 & PAGE_MASK] >> (port & 7) & 1;
	bool held = space_pio_lookup(&pds[pd], port);

	if (pd)
		assert_int_equal(held, !bit);
	return held;
}

static void assert_gone(unsigned first, unsigned last, u32 base, unsigned order)
{
	for (unsigned pd = first; pd <= last; pd++)
		for (u32 port = base; port < base + (1u << order); port++)
			assert_false(has(pd, port));
}

/* ---- the length ---- */

#define PIECE 24 /* of space/pio_revoke.c */

/* The number of pieces grows with that of the ranges, however they lie. */
UNIT_TEST(long_chains_and_many_ranges)
{
	for (unsigned pd = 1; pd < PDS; pd++)
		give(pd - 1, pd, 0x100, 8);
	struct revocation r = begin(1, 0x100, 8, true);
	assert_in_range(finish(&r), PDS / PIECE, PDS / 6);
	assert_gone(1, PDS - 1, 0x100, 8);
	assert_int_equal(pio_revoke_jobs, 0);

	give(0, 1, 0, 12);
	give_singly(1, 2, 0, 12);
	give_singly(1, 3, 0, 12);
	r = begin(1, 0, 12, false);
	assert_in_range(finish(&r), 4 * PORTS / PIECE, 4 * PORTS / PIECE + 2); /* two steps, and as many looks */
	assert_gone(2, 3, 0, 12);
	assert_true(has(1, 0) && has(1, PORTS - 1));

	give_singly(2, 3, 0, 12); /* nothing */
	give_singly(0, 2, PORTS, 12);
	r = begin(2, 0, 16, true);
	assert_in_range(finish(&r), PORTS / PIECE, PORTS / PIECE + 2);
	assert_gone(2, 3, PORTS, 12);
}

/* One port out of what all have, in 16 halves each. */
UNIT_TEST(splitting_a_chain)
{
	for (unsigned pd = 1; pd < PDS; pd++)
		give(pd - 1, pd, 0, 16);
	struct revocation r = begin(1, 0x3f8, 0, true);
	assert_in_range(finish(&r), PDS / 4, PDS);
	for (unsigned pd = 1; pd < PDS; pd++) {
		assert_false(has(pd, 0x3f8));
		assert_true(has(pd, 0x3f7) && has(pd, 0x3f9));
		assert_int_equal(space_pio_translate(&pds[pd], 0x3f9, &pds[1], block_make(0, 16)),
				 crd_make(CRD_PIO, 0x3f9, 0, PERM_PIO_A));
	}
}

/* ---- others in between ---- */

/* Wherever it is interrupted: who revokes above, below or beside it, finishes it, so far as it is about his ports. */
UNIT_TEST(whoever_comes_later_finishes_it)
{
	for (unsigned pieces = 1; pieces < 8; pieces++) {
		for (unsigned other = 1; other < 5; other++) {
			for (unsigned pd = 1; pd < 6; pd++)
				give_singly(pd - 1, pd, 0x100, 6);
			struct revocation r = begin(2, 0x100, 6, true), late = begin(other, 0x100, 6, false);
			for (unsigned i = 0; i < pieces && !piece(&r); i++)
				;
			finish(&late);
			assert_int_equal(pio_revoke_jobs, 0);
			assert_gone(other + 1, 5, 0x100, 6);
			finish(&r);
			assert_gone(2, 5, 0x100, 6);
			assert_true(has(1, 0x100) == (other != 0));
			r = begin(0, 0, 16, false);
			finish(&r);
		}
	}
}

/* Nothing is delegated of a range that is being taken away, before it is. */
UNIT_TEST(delegation_comes_later)
{
	give(0, 1, 0x100, 6);
	give_singly(1, 2, 0x100, 6);
	give_singly(2, 3, 0x100, 6);
	struct revocation r = begin(1, 0x100, 6, false);
	assert_false(piece(&r));
	assert_int_not_equal(pio_revoke_jobs, 0);
	give(0, 4, 0x200, 0); /* has nothing to do with it */
	assert_int_not_equal(pio_revoke_jobs, 0);
	give(1, 4, 0x13f, 0);
	assert_int_equal(pio_revoke_jobs, 0);
	assert_gone(2, 3, 0x100, 6);
	finish(&r);
	assert_true(has(4, 0x13f));
}

/* A PD ends that has lost its ports to a revocation which has not come to those below it. */
UNIT_TEST(a_pd_ends_meanwhile)
{
	for (unsigned which = 1; which < 4; which++) {
		give(0, 1, 0x100, 6);
		give(1, 2, 0x100, 6);
		give_singly(2, 3, 0x100, 6);
		struct revocation r = begin(1, 0x100, 6, true);
		assert_false(piece(&r));
		unsigned pieces = 0;
		while (!space_pio_close(&pds[which]))
			assert_true(++pieces < 8);
		assert_int_equal(pds[which].pio.held.count + pds[which].pio.given.count, 0);
		finish(&r);
		assert_gone(1, 3, 0x100, 6);
		pds[which].pio.closed = false;
	}
}

/* PDs with many pieces of what all have end one after the other, from the first and from the last on. */
UNIT_TEST(all_pds_end)
{
	for (unsigned backwards = 0; backwards < 2; backwards++) {
		for (unsigned pd = 1; pd < PDS; pd++)
			give(pd - 1, pd, 0x4000, 14);
		struct revocation r = begin(1, 0x4005, 0, false);
		finish(&r);
		for (unsigned i = 1; i < PDS; i++) {
			unsigned pieces = 0, pd = backwards ? PDS - i : i;
			while (!space_pio_close(&pds[pd]))
				assert_true(++pieces < PDS * 16 * 16 / 8); /* each has ranges of up to 16 orders */
			pds[pd].pio.closed = false;
		}
		assert_int_equal(pio_revoke_jobs, 0);
		assert_int_equal(pds[0].pio.given.count, 0);
	}
}

/* There are only so many places: another one is finished first. */
UNIT_TEST(more_than_there_are_places)
{
	struct revocation r[40];

	give(0, 1, 0, 13);
	give_singly(1, 2, 0, 12);
	for (unsigned i = 0; i < array_size(r); i++) {
		r[i] = begin(1, i * 64, 6, false);
		assert_int_equal(piece(&r[i]), false);
	}
	assert_int_equal(pio_revoke_jobs, ~0u);
	for (unsigned i = array_size(r); i--;) {
		finish(&r[i]);
		assert_gone(2, 2, i * 64, 6);
	}
	assert_int_equal(pio_revoke_jobs, 0);
	assert_true(has(2, array_size(r) * 64));
}

/* A range that cannot be split goes, with what is below it, and nobody gets at it meanwhile. */
UNIT_TEST(without_memory)
{
	struct hog hog = {0};
	unsigned lost = 0;

	for (unsigned round = 0; round < 20; round++) {
		give(0, 1, 0, 16);
		give(1, 2, 0, 8);
		give_singly(2, 3, 0, 8);
		hog_take(&hog, 0);
		struct revocation r = begin(1, round * 8, 0, false);
		(void)piece(&r);
		if (pio_revoke_jobs && !has(2, 0xff)) {
			lost++;
			assert_non_null(pio_revoke_job_locked(block_make(0xff, 0)));
		}
		finish(&r);
		hog_release(&hog);
		assert_gone(2, 3, round * 8, 0);
		assert_int_equal(has(2, 0xff), has(3, 0xff));
		assert_true(has(1, round * 8));
		r = begin(0, 0, 16, false);
		finish(&r);
	}
	assert_true(lost);
}

/* ---- any order ---- */

static unsigned holders(u32 port)
{
	unsigned count = 0;

	for (unsigned pd = 1; pd < 8; pd++) {
		if (!has(pd, port))
			continue;
		count++;
		assert_int_not_equal(space_pio_translate(&pds[pd], port, &pds[0], block_make(0, 16)), 0);
	}
	return count;
}

static struct block random_block(void)
{
	return block_make(unit_random(64), unit_random(7));
}

/* Several at a time. What is held always comes from the hypervisor, when nothing is under way. */
UNIT_TEST(random_pieces)
{
	struct revocation r[6] = {0};
	bool under_way[6] = {0};
	unsigned held = 0;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned which = unit_random(array_size(r));
		struct block b = random_block();
		if (unit_random(3)) {
			give(unit_random(8), 1 + unit_random(7), (u32)b.base, b.order);
		} else if (under_way[which]) {
			under_way[which] = !piece(&r[which]);
		} else {
			unsigned pd = unit_random(8);
			r[which] = begin(pd, (u32)b.base, b.order, pd && unit_random(2));
			under_way[which] = !piece(&r[which]);
		}
		if (!pio_revoke_jobs)
			held += holders((u32)unit_random(64));
	}
	assert_true(held > 1000);
	for (unsigned i = 0; i < array_size(r); i++)
		if (under_way[i])
			finish(&r[i]);
	r[0] = begin(0, 0, 16, false);
	finish(&r[0]);
	assert_gone(1, 7, 0, 6);
	for (unsigned pd = 0; pd < 8; pd++)
		assert_int_equal(pds[pd].pio.held.count + pds[pd].pio.given.count, !pd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(long_chains_and_many_ranges, setup),
		cmocka_unit_test_setup(splitting_a_chain, setup),
		cmocka_unit_test_setup(whoever_comes_later_finishes_it, setup),
		cmocka_unit_test_setup(delegation_comes_later, setup),
		cmocka_unit_test_setup(a_pd_ends_meanwhile, setup),
		cmocka_unit_test_setup(all_pds_end, setup),
		cmocka_unit_test_setup(more_than_there_are_places, setup),
		cmocka_unit_test_setup(without_memory, setup),
		cmocka_unit_test_setup(random_pieces, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
