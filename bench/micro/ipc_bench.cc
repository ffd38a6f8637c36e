/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Core's hot paths without the CPU's part: call and reply by length of the message, semaphores, work items. */
#include "kernel.h"

extern "C" {
#include "arch/switch.h"
#include "core/ipc.h"
#include "core/pt.h"
#include "core/remote.h"
#include "core/sm.h"
}

enum { PORTAL = 100, CALLEE, CALLER };

static struct pd *pd;
static struct ec *caller, *callee;

static void insert(u64 sel, struct kobject *o)
{
	kobject_publish(o);
	must(space_obj_insert_root(pd, sel, o, PERM_ALL));
}

static struct ec *make_ec(u64 sel, bool global)
{
	struct ec_config cfg = {};
	struct ec *ec;
	cfg.pd = cfg.utcb_pd = pd;
	cfg.global = global;
	must(ec_create(&cfg, &ec));
	insert(sel, &ec->obj);
	return ec;
}

/* One PD, a caller that runs, and a callee that waits behind a portal. */
static void setup(const benchmark::State &)
{
	host_reset(4 * MiB);
	struct cpu *cpu = cpu_current();
	sched_init(&cpu->sched);
	pd_init_cache();
	ec_init_caches(576);
	pt_init_cache();
	sm_init_cache();
	cpu->ec = cpu->idle_ec = ec_create_idle(&pd_kernel, 0);
	must(pd_create(&pd_kernel, false, &pd));
	kobject_publish(&pd->obj);
	caller = make_ec(CALLER, true);
	callee = make_ec(CALLEE, false);
	struct pt *pt;
	must(pt_create(pd, callee, 0x1000, 0, &pt));
	insert(PORTAL, &pt->obj);
	arch_ec_switch(cpu, cpu->idle_ec, caller);
}

static void call_reply(benchmark::State &state)
{
	struct cpu *cpu = cpu_current();
	caller->utcb->items = callee->utcb->items = (u64)state.range(0);
	for (auto _ : state) {
		kassert(ipc_call(HC_ARG1(HC_CALL, 0, PORTAL), 0, 0, 0, cpu, caller) == callee);
		callee->utcb->items = (u64)state.range(0);
		kassert(ipc_reply(HC_ARG1(HC_REPLY, 0, 0), 0, 0, 0, cpu, callee) == caller);
	}
}
BENCHMARK(call_reply)->ArgName("words")->Setup(setup)->Arg(0)->Arg(1)->Arg(8)->Arg(24)->Arg(25)->Arg(128)->Arg(508);

static void up_down(benchmark::State &state)
{
	struct sm *sm;
	must(sm_create(pd, 0, &sm));
	for (auto _ : state) {
		must(sm_up(sm));
		must(sm_down(sm, caller));
	}
}
BENCHMARK(up_down)->Setup(setup);

static void note(struct work *w)
{
	benchmark::DoNotOptimize(w);
}

/* Nothing may depend on how many work items there are, but for taking each. */
static void work_items(benchmark::State &state)
{
	static struct work work[256];
	struct cpu *cpu = cpu_current();
	for (auto _ : state) {
		for (int64_t i = 0; i < state.range(0); i++)
			remote_call(0, &work[i], note);
		remote_take(cpu);
	}
	state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(work_items)->ArgName("items")->Setup(setup)->Arg(1)->Arg(16)->Arg(256);
