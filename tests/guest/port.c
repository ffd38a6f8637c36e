/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O ports: who can use which.
 *
 * Ports have one permission, and the processor checks it in the I/O permission bitmap. The runtime asked for the
 * serial line's eight ports; nothing else may be accessible, in the first PD and in all others. Ranges are delegated
 * as nodes of a mapping tree whatever their order: a node keeps base and order for look-ups, but may be revoked in
 * parts, and then exactly the named ports go. Windows have no hotspot: they must overlap, and the intersection is
 * taken; windows that do not overlap must not grant anything (the mistake that once granted all ports).
 *
 * Access is tried by `in` and `out` themselves, in single ports that do no harm when read: the POST port and unused
 * ones around 0xe0. A word or double word needs all its ports.
 */
#include "guest.h"

#include "rt/message.h"
#include "rt/object.h"
#include "rt/port.h"
#include "rt/start.h"

#define POST 0x80
#define FREE 0xe0 /* 16 ports that no PC has anything at */
#define SERIAL 0x3f8

static struct utcb_item got;

static enum status give(sel_t from_pd, sel_t to_pd, crd_t from, unsigned long meta, crd_t to)
{
	got = (struct utcb_item){~0ul, ~0ul};
	return hc_delegate(from_pd, to_pd, from, meta, to, &got);
}
#define CLAIM (ITEM_DELEGATE | ITEM_HYPERVISOR)

static crd_t lookup(uint16_t port)
{
	crd_t found = ~0ul;

	EXPECT_OK(hc_lookup(rt_pio(port, 0), &found));
	return found;
}

static void drop(uint16_t base, unsigned order)
{
	EXPECT_OK(hc_revoke(rt_pio(base, order), REVOKE_SELF, 0));
}

static void claim(uint16_t base, unsigned order)
{
	ASSERT_OK(give(RT_SEL_PD, RT_SEL_PD, rt_pio(base, order), CLAIM, rt_pio(base, order)));
	if (!EXPECT_EQ(got.crd, rt_pio(base, order)))
		guest_leave();
}

/* Ports [FREE, FREE + 16) that can be used, as bits. */
static unsigned usable(void)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 16; i++) {
		bool in = can_in((uint16_t)(FREE + i));

		if (in != can_out((uint16_t)(FREE + i)))
			test_fail(__FILE__, __LINE__, "port %#x: in %d, out %d", FREE + i, in, !in);
		bits |= (unsigned)in << i;
	}
	return bits;
}

static void nothing_unasked(void)
{
	for (unsigned p = 0; p < 0x10000; p += p < 0x1000 ? 1 : 61) {
		bool serial = p >= SERIAL && p < SERIAL + 8;

		if (!serial && can_in((uint16_t)p))
			test_fail(__FILE__, __LINE__, "port %#x is accessible", p);
		if (!serial)
			EXPECT_EQ(guest_fault.vector, 13);
	}
	EXPECT(!can_in(0xffff));
	EXPECT(can_in(SERIAL + 5));
	EXPECT_EQ(lookup(SERIAL + 5), rt_pio(SERIAL, 3));
	EXPECT_EQ(lookup(FREE), 0);
}

static void claim_and_drop(void)
{
	for (unsigned order = 0; order <= 4; order++)
		for (unsigned base = 0; base < 16; base += 1u << order) {
			unsigned want = ((1u << (1u << order)) - 1) << base;

			claim((uint16_t)(FREE + base), order);
			ASSERT_EQ(usable(), want);
			EXPECT_EQ(lookup((uint16_t)(FREE + base)), rt_pio((uint16_t)(FREE + base), order));
			drop((uint16_t)(FREE + base), order);
			ASSERT_EQ(usable(), 0);
			EXPECT_EQ(lookup((uint16_t)(FREE + base)), 0);
		}
}

static void wide_accesses(void)
{
	claim(FREE + 4, 1);
	EXPECT(!FAULTS(rt_in16(FREE + 4)));
	EXPECT(!FAULTS(rt_out16(FREE + 4, 0)));
	EXPECT(FAULTS(rt_in16(FREE + 5)));
	EXPECT_EQ(guest_fault.vector, 13);
	EXPECT(FAULTS(rt_in16(FREE + 3)));
	EXPECT(FAULTS(rt_in32(FREE + 4)));
	EXPECT(FAULTS(rt_out32(FREE + 2, 0)));
	drop(FREE + 4, 1);
}

/* The last port, and a word that reaches behind it. */
static void last_port(void)
{
	claim(0xffff, 0);
	EXPECT(can_in(0xffff));
	EXPECT(!can_in(0xfffe));
	EXPECT(FAULTS(rt_in16(0xffff)));
	drop(0xffff, 0);
	EXPECT(!can_in(0xffff));
}

/* The intersection of both windows; none if they do not overlap. Hotspots do not matter. */
static void windows(void)
{
	static const struct {
		unsigned from, from_order, to, to_order;
		int base;
		unsigned order;
	} rows[] = {
		{0, 4, 4, 2, 4, 2},   {4, 2, 0, 4, 4, 2},   {6, 1, 6, 1, 6, 1},  {5, 0, 4, 1, 5, 0},
		{4, 1, 6, 1, -1, 0},  {0, 0, 15, 0, -1, 0}, {8, 3, 0, 3, -1, 0}, {0, 3, 8, 3, -1, 0},
		{15, 0, 0, 4, 15, 0}, {7, 1, 7, 1, 6, 1},
	};

	for (unsigned i = 0; i < RT_ARRAY(rows); i++)
		for (unsigned long hot = 0; hot < 16; hot += 7) {
			crd_t want = rows[i].base < 0 ? 0 : rt_pio((uint16_t)(FREE + rows[i].base), rows[i].order);
			unsigned bits = rows[i].base < 0 ? 0 : ((1u << (1u << rows[i].order)) - 1) << rows[i].base;

			EXPECT_OK(give(RT_SEL_PD, RT_SEL_PD,
				       rt_pio((uint16_t)(FREE + rows[i].from), rows[i].from_order), CLAIM | hot << 12,
				       rt_pio((uint16_t)(FREE + rows[i].to), rows[i].to_order)));
			if (got.crd != want || usable() != bits)
				test_fail(__FILE__, __LINE__, "row %u: item %lx (want %lx), ports %x (want %x)", i,
					  got.crd, want, usable(), bits);
			drop(FREE, 4);
		}
	EXPECT_EQ(usable(), 0);
	EXPECT(!can_in(POST));
}

static void no_permission(void)
{
	EXPECT_OK(give(RT_SEL_PD, RT_SEL_PD, rt_pio(FREE, 4), CLAIM, crd_make(CRD_PIO, FREE, 4, 0)));
	EXPECT_EQ(got.crd, 0);
	EXPECT_EQ(usable(), 0);
	EXPECT_OK(give(RT_SEL_PD, RT_SEL_PD, crd_make(CRD_PIO, FREE, 4, 30), CLAIM, crd_make(CRD_PIO, FREE, 4, 31)));
	EXPECT_EQ(usable(), 0);
}

/* Neither host nor guest: nothing is granted. Guest only: the host sees nothing of it. */
static void where_to_map(void)
{
	EXPECT_OK(give(RT_SEL_PD, RT_SEL_PD, rt_pio(FREE, 4), CLAIM | ITEM_NO_HOST, rt_pio(FREE, 4)));
	EXPECT_EQ(usable(), 0);
	EXPECT_EQ(lookup(FREE), 0);
	EXPECT_OK(give(RT_SEL_PD, RT_SEL_PD, rt_pio(FREE, 4), CLAIM | ITEM_NO_HOST | ITEM_GUEST, rt_pio(FREE, 4)));
	EXPECT_EQ(usable(), 0);
	drop(FREE, 4);
}

/* Exactly the named ports, though the range was claimed as one. */
static void partial_revoke(void)
{
	claim(FREE, 4);
	drop(FREE + 5, 0);
	EXPECT_EQ(usable(), 0xffdf);
	drop(FREE + 8, 2);
	EXPECT_EQ(usable(), 0xf0df);
	drop(FREE + 15, 0);
	EXPECT_EQ(usable(), 0x70df);
	EXPECT_EQ(lookup(FREE + 5), 0);
	EXPECT_EQ(lookup(FREE + 9), 0);
	EXPECT_EQ(crd_kind(lookup(FREE + 6)), CRD_PIO);
	claim(FREE + 5, 0); /* and again */
	EXPECT_EQ(usable(), 0x70ff);
	drop(FREE, 4);
	EXPECT_EQ(usable(), 0);
}

/* Without *self* only what is below goes. */
static void revoke_below(void)
{
	struct agent a;

	agent_make(&a);
	claim(FREE, 4);
	EXPECT_OK(give(RT_SEL_PD, a.pd, rt_pio(FREE, 3), ITEM_DELEGATE, rt_pio(FREE, 3)));
	EXPECT(agent_can_in(&a, FREE + 7));
	EXPECT(!agent_can_in(&a, FREE + 8));
	EXPECT_OK(hc_revoke(rt_pio(FREE + 2, 1), 0, 0));
	EXPECT(agent_can_in(&a, FREE + 1));
	EXPECT(!agent_can_in(&a, FREE + 2));
	EXPECT(!agent_can_in(&a, FREE + 3));
	EXPECT(agent_can_in(&a, FREE + 4));
	EXPECT_EQ(usable(), 0xffff);
	EXPECT_OK(hc_revoke(rt_pio(FREE, 4), REVOKE_SELF | REVOKE_REMOTE, a.pd));
	EXPECT(!agent_can_in(&a, FREE + 4));
	EXPECT_EQ(usable(), 0xffff);
	drop(FREE, 4);
}

/* From PD to PD to PD; each has its own bitmap, also when they call each other. */
static void chain(void)
{
	struct agent a, b;

	agent_make(&a);
	agent_make(&b);
	claim(FREE, 4);
	EXPECT_OK(give(RT_SEL_PD, a.pd, rt_pio(FREE, 4), ITEM_DELEGATE, rt_pio(FREE, 4)));
	EXPECT_OK(give(a.pd, b.pd, rt_pio(FREE + 4, 2), ITEM_DELEGATE, rt_pio(FREE + 4, 2)));
	for (unsigned i = 0; i < 3; i++) {
		EXPECT(agent_can_in(&a, FREE));
		EXPECT(!agent_can_in(&b, FREE));
		EXPECT(agent_can_in(&b, FREE + 4));
		EXPECT(can_in(FREE + 15));
		EXPECT(!agent_can_in(&b, SERIAL + 5));
	}
	/* A node keeps the order it came with, and giving on parts does not split it. */
	EXPECT_EQ(agent_lookup(&a, rt_pio(FREE + 5, 0)), rt_pio(FREE, 4));
	EXPECT_EQ(agent_lookup(&b, rt_pio(FREE + 5, 0)), rt_pio(FREE + 4, 2));
	drop(FREE + 6, 0);
	EXPECT(!agent_can_in(&a, FREE + 6));
	EXPECT(!agent_can_in(&b, FREE + 6));
	EXPECT(agent_can_in(&b, FREE + 7));
	drop(FREE, 4);
	EXPECT(!agent_can_in(&a, FREE));
	EXPECT(!agent_can_in(&b, FREE + 7));
}

/* Only what the source has; what the target has already stays what it is. */
static void existing_ranges(void)
{
	struct agent a;

	agent_make(&a);
	claim(FREE + 2, 1);
	claim(FREE + 8, 0);
	EXPECT_OK(give(RT_SEL_PD, a.pd, rt_pio(FREE, 4), ITEM_DELEGATE, rt_pio(FREE, 4)));
	EXPECT_EQ(got.crd, rt_pio(FREE, 4));
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(agent_can_in(&a, (uint16_t)(FREE + i)), i == 2 || i == 3 || i == 8);
	claim(FREE, 4); /* around the occupied ones, which stay */
	EXPECT_EQ(usable(), 0xffff);
	drop(FREE, 4);
	EXPECT(!agent_can_in(&a, FREE + 8));
}

/* All 64 Ki to somebody else, then taken back. */
static void all_ports(void)
{
	struct agent a;

	agent_make(&a);
	EXPECT_OK(give(RT_SEL_PD, a.pd, rt_pio(0, 16), CLAIM, rt_pio(0, 16)));
	EXPECT_EQ(got.crd, rt_pio(0, 16));
	EXPECT(agent_can_in(&a, POST));
	EXPECT(agent_can_in(&a, 0xffff));
	EXPECT(!can_in(POST));
	EXPECT_EQ(agent_lookup(&a, rt_pio(0x1234, 0)), rt_pio(0, 16));
	EXPECT_OK(hc_revoke(rt_pio(POST, 0), REVOKE_SELF | REVOKE_REMOTE, a.pd));
	EXPECT(!agent_can_in(&a, POST));
	EXPECT(agent_can_in(&a, POST + 1));
	EXPECT_OK(hc_revoke(rt_pio(0, 16), REVOKE_SELF | REVOKE_REMOTE, a.pd));
	EXPECT(!agent_can_in(&a, POST + 1));
	EXPECT(!agent_can_in(&a, 0xffff));
}

/* Windows and ranges that reach beyond the 64 Ki ports. */
static void beyond_the_end(void)
{
	EXPECT_OK(give(RT_SEL_PD, RT_SEL_PD, crd_make(CRD_PIO, 0x10000 + FREE, 0, 1), CLAIM,
		       crd_make(CRD_PIO, 0x10000 + FREE, 0, 1)));
	EXPECT_EQ(usable(), 0);
	EXPECT_OK(give(RT_SEL_PD, RT_SEL_PD, rt_pio(FREE, 0), CLAIM, crd_make(CRD_PIO, 0, 20, 1)));
	EXPECT_EQ(usable(), 1);
	EXPECT_OK(hc_revoke(crd_make(CRD_PIO, 0x10000 + FREE, 0, 1), REVOKE_SELF, 0));
	EXPECT_EQ(usable(), 1);
	EXPECT_EQ(lookup(FREE), rt_pio(FREE, 0));
	drop(FREE, 0);
}

/* When the last capability of a PD goes, what it had given on goes, too. */
static void pd_ends(void)
{
	struct agent a, b;

	agent_make(&a);
	agent_make(&b);
	claim(FREE, 0);
	EXPECT_OK(give(RT_SEL_PD, a.pd, rt_pio(FREE, 0), ITEM_DELEGATE, rt_pio(FREE, 0)));
	EXPECT_OK(give(a.pd, b.pd, rt_pio(FREE, 0), ITEM_DELEGATE, rt_pio(FREE, 0)));
	EXPECT(agent_can_in(&b, FREE));
	ASSERT_OK(rt_revoke(a.pd));
	EXPECT(!agent_can_in(&b, FREE));
	EXPECT(can_in(FREE));
	drop(FREE, 0);
}

static const struct test tests[] = {
	TEST(nothing_unasked), TEST(claim_and_drop), TEST(wide_accesses),  TEST(last_port),    TEST(windows),
	TEST(no_permission),   TEST(where_to_map),   TEST(partial_revoke), TEST(revoke_below), TEST(chain),
	TEST(existing_ranges), TEST(all_ports),      TEST(beyond_the_end), TEST(pd_ends),
};

bool main(void)
{
	return guest_run("port", tests, RT_ARRAY(tests));
}
