/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creating an object and deleting it by revoking its only capability; operations on single objects. */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/entry.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/probe.h"
#include "rt/start.h"

enum { OBJECT = SEL_OBJECT, EC, PT };

#define UTCB_VA (RT_VA - RT_PAGE) /* nothing else is mapped there */

#define CREATE_DELETE(create)                                                \
	({                                                                   \
		enum status made, gone;                                      \
		uint64_t t = BENCH(made = (create); gone = delete_object()); \
		bench_status(made);                                          \
		bench_status(gone);                                          \
		t;                                                           \
	})

HC_ALWAYS enum status delete_object(void)
{
	return hc_revoke(rt_obj(OBJECT, 0, PERM_ALL), REVOKE_SELF, 0);
}

static uint64_t window_pd(void)
{
	return CREATE_DELETE(hc_create_pd(OBJECT, RT_SEL_PD, 0, 0));
}

static uint64_t window_ec(void)
{
	unsigned cpu = rt_cpu;

	return CREATE_DELETE(hc_create_ec(OBJECT, RT_SEL_PD, cpu, UTCB_VA, 0, 0, 0));
}

/* The SC is ready at once, but less important than the running one. */
static uint64_t window_sc(void)
{
	return CREATE_DELETE(hc_create_sc(OBJECT, RT_SEL_PD, EC, RT_PRIO, RT_QUANTUM));
}
static uint64_t window_pt(void)
{
	return CREATE_DELETE(hc_create_pt(OBJECT, RT_SEL_PD, EC, 0, (uint64_t)rt_portal_echo));
}
static uint64_t window_sm(void)
{
	return CREATE_DELETE(hc_create_sm(OBJECT, RT_SEL_PD, 0));
}
static uint64_t window_kp(void)
{
	return CREATE_DELETE(hc_create_kp(OBJECT, RT_SEL_PD));
}

/* The selector is free after the windows, and between creation and deletion there is an object at it. */
static const char *valid_object(void)
{
	crd_t found;

	bench_status(hc_lookup(rt_obj(OBJECT, 0, 0), &found));
	if (found)
		return "the capability is still there";
	bench_status(hc_create_sm(OBJECT, RT_SEL_PD, 0));
	bench_status(hc_lookup(rt_obj(OBJECT, 0, 0), &found));
	bench_status(delete_object());
	return crd_kind(found) == CRD_OBJ ? NULL : "the selector cannot be used again";
}

static const char *valid_ec(void)
{
	const char *wrong = valid_object();
	bool seen;

	bench_status(hc_create_ec(OBJECT, RT_SEL_PD, rt_cpu, UTCB_VA, 0, 0, 0));
	seen = rt_can_write((void *)UTCB_VA);
	bench_status(delete_object());
	return wrong ? wrong : seen ? NULL : "the UTCB was not mapped";
}

static const char *setup_kp(RT_UNUSED long unused)
{
	BENCH_NEED(hc_create_kp(OBJECT, RT_SEL_PD));
	BENCH_NEED(delete_object());
	return NULL;
}

static const char *setup_sc(RT_UNUSED long unused)
{
	BENCH_NEED(hc_create_ec(EC, RT_SEL_PD, rt_cpu, 0, 0, 0, CREATE_EC_GLOBAL));
	return NULL;
}

static const char *setup_pt(RT_UNUSED long unused)
{
	BENCH_NEED(hc_create_ec(EC, RT_SEL_PD, rt_cpu, 0, 0, 0, 0));
	return NULL;
}

static void teardown_ec(void)
{
	bench_status(rt_revoke(EC));
}

/* Operations. */

static const char *setup_pt_ctrl(long unused)
{
	const char *why = setup_pt(unused);

	if (why)
		return why;
	BENCH_NEED(hc_create_pt(PT, RT_SEL_PD, EC, 0, (uint64_t)rt_portal_echo));
	return NULL;
}

static void teardown_pt_ctrl(void)
{
	bench_status(rt_revoke(PT));
	teardown_ec();
}

static uint64_t window_pt_ctrl(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_pt_ctrl(PT, 0x1234));

	bench_status(st);
	return t;
}

static uint64_t window_sc_ctrl(void)
{
	unsigned long consumed;
	enum status st;
	uint64_t t = BENCH(st = hc_sc_ctrl(RT_SEL_SC, &consumed));

	bench_status(st);
	return t;
}

static uint64_t window_lookup(void)
{
	enum status st;
	crd_t found;
	uint64_t t = BENCH(st = hc_lookup(rt_obj(RT_SEL_PD, 0, 0), &found));

	bench_status(st);
	if (crd_kind(found) != CRD_OBJ || crd_base(found) != RT_SEL_PD)
		bench_fail("the look-up found something else");
	return t;
}

const struct bench_case ipc_object_cases[] = {
	{.name = "create_delete_pd", .window = window_pd, .valid = valid_object},
	{.name = "create_delete_ec", .window = window_ec, .valid = valid_ec},
	{.name = "create_delete_sc",
	 .setup = setup_sc,
	 .window = window_sc,
	 .valid = valid_object,
	 .teardown = teardown_ec},
	{.name = "create_delete_pt",
	 .setup = setup_pt,
	 .window = window_pt,
	 .valid = valid_object,
	 .teardown = teardown_ec},
	{.name = "create_delete_sm", .window = window_sm, .valid = valid_object},
	{.name = "create_delete_kp", .setup = setup_kp, .window = window_kp, .valid = valid_object},
	{.name = "pt_ctrl", .setup = setup_pt_ctrl, .window = window_pt_ctrl, .teardown = teardown_pt_ctrl},
	{.name = "sc_ctrl", .window = window_sc_ctrl},
	{.name = "lookup", .window = window_lookup},
	{},
};
