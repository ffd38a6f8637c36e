/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Object capabilities: looking them up, delegating and revoking them. The kernel's look-up is one load in a window of
 * its own; here the fake CPU walks the tables behind it, as the kernel does for PDs that are not the current one.
 */
#include "kernel.h"

static struct pd a, b;
static struct alignas(KOBJECT_ALIGN) Object {
	struct kobject obj;
} objects[64];

static void reset()
{
	host_reset(64 * MiB);
	a.obj.refs = b.obj.refs = 1;
	must(space_obj_init(&a.objs, &a.account));
	must(space_obj_init(&b.objs, &b.account));
	a.objs.closed = b.objs.closed = false;
	for (unsigned i = 0; i < 64; i++) {
		struct kobject *o = &objects[i].obj;
		*o = kobject{};
		o->type = KOBJ_SM;
		o->refs = 1;
		must(space_obj_insert_root(&a, 64 + i, o, PERM_SM_UP | PERM_SM_DOWN));
	}
	host_set_pd(&a);
}

static void lookup(benchmark::State &state)
{
	reset();
	for (auto _ : state)
		benchmark::DoNotOptimize(cap_lookup_object(64, KOBJ_SM, PERM_SM_UP));
}
BENCHMARK(lookup);

static void lookup_empty(benchmark::State &state)
{
	reset();
	for (auto _ : state)
		benchmark::DoNotOptimize(cap_lookup(HEDRON_SEL_NUM - 1));
}
BENCHMARK(lookup_empty);

static void delegate_revoke(benchmark::State &state)
{
	reset();
	unsigned order = (unsigned)state.range(0);
	for (auto _ : state) {
		must(space_obj_delegate(&a, 64, &b, 1024, order, PERM_ALL));
		host_revoke(&b, 1024, order, PERM_ALL, true);
	}
	state.SetItemsProcessed(state.iterations() << order);
}
BENCHMARK(delegate_revoke)->ArgName("order")->Arg(0)->Arg(4)->Arg(6);

/* All selectors, nearly all of them empty. */
static void revoke_whole_space(benchmark::State &state)
{
	reset();
	for (auto _ : state)
		host_revoke(&b, 0, 26, PERM_ALL, true);
}
BENCHMARK(revoke_whole_space);
