/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port spaces against a model that keeps for each port of each PD what it is part of and which PD it came from.
 */
#include "arch/space.h"
#include "host.h"
#include "lib/bits.h"
#include "space/pd.h"
#include "space/pio_lock.h"

#include "hog.h"
#include "unit.h"

#define HEAP (64 * MiB)
#define PDS 5
#define NOBODY 0xff

static struct hog hog;
static struct pd pds[PDS]; /* number 0 is the hypervisor's */

static unsigned attached;
static enum status attach_status;
static bool dies_while_attached;

static void close_space(struct pd *pd)
{
	while (!space_pio_close(pd))
		;
}

enum status arch_pio_bitmap_attach(struct pd *pd)
{
	for (unsigned i = 0; i < PIO_HOST_PAGES; i++)
		assert_non_null(pd->pio.host[i]);
	assert_int_equal(pd->pio.host[2][0], 0xff);
	attached += attach_status == SUCCESS;
	if (dies_while_attached)
		close_space(pd);
	return attach_status;
}

/* No guest of a PD runs between these; who calls them has the PD's ports locked. */
static unsigned stops;
static struct pd *stopped;
static u8 at_stop[PIO_GUEST_PAGES * PAGE_SIZE]; /* the bitmap at that time */

static void copy_guest_bitmap(const struct pd *pd, u8 *to)
{
	for (unsigned i = 0; i < PIO_GUEST_PAGES; i++)
		memcpy(to + i * PAGE_SIZE, pd->pio.guest[i], PAGE_SIZE);
}

void arch_guests_stop(struct pd *pd)
{
	assert_true(spin_is_locked(&pio_lock));
	assert_true(pd->pio.guests_stopped);
	copy_guest_bitmap(pd, at_stop);
	stopped = pd;
	stops++;
}

/* ---- the model ---- */

static struct port {
	bool held;
	u8 parent, order, where;
} ports[PDS][PIO_PORTS], ports_before[PDS][PIO_PORTS];

/* The block of this order around p: one piece of what `src` has, free in dst? */
static bool fits(const struct port *src, const struct port *dst, u32 p, unsigned order, u32 base,
		 unsigned range_order)
{
	u32 first = p >> order << order;

	if (order > range_order || order > src[p].order || (first != p && first < base))
		return false;
	for (u32 i = first; i < first + (1u << order); i++)
		if (dst[i].held)
			return false;
	return true;
}

static void model_delegate(unsigned src, unsigned dst, u32 base, unsigned order, unsigned where)
{
	struct port *d = ports_before[dst], *s = ports_before[src];

	memcpy(d, ports[dst], sizeof ports[dst]);
	memcpy(s, ports[src], sizeof ports[src]);
	for (u32 p = base; where && p < base + (1u << order);) {
		unsigned piece = 0;
		if (!s[p].held || d[p].held) {
			p++;
			continue;
		}
		while (fits(s, d, p, piece + 1, base, order))
			piece++;
		for (u32 end = p + (1u << piece); p < end; p++)
			ports[dst][p] = (struct port){true, (u8)src, (u8)piece, (u8)where};
	}
}

static bool model_below(u32 p, unsigned pd, unsigned top)
{
	while (pd != NOBODY && pd != top)
		pd = ports[pd][p].parent;
	return pd == top;
}

/* The port p loses its neighbours in the hole: its block shrinks until the hole is outside. */
static void model_shrink(unsigned pd, u32 p, u32 hole)
{
	struct port *q = &ports[pd][p];
	while (q->held && hole >> q->order == p >> q->order)
		q->order--;
}

static void model_revoke(unsigned pd, u32 base, unsigned order, bool self)
{
	for (unsigned i = 0; i < PDS; i++) {
		u32 first = PIO_PORTS, last = 0;
		for (u32 p = base; p < base + (1u << order); p++) {
			if (!ports[i][p].held || !model_below(p, i, pd) || (i == pd && !self))
				continue;
			u32 block = p >> ports[i][p].order << ports[i][p].order;
			if (ports[i][p].order > order) {
				first = block;
				last = block + (1u << ports[i][p].order);
			}
		}
		/* What is left of a block that contains the hole, before the hole is forgotten. */
		for (u32 p = first; p < last; p++)
			if (p < base || p >= base + (1u << order))
				model_shrink(i, p, base);
	}
	for (u32 p = base; p < base + (1u << order); p++) {
		bool hit[PDS];
		for (unsigned i = 0; i < PDS; i++)
			hit[i] = ports[i][p].held && model_below(p, i, pd) && (i != pd || self);
		for (unsigned i = 0; i < PDS; i++)
			if (hit[i])
				ports[i][p] = (struct port){.parent = NOBODY};
	}
}

/* ---- checks ---- */

static bool bitmap_bit(u8 *const *pages, u32 port)
{
	return !pages[0] || pages[port >> 15][port >> 3 & PAGE_MASK] >> (port & 7) & 1;
}

static crd_t expected_crd(unsigned pd, u32 p)
{
	const struct port *q = &ports[pd][p];
	return q->held ? crd_make(CRD_PIO, p >> q->order << q->order, q->order, PERM_PIO_A) : 0;
}

static void check_bits(unsigned pd, u32 p)
{
	assert_int_equal(bitmap_bit(pds[pd].pio.host, p), !(ports[pd][p].where & PIO_HOST));
	assert_int_equal(bitmap_bit(pds[pd].pio.guest, p), !(ports[pd][p].where & PIO_GUEST));
}

static void check_port(unsigned pd, u32 p)
{
	assert_int_equal(space_pio_lookup(&pds[pd], p), expected_crd(pd, p));
	check_bits(pd, p);
	/* Each PD above it is found, the others are not. */
	for (unsigned to = 0; to < PDS; to++) {
		bool above = ports[pd][p].held && model_below(p, pd, to);
		assert_int_equal(space_pio_translate(&pds[pd], p, &pds[to], block_make(0, 31)),
				 above ? expected_crd(to, p) : 0);
	}
}

static void check_all(void)
{
	for (unsigned pd = 0; pd < PDS; pd++)
		for (u32 p = 0; p < PIO_PORTS; p++) {
			check_bits(pd, p);
			/* all ports where something begins or ends, some of the others */
			if (p % 16 == 0 || memcmp(&ports[pd][p], &ports[pd][p - 1], sizeof(struct port)))
				check_port(pd, p);
		}
}

UNIT_FIXTURE(setup)
{
	host_reset(HEAP);
	attached = 0;
	attach_status = SUCCESS;
	dies_while_attached = false;
	assert_int_equal(space_pio_boot(&pds[0]), SUCCESS);
	for (unsigned i = 0; i < PDS; i++) {
		pds[i].obj.refs = 1;
		if (i)
			space_pio_init(&pds[i].pio);
	}
	memset(ports, 0, sizeof ports);
	for (unsigned i = 0; i < PDS; i++)
		for (u32 p = 0; p < PIO_PORTS; p++)
			ports[i][p].parent = NOBODY;
	for (u32 p = 0; p < PIO_PORTS; p++)
		ports[0][p] = (struct port){true, NOBODY, PIO_ORDER, 0};
	return 0;
}

static enum status delegate(unsigned src, unsigned dst, u32 base, unsigned order, unsigned where)
{
	enum status status = space_pio_delegate(&pds[src], &pds[dst], base, order, where);

	return status == SUCCESS ? host_delegate_rest() : status;
}

static void give(unsigned src, unsigned dst, u32 base, unsigned order, unsigned where)
{
	assert_int_equal(delegate(src, dst, base, order, where), SUCCESS);
	model_delegate(src, dst, base, order, where);
}

static void revoke(unsigned pd, u32 base, unsigned order, bool self)
{
	space_pio_revoke(&pds[pd], base, order, self);
	host_revoke_rest();
}

static void take(unsigned pd, u32 base, unsigned order, bool self)
{
	revoke(pd, base, order, self);
	model_revoke(pd, base, order, self);
}

/* ---- random operations ---- */

static unsigned random_order(void)
{
	return unit_random(8) ? unit_random(7) : unit_random(PIO_ORDER + 1);
}

/* Few ports, around the borders of bytes and bitmap pages, so that ranges meet. */
static u32 random_base(unsigned order)
{
	static const u32 around[] = {0, 0x7fc0, PIO_PORTS - 128};
	return (around[unit_random(3)] + unit_random(128)) >> order << order;
}

static void random_operation(void)
{
	unsigned order = random_order(), pd = unit_random(PDS);
	u32 base = random_base(order);

	if (unit_random(5) < 3)
		give(pd, 1 + unit_random(PDS - 1), base, order, unit_random(16) ? 1 + unit_random(3) : 0);
	else
		take(pd, base, order, pd && unit_random(2));
	check_port(unit_random(PDS), random_base(0));
}

UNIT_TEST(random_operations)
{
	for (unsigned i = 0; i < 2500; i++) {
		random_operation();
		if (i % 20 == 0)
			check_all();
	}
}

/* ---- rules ---- */

UNIT_TEST(hypervisor_has_all)
{
	check_all();
	assert_int_equal(space_pio_lookup(&pds[0], PIO_PORTS), 0);
	assert_int_equal(space_pio_lookup(&pds[0], ~0ull), 0);
	assert_int_equal(space_pio_translate(&pds[0], PIO_PORTS, &pds[0], block_make(0, 31)), 0);
}

UNIT_TEST(bitmaps_come_with_the_first_grant)
{
	give(1, 2, 0, 16, PIO_HOST | PIO_GUEST); /* nothing to give */
	give(0, 2, 0, 16, 0);
	assert_null(pds[2].pio.host[0]);
	assert_null(pds[2].pio.guest[0]);
	assert_int_equal(space_pio_lookup(&pds[2], 0), 0);
	give(0, 2, 0x60, 2, PIO_GUEST);
	assert_null(pds[2].pio.host[0]);
	assert_non_null(pds[2].pio.guest[1]);
	assert_int_equal(attached, 0);
	give(0, 2, 0x70, 1, PIO_HOST);
	give(0, 2, 0x80, 1, PIO_HOST);
	assert_int_equal(attached, 1);
	check_all();
}

UNIT_TEST(guest_bitmap_on_demand)
{
	assert_int_equal(space_pio_make_guest(&pds[1]), SUCCESS);
	u8 *first = pds[1].pio.guest[0];
	assert_int_equal(space_pio_make_guest(&pds[1]), SUCCESS);
	assert_ptr_equal(pds[1].pio.guest[0], first);
	check_all();
}

static void check_stop(struct pd *pd, u8 *before)
{
	u8 now[PIO_GUEST_PAGES * PAGE_SIZE];

	assert_int_equal(stops, 1);
	assert_ptr_equal(stopped, pd);
	assert_false(pd->pio.guests_stopped);
	assert_memory_equal(at_stop, before, sizeof(now));
	copy_guest_bitmap(pd, now);
	assert_memory_not_equal(now, before, sizeof(now));
	memcpy(before, now, sizeof(now));
	stops = 0;
}

/* The bitmap of a guest changes only while none runs: more ports, fewer, and with the PD's end. Others do not stop.
 */
UNIT_TEST(guests_stop_for_their_bitmap)
{
	static u8 before[PIO_GUEST_PAGES * PAGE_SIZE];

	stops = 0;
	give(0, 1, 0x100, 4, PIO_HOST);
	take(1, 0x108, 3, true);
	assert_int_equal(stops, 0);
	assert_int_equal(space_pio_make_guest(&pds[1]), SUCCESS);
	copy_guest_bitmap(&pds[1], before);
	give(0, 1, 0x200, 4, PIO_GUEST | PIO_HOST);
	check_stop(&pds[1], before);
	give(0, 1, 0x200, 4, PIO_GUEST); /* has them already */
	give(1, 2, 0x200, 4, PIO_HOST);
	assert_int_equal(stops, 0);
	take(0, 0x208, 3, false);
	check_stop(&pds[1], before);
	take(1, 0x200, 0, true);
	check_stop(&pds[1], before);
	give(0, 1, 0x300, 0, PIO_GUEST);
	give(0, 1, 0x303, 0, PIO_GUEST);
	stops = 0;
	copy_guest_bitmap(&pds[1], before);
	take(0, 0x303, 0, false);
	check_stop(&pds[1], before);
}

UNIT_TEST(parts_do_not_split_but_revocation_does)
{
	give(0, 1, 0x100, 4, PIO_HOST);
	give(1, 2, 0x104, 1, PIO_HOST);
	give(1, 3, 0x100, 4, PIO_HOST);
	assert_int_equal(space_pio_lookup(&pds[1], 0x105), crd_make(CRD_PIO, 0x100, 4, 1));
	take(1, 0x105, 0, false);
	assert_int_equal(space_pio_lookup(&pds[1], 0x105), crd_make(CRD_PIO, 0x100, 4, 1));
	assert_int_equal(space_pio_lookup(&pds[2], 0x104), crd_make(CRD_PIO, 0x104, 0, 1));
	assert_int_equal(space_pio_lookup(&pds[3], 0x10f), crd_make(CRD_PIO, 0x108, 3, 1));
	assert_int_equal(space_pio_lookup(&pds[3], 0x105), 0);
	check_all();
	take(1, 0x108, 3, true);
	assert_int_equal(space_pio_lookup(&pds[1], 0x105), crd_make(CRD_PIO, 0x100, 3, 1));
	assert_int_equal(space_pio_lookup(&pds[3], 0x108), 0);
	check_all();
}

/* A part revoked with `self` right below the root, and the root's own children beside it stay in order. */
UNIT_TEST(occupied_ports_are_skipped)
{
	give(0, 1, 0x205, 0, PIO_GUEST);
	give(0, 1, 0x200, 4, PIO_HOST);
	assert_int_equal(space_pio_lookup(&pds[1], 0x205), crd_make(CRD_PIO, 0x205, 0, 1));
	assert_int_equal(space_pio_lookup(&pds[1], 0x203), crd_make(CRD_PIO, 0x200, 2, 1));
	assert_int_equal(space_pio_lookup(&pds[1], 0x206), crd_make(CRD_PIO, 0x206, 1, 1));
	assert_true(bitmap_bit(pds[1].pio.host, 0x205));
	assert_false(bitmap_bit(pds[1].pio.guest, 0x205));
	check_all();
}

/* Where a range is mapped is decided anew by each delegation. */
UNIT_TEST(guest_range_passed_on_to_a_host)
{
	give(0, 1, 0x300, 3, PIO_GUEST);
	give(1, 2, 0x300, 3, PIO_HOST);
	assert_true(bitmap_bit(pds[1].pio.host, 0x300));
	assert_false(bitmap_bit(pds[2].pio.host, 0x300));
	check_all();
}

UNIT_TEST(translation_windows)
{
	give(0, 1, 0x400, 6, PIO_HOST);
	give(1, 2, 0x410, 4, PIO_HOST);
	assert_int_equal(space_pio_translate(&pds[2], 0x412, &pds[1], block_make(0, 16)),
			 crd_make(CRD_PIO, 0x400, 6, 1));
	assert_int_equal(space_pio_translate(&pds[2], 0x412, &pds[1], block_make(0x420, 3)),
			 crd_make(CRD_PIO, 0x420, 3, 1));
	assert_int_equal(space_pio_translate(&pds[2], 0x412, &pds[1], block_make(0x440, 3)), 0);
	assert_int_equal(space_pio_translate(&pds[2], 0x412, &pds[2], block_make(0x410, 1)),
			 crd_make(CRD_PIO, 0x410, 1, 1));
	assert_int_equal(space_pio_translate(&pds[2], 0x412, &pds[2], block_make(0x440, 1)), 0);
	assert_int_equal(space_pio_translate(&pds[1], 0x412, &pds[2], block_make(0, 31)), 0);
	assert_int_equal(space_pio_translate(&pds[2], 0x420, &pds[1], block_make(0, 31)), 0);
}

UNIT_TEST(closed_space)
{
	u64 before = page_free_count();

	give(0, 1, 0, 16, PIO_HOST | PIO_GUEST);
	give(1, 2, 0x60, 4, PIO_HOST);
	close_space(&pds[1]);
	model_revoke(1, 0, 16, true);
	check_all();
	assert_int_equal(delegate(0, 1, 0, 16, PIO_HOST), SUCCESS);
	check_all();
	close_space(&pds[1]);
	space_pio_free(&pds[1].pio);
	space_pio_free(&pds[2].pio);
	assert_null(pds[1].pio.host[0]);
	assert_in_range(page_free_count(), before - 5, before); /* what is missing are the slabs' */
}

UNIT_TEST(grants_to_the_dead)
{
	dies_while_attached = true;
	assert_int_equal(space_pio_delegate(&pds[0], &pds[1], 0x60, 4, PIO_HOST), SUCCESS);
	check_all();
	assert_non_null(pds[1].pio.host[0]);
	close_space(&pds[2]);
	assert_int_equal(space_pio_delegate(&pds[0], &pds[2], 0x60, 4, PIO_HOST), SUCCESS);
	check_all();
	assert_null(pds[2].pio.host[0]);
}

/* ---- no memory ---- */

UNIT_TEST(bitmaps_out_of_memory)
{
	for (u64 n = 0; n < PIO_HOST_PAGES + PIO_GUEST_PAGES; n++) {
		hog_take(&hog, n);
		assert_int_equal(space_pio_delegate(&pds[0], &pds[1], 0x60, 4, PIO_HOST | PIO_GUEST), OOM);
		assert_true((n >= PIO_HOST_PAGES) == (pds[1].pio.host[0] != NULL));
		hog_release(&hog);
		check_all();
		space_pio_free(&pds[1].pio);
	}
	hog_take(&hog, 1);
	assert_int_equal(space_pio_make_guest(&pds[1]), OOM);
	assert_int_equal(page_free_count(), 1);
	hog_release(&hog);
	attach_status = OOM;
	assert_int_equal(space_pio_delegate(&pds[0], &pds[1], 0x60, 4, PIO_HOST), OOM);
	check_all();
	attach_status = SUCCESS;
	give(0, 1, 0x60, 4, PIO_HOST);
	assert_int_equal(attached, 1);
	check_all();
}

/* Every second port: so many ranges are delegated before the CPU can be given up. */
UNIT_TEST(delegation_in_pieces)
{
	enum { PIECE = 24, COUNT = 96 };

	for (u32 p = 0; p < 2 * COUNT; p += 2)
		give(0, 1, p, 0, PIO_HOST);
	assert_int_equal(space_pio_delegate(&pds[1], &pds[2], 0, 8, PIO_HOST), SUCCESS);
	assert_in_range(pds[2].pio.held.count, 1, PIECE);
	assert_int_equal(host_delegate_rest(), SUCCESS);
	assert_int_equal(pds[2].pio.held.count, COUNT);
	model_delegate(1, 2, 0, 8, PIO_HOST);
	check_all();
}

/* Every second port is occupied: the others are a node each. */
UNIT_TEST(delegation_out_of_memory)
{
	u64 failures = 0;

	for (u32 p = 0; p < 4096; p += 2)
		give(0, 1, p, 0, PIO_HOST);
	for (u64 n = 0;; n += 3, failures++) {
		hog_take(&hog, n);
		enum status status = delegate(0, 1, 0, 12, PIO_HOST);
		hog_release(&hog);
		if (status == SUCCESS)
			break;
		assert_int_equal(status, OOM);
	}
	assert_true(failures > 3);
	model_delegate(0, 1, 0, 12, PIO_HOST);
	check_all();
}

/* Taking one port out of a range that many have: it is gone in any case, and with it all of a range that cannot be
 * split. */
UNIT_TEST(revocation_out_of_memory)
{
	unsigned lost = 0;

	for (unsigned round = 0; round < 40; round++) {
		u32 port = round * 320;
		for (unsigned pd = 1; pd < PDS; pd++)
			give(pd - 1, pd, 0, 16, PIO_HOST);
		hog_take(&hog, 0);
		revoke(1, port, 0, false);
		hog_release(&hog);
		for (unsigned pd = 2; pd < PDS; pd++)
			assert_int_equal(space_pio_lookup(&pds[pd], port), 0);
		lost += !space_pio_lookup(&pds[2], port + 1);
		if (space_pio_lookup(&pds[PDS - 1], port + 1)) {
			model_revoke(1, port, 0, false);
			check_all();
		}
		take(0, 0, 16, false);
		check_all();
	}
	assert_in_range(lost, 1, 40);
}

/* A chain has an end. */
UNIT_TEST(ports_are_handed_on_so_often)
{
	static struct pd chain[PIO_DEPTH_MAX + 1];

	for (unsigned i = 0; i < array_size(chain); i++) {
		chain[i] = (struct pd){.obj.refs = 1};
		assert_int_equal(space_pio_delegate(i ? &chain[i - 1] : &pds[0], &chain[i], 0x80, 0, PIO_HOST),
				 i < PIO_DEPTH_MAX ? SUCCESS : BAD_PAR);
	}
	assert_int_equal(space_pio_lookup(&chain[PIO_DEPTH_MAX], 0x80), 0);
	assert_int_equal(space_pio_translate(&chain[PIO_DEPTH_MAX - 1], 0x80, &pds[0], block_make(0x80, 0)),
			 crd_make(CRD_PIO, 0x80, 0, PERM_PIO_A));
	revoke(0, 0x80, 0, false);
	for (unsigned i = 0; i < array_size(chain); i++) {
		assert_int_equal(space_pio_lookup(&chain[i], 0x80), 0);
		assert_true(space_pio_close(&chain[i]));
		space_pio_free(&chain[i].pio);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hypervisor_has_all, setup),
		cmocka_unit_test_setup(bitmaps_come_with_the_first_grant, setup),
		cmocka_unit_test_setup(guest_bitmap_on_demand, setup),
		cmocka_unit_test_setup(guests_stop_for_their_bitmap, setup),
		cmocka_unit_test_setup(parts_do_not_split_but_revocation_does, setup),
		cmocka_unit_test_setup(occupied_ports_are_skipped, setup),
		cmocka_unit_test_setup(guest_range_passed_on_to_a_host, setup),
		cmocka_unit_test_setup(translation_windows, setup),
		cmocka_unit_test_setup(closed_space, setup),
		cmocka_unit_test_setup(grants_to_the_dead, setup),
		cmocka_unit_test_setup(bitmaps_out_of_memory, setup),
		cmocka_unit_test_setup(delegation_in_pieces, setup),
		cmocka_unit_test_setup(delegation_out_of_memory, setup),
		cmocka_unit_test_setup(revocation_out_of_memory, setup),
		cmocka_unit_test_setup(ports_are_handed_on_so_often, setup),
		cmocka_unit_test_setup(random_operations, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
