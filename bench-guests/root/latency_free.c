/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attacks by the kernel's memory: all of it freed at once, by this CPU or another one, and none left. */
#include "latency.h"

#include "rt/message.h"
#include "rt/object.h"

enum { OBJECTS, PAGES, NEW }; /* areas */

static void build_objects(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++)
		bench_status(hc_create_sm(latency_area(OBJECTS) + i, RT_SEL_PD, 0));
}

static void revoke_objects(RT_UNUSED unsigned long count)
{
	latency_revoke_area(OBJECTS);
}

/* What the other CPU has deleted is no work of this one, which does nothing but loop. */
static void watch(RT_UNUSED unsigned long count)
{
	latency_spin_wakes(20);
}

/* ---- No memory is left ---- */

static void fill_area(unsigned area, enum status (*create)(sel_t sel))
{
	enum status st = SUCCESS;

	for (sel_t i = 0; st == SUCCESS && i >> LATENCY_AREA_ORDER == 0; i++)
		st = create(latency_area(area) + i);
	bench_expect(st, OOM);
}

static enum status create_kp(sel_t sel)
{
	return hc_create_kp(sel, RT_SEL_PD);
}

static enum status create_sm(sel_t sel)
{
	return hc_create_sm(sel, RT_SEL_PD, 0);
}

static void fill(RT_UNUSED unsigned long unused)
{
	fill_area(PAGES, create_kp);
	fill_area(OBJECTS, create_sm);
}

static void attack_create(RT_UNUSED unsigned long unused)
{
	bench_expect(hc_create_pd(latency_area(NEW), RT_SEL_PD, 0, 0), OOM);
	bench_expect(hc_create_ec(latency_area(NEW), RT_SEL_PD, latency_cpu(), 0, 0, 0, 0), OOM);
	bench_expect(hc_create_sm(latency_area(NEW), RT_SEL_PD, 0), OOM);
}

static void clean(RT_UNUSED unsigned long unused)
{
	for (unsigned n = OBJECTS; n <= NEW; n++)
		latency_revoke_area(n);
}

const struct latency_case latency_free_cases[] = {
	{.name = "free_here", .sizes = {1024, 160000}, .build = build_objects, .attack = revoke_objects, .runs = 1},
	{.name = "free_elsewhere",
	 .sizes = {1024, 160000},
	 .build = build_objects,
	 .attack = watch,
	 .beside = revoke_objects,
	 .runs = 1},
	{.name = "no_memory",
	 .sizes = {1},
	 .build = fill,
	 .attack = attack_create,
	 .clean = clean,
	 .alone = true,
	 .runs = 2},
	{},
};
