/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delegating and revoking ranges of object capabilities, within the own PD so that the result can be looked at. */
#include "ipc.h"

#include "rt/bench/bench_grant.h"
#include "rt/message.h"

enum { SOURCE = SEL_CAP, TARGET = SEL_CAP + 0x40, CAPS_MAX = 64 };

static unsigned order;
static struct bench_grant grant;

/* Revoking with these flags takes back what was delegated and leaves the source. */
enum { FLAGS = 0 };

static const char *setup(long caps)
{
	order = (unsigned)__builtin_ctzl((unsigned long)caps);
	grant.source = grant.revoked = rt_obj(SOURCE, order, PERM_ALL);
	grant.target = rt_obj(TARGET, order, PERM_ALL);
	grant.meta = ITEM_DELEGATE;
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
	return bench_time_delegate(&grant, FLAGS);
}

static uint64_t window_revoke(void)
{
	bench_status(bench_delegate(&grant));
	return bench_time_revoke(&grant, FLAGS);
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

	bench_status(bench_delegate(&grant));
	came = all_targets(true);
	bench_status(hc_revoke(grant.revoked, FLAGS, 0));
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
