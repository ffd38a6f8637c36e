/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attacks by capabilities: many of them, below each other, and far apart. */
#include "latency.h"

#include "rt/message.h"
#include "rt/object.h"

enum { TREE, COPY }; /* areas */
#define ROOT latency_area(TREE)

/* ---- The floor: nobody attacks ---- */

static void attack_loop(unsigned long turns)
{
	latency_spin(turns);
}

const struct latency_case latency_floor_cases[] = {
	{.name = "loop", .sizes = {100000}, .attack = attack_loop},
	{},
};

/* ---- A tree in which each power of two of capabilities lies below all before it ---- */

static void build_tree(unsigned long size)
{
	bench_status(hc_create_sm(ROOT, RT_SEL_PD, 0));
	for (unsigned i = 0; i < latency_order(size); i++)
		bench_status(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(ROOT, i, PERM_ALL), ITEM_DELEGATE,
					 rt_obj(ROOT + (1ul << i), i, PERM_ALL), NULL));
}

static void clean_tree(unsigned long size)
{
	bench_status(hc_revoke(rt_obj(ROOT, 0, PERM_ALL), REVOKE_SELF, 0));
	(void)size;
}

static const char *check_root(unsigned long size)
{
	if (!latency_perm(ROOT))
		return "the root has been revoked";
	return latency_perm(ROOT + 1) || latency_perm(ROOT + size - 1) ? "something is left below the root" : NULL;
}

static void attack_below(RT_UNUSED unsigned long size)
{
	bench_status(hc_revoke(rt_obj(ROOT, 0, PERM_ALL), 0, 0));
}

/* Each one loses a permission and stays. */
static void attack_range(unsigned long size)
{
	bench_status(hc_revoke(rt_obj(ROOT, latency_order(size), PERM_SM_UP), REVOKE_SELF, 0));
}

static const char *check_range(unsigned long size)
{
	bool weak = latency_perm(ROOT) == PERM_SM_DOWN && latency_perm(ROOT + size - 1) == PERM_SM_DOWN;

	return weak ? NULL : "permissions are not what is left of them";
}

/* ---- A chain: each one below the one before, or after ---- */

static void delegate_one(sel_t from, sel_t to)
{
	bench_status(hc_delegate(RT_SEL_PD, RT_SEL_PD, rt_obj(from, 0, PERM_ALL), ITEM_DELEGATE,
				 rt_obj(to, 0, PERM_ALL), NULL));
}

static void build_chain(unsigned long size)
{
	bench_status(hc_create_sm(ROOT, RT_SEL_PD, 0));
	for (unsigned long i = 0; i < size; i++)
		delegate_one(ROOT + i, ROOT + i + 1);
}

static void build_chain_down(unsigned long size)
{
	bench_status(hc_create_sm(ROOT + size - 1, RT_SEL_PD, 0));
	for (unsigned long i = size - 1; i; i--)
		delegate_one(ROOT + i, ROOT + i - 1);
}

static void clean_range(unsigned long size)
{
	bench_status(hc_revoke(rt_obj(ROOT, latency_order(size), PERM_ALL), REVOKE_SELF, 0));
}

/* ---- Objects that lose their last capability ---- */

static void build_objects(unsigned long size)
{
	for (unsigned long i = 0; i < size; i++)
		bench_status(hc_create_sm(ROOT + i, RT_SEL_PD, 0));
}

static void attack_objects(unsigned long size)
{
	clean_range(size);
}

static const char *check_nothing(unsigned long size)
{
	return latency_perm(ROOT) || latency_perm(ROOT + size - 1) ? "an object is left" : NULL;
}

static void build_ecs(unsigned long size)
{
	for (unsigned long i = 0; i < size; i++)
		bench_status(hc_create_ec(ROOT + i, RT_SEL_PD, latency_cpu(), 0, 0, 0, 0));
}

static void build_pds(unsigned long size)
{
	for (unsigned long i = 0; i < size; i++)
		bench_status(hc_create_pd(ROOT + i, RT_SEL_PD, 0, 0));
}

/* ---- Delegation of a range: full, one capability in each page of slots, or next to nothing ---- */

enum { SLOTS_ORDER = 7 }; /* so many selectors are 4 KiB of slots, or fewer are */

static void delegate_range(sel_t pd, unsigned order, sel_t to)
{
	bench_status(hc_delegate(RT_SEL_PD, pd, rt_obj(ROOT, order, PERM_ALL), ITEM_DELEGATE,
				 rt_obj(to, order, PERM_ALL), NULL));
}

static void attack_delegate(unsigned long size)
{
	delegate_range(RT_SEL_PD, latency_order(size), latency_area(COPY));
}

static const char *check_copy(unsigned long size)
{
	return latency_perm(latency_area(COPY) + size - 1) ? NULL : "a capability was not delegated";
}

static void clean_areas(RT_UNUSED unsigned long size)
{
	latency_revoke_area(TREE);
	latency_revoke_area(COPY);
}

static void build_sparse(unsigned long size)
{
	bench_status(hc_create_sm(ROOT, RT_SEL_PD, 0));
	for (unsigned long i = 1; i < size; i++)
		delegate_one(ROOT, ROOT + (i << SLOTS_ORDER));
}

static void attack_sparse(unsigned long size)
{
	delegate_range(RT_SEL_PD, latency_order(size) + SLOTS_ORDER, latency_area(COPY));
}

static const char *check_sparse(unsigned long size)
{
	return check_copy(((size - 1) << SLOTS_ORDER) + 1);
}

static const char *check_no_sparse(unsigned long size)
{
	return check_nothing(((size - 1) << SLOTS_ORDER) + 1);
}

static void attack_revoke_sparse(unsigned long size)
{
	bench_status(hc_revoke(rt_obj(ROOT, latency_order(size) + SLOTS_ORDER, PERM_ALL), REVOKE_SELF, 0));
}

/* ---- PDs ---- */

#define PD latency_area(COPY)

static void attack_create_pd(unsigned long size)
{
	bench_status(hc_create_pd(PD, RT_SEL_PD, rt_obj(ROOT, latency_order(size) + SLOTS_ORDER, PERM_ALL), 0));
}

static void build_pd_with_tree(unsigned long size)
{
	build_tree(size);
	bench_status(hc_create_pd(PD, RT_SEL_PD, 0, 0));
	delegate_range(PD, latency_order(size), 0);
}

static void attack_destroy_pd(RT_UNUSED unsigned long size)
{
	bench_status(rt_revoke(PD));
}

/* The largest window there is, on all that the roottask has, into a PD that has nothing; and taking it away. */
static void attack_delegate_all(unsigned long order)
{
	bench_status(hc_delegate(RT_SEL_PD, PD, rt_obj(0, (unsigned)order, PERM_ALL), ITEM_DELEGATE,
				 rt_obj(0, (unsigned)order, PERM_ALL), NULL));
}

static void build_empty_pd(RT_UNUSED unsigned long order)
{
	bench_status(hc_create_sm(ROOT, RT_SEL_PD, 0));
	bench_status(hc_create_pd(PD, RT_SEL_PD, 0, 0));
}

static void attack_revoke_all(unsigned long order)
{
	bench_status(hc_revoke(rt_obj(0, (unsigned)order, PERM_ALL), REVOKE_REMOTE | REVOKE_SELF, PD));
}

static void build_filled_pd(unsigned long order)
{
	build_empty_pd(order);
	attack_delegate_all(order);
}

/* Each capability is the last one of the 64 Ki that share a table, and one is the last one of all. */

enum { ALL_ORDER = 26, ROW_ORDER = 16 };
#define LAST (HEDRON_SEL_NUM - 1)

static void build_holes(unsigned long rows)
{
	build_empty_pd(rows);
	for (unsigned long i = 0; i < rows; i++)
		delegate_one(ROOT, ROOT + ((i + 1) << ROW_ORDER) - 1);
	delegate_one(ROOT, LAST);
}

static void attack_delegate_holes(RT_UNUSED unsigned long rows)
{
	attack_delegate_all(ALL_ORDER);
}

static void attack_revoke_holes(RT_UNUSED unsigned long rows)
{
	attack_revoke_all(ALL_ORDER);
}

static void build_filled_holes(unsigned long rows)
{
	build_holes(rows);
	attack_delegate_all(ALL_ORDER);
}

static void clean_holes(unsigned long rows)
{
	bench_status(rt_revoke(LAST));
	clean_areas(rows);
}

const struct latency_case latency_object_cases[] = {
	{.name = "revoke_tree",
	 .sizes = {256, 65536},
	 .build = build_tree,
	 .attack = attack_below,
	 .check = check_root,
	 .clean = clean_tree},
	{.name = "revoke_range",
	 .sizes = {256, 16384},
	 .build = build_tree,
	 .attack = attack_range,
	 .check = check_range,
	 .clean = clean_tree},
	{.name = "revoke_chain",
	 .sizes = {256, 4096},
	 .build = build_chain,
	 .attack = attack_below,
	 .check = check_root,
	 .clean = clean_tree},
	{.name = "revoke_chain_down",
	 .sizes = {256, 4096},
	 .build = build_chain_down,
	 .attack = attack_range,
	 .check = check_range,
	 .clean = clean_range},
	{.name = "revoke_sparse",
	 .sizes = {64, 1024},
	 .build = build_sparse,
	 .attack = attack_revoke_sparse,
	 .check = check_no_sparse,
	 .clean = clean_areas},
	{.name = "revoke_objects",
	 .sizes = {256, 16384},
	 .build = build_objects,
	 .attack = attack_objects,
	 .check = check_nothing},
	{.name = "revoke_ecs",
	 .sizes = {16, 1024},
	 .build = build_ecs,
	 .attack = attack_objects,
	 .check = check_nothing},
	{.name = "revoke_pds",
	 .sizes = {16, 256},
	 .build = build_pds,
	 .attack = attack_objects,
	 .check = check_nothing},
	{.name = "delegate_range",
	 .sizes = {256, 16384},
	 .build = build_tree,
	 .attack = attack_delegate,
	 .check = check_copy,
	 .clean = clean_areas},
	{.name = "delegate_sparse",
	 .sizes = {64, 1024},
	 .build = build_sparse,
	 .attack = attack_sparse,
	 .check = check_sparse,
	 .clean = clean_areas},
	{.name = "delegate_window",
	 .sizes = {10, 26},
	 .build = build_empty_pd,
	 .attack = attack_delegate_all,
	 .clean = clean_areas},
	{.name = "revoke_window",
	 .sizes = {10, 26},
	 .build = build_filled_pd,
	 .attack = attack_revoke_all,
	 .clean = clean_areas},
	{.name = "delegate_holes",
	 .sizes = {2, 16},
	 .build = build_holes,
	 .attack = attack_delegate_holes,
	 .clean = clean_holes},
	{.name = "revoke_holes",
	 .sizes = {2, 16},
	 .build = build_filled_holes,
	 .attack = attack_revoke_holes,
	 .clean = clean_holes},
	{.name = "create_pd",
	 .sizes = {64, 1024},
	 .build = build_sparse,
	 .attack = attack_create_pd,
	 .clean = clean_areas},
	{.name = "destroy_pd",
	 .sizes = {256, 16384},
	 .build = build_pd_with_tree,
	 .attack = attack_destroy_pd,
	 .clean = clean_areas},
	{},
};
