/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attacks by I/O ports: ranges in as many pieces as there can be, every second port. */
#include "latency.h"

#include "rt/message.h"
#include "rt/object.h"
#include "rt/size.h"

#define PD latency_area(0)

/* Nobody in the emulators has ports from here on. */
#define FIRST 0xc000

static void delegate(sel_t pd, unsigned port, unsigned order, unsigned long meta)
{
	crd_t ports = rt_pio((uint16_t)port, order);

	bench_status(hc_delegate(RT_SEL_PD, pd, ports, ITEM_DELEGATE | meta, ports, NULL));
}

static unsigned range_order(unsigned long pieces)
{
	return latency_order(pieces) + 1;
}

static void take(unsigned long pieces, unsigned flags)
{
	bench_status(hc_revoke(rt_pio(FIRST, range_order(pieces)), flags, 0));
}

/* The roottask's own: pieces, or one range. */

static void own_pieces(unsigned long pieces)
{
	for (unsigned long i = 0; i < pieces; i++)
		delegate(RT_SEL_PD, FIRST + 2 * (unsigned)i, 0, ITEM_HYPERVISOR);
	bench_status(hc_create_pd(PD, RT_SEL_PD, 0, 0));
}

static void own_range(unsigned long pieces)
{
	delegate(RT_SEL_PD, FIRST, range_order(pieces), ITEM_HYPERVISOR);
	bench_status(hc_create_pd(PD, RT_SEL_PD, 0, 0));
}

/* Pieces of the one range in another PD. */
static void build_children(unsigned long pieces)
{
	own_range(pieces);
	for (unsigned long i = 0; i < pieces; i++)
		delegate(PD, FIRST + 2 * (unsigned)i, 0, 0);
}

static void clean(unsigned long pieces)
{
	bench_status(rt_revoke(PD));
	take(pieces, REVOKE_SELF);
}

static void attack_delegate(unsigned long pieces)
{
	delegate(PD, FIRST, range_order(pieces), 0);
}

static void attack_revoke(unsigned long pieces)
{
	take(pieces, 0);
}

static void attack_revoke_self(unsigned long pieces)
{
	take(pieces, REVOKE_SELF);
}

static void build_pd(unsigned long pieces)
{
	own_pieces(pieces);
	attack_delegate(pieces);
}

static void attack_destroy_pd(RT_UNUSED unsigned long pieces)
{
	bench_status(rt_revoke(PD));
}

/* One more piece, or one less, beside so many. */

static void attack_cut(RT_UNUSED unsigned long pieces)
{
	bench_status(hc_revoke(rt_pio(FIRST, 0), 0, 0));
}

const struct latency_case latency_port_cases[] = {
	{.name = "delegate_ports",
	 .sizes = {64, 8192},
	 .build = own_pieces,
	 .attack = attack_delegate,
	 .clean = clean,
	 .runs = 2},
	{.name = "revoke_ports",
	 .sizes = {64, 8192},
	 .build = build_children,
	 .attack = attack_revoke,
	 .clean = clean,
	 .runs = 2},
	{.name = "revoke_own_ports",
	 .sizes = {64, 8192},
	 .build = own_pieces,
	 .attack = attack_revoke_self,
	 .clean = clean,
	 .runs = 2},
	{.name = "revoke_port",
	 .sizes = {64, 8192},
	 .build = build_children,
	 .attack = attack_cut,
	 .clean = clean,
	 .runs = 2},
	{.name = "destroy_pd_ports",
	 .sizes = {64, 8192},
	 .build = build_pd,
	 .attack = attack_destroy_pd,
	 .clean = clean,
	 .runs = 2},
	{},
};
