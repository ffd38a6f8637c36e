/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delegating and revoking ranges of object capabilities, within the own PD so that the result can be looked at. */
#include "ipc.h"

enum { SOURCE = SEL_CAP, TARGET = SEL_CAP + 0x40, CAPS_MAX = 64 };

static unsigned order;
static crd_t source, target;

HC_ALWAYS enum status delegate(void)
{
	return hc_delegate(RT_SEL_PD, RT_SEL_PD, source, ITEM_DELEGATE, target, NULL);
}

/* What was delegated, not the source itself. */
HC_ALWAYS enum status revoke(void)
{
	return hc_revoke(source, 0, 0);
}

static const char *setup(long caps)
{
	order = (unsigned)__builtin_ctzl((unsigned long)caps);
	source = rt_obj(SOURCE, order, PERM_ALL);
	target = rt_obj(TARGET, order, PERM_ALL);
	for (long i = 0; i < caps; i++)
		BENCH_NEED(hc_create_sm((sel_t)SOURCE + (sel_t)i, RT_SEL_PD, 0));
	return NULL;
}

static void teardown(void)
{
	bench_status(hc_revoke(rt_obj(SOURCE, __builtin_ctz(CAPS_MAX), PERM_ALL), REVOKE_SELF, 0));
}

static uint64_t window_delegate(void)
{
	enum status st;
	uint64_t t = BENCH(st = delegate());

	bench_status(st);
	bench_status(revoke());
	return t;
}

static uint64_t window_revoke(void)
{
	enum status st;
	uint64_t t;

	bench_status(delegate());
	t = BENCH(st = revoke());
	bench_status(st);
	return t;
}

static bool all_targets(bool there)
{
	for (sel_t i = 0; i < 1ul << order; i++) {
		crd_t found;

		bench_status(hc_lookup(rt_obj(TARGET + i, 0, 0), &found));
		if ((crd_kind(found) == CRD_OBJ) != there)
			return false;
	}
	return true;
}

static const char *valid(void)
{
	bool came, left;

	bench_status(delegate());
	came = all_targets(true);
	bench_status(revoke());
	left = all_targets(false);
	return !came ? "a capability was not delegated" : !left ? "a capability was not revoked" : NULL;
}

const struct bench_case ipc_cap_cases[] = {
	{.name = "delegate_obj",
	 .param = "caps",
	 BENCH_VALUES(1, 16, CAPS_MAX),
	 .setup = setup,
	 .window = window_delegate,
	 .valid = valid,
	 .teardown = teardown},
	{.name = "revoke_obj",
	 .param = "caps",
	 BENCH_VALUES(1, 16, CAPS_MAX),
	 .setup = setup,
	 .window = window_revoke,
	 .valid = valid,
	 .teardown = teardown},
	{},
};
