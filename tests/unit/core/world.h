/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small running system for tests of core: CPUs with idle ECs, one PD, and threads in it that make hypercalls. What
 * a test leaves behind is destroyed at its end, and every page has to be back then.
 */
#pragma once

#include "arch/switch.h"
#include "core/dispatch.h"
#include "core/exception.h"
#include "core/ipc.h"
#include "core/kp.h"
#include "core/pt.h"
#include "core/rcu.h"
#include "core/reap.h"
#include "core/remote.h"
#include "core/sc.h"
#include "core/sm.h"
#include "core/vcpu.h"
#include "host.h"
#include "lib/bits.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "platform/panic.h"
#include "space/kobject.h"
#include "space/pd.h"

#include "unit.h"

#define WORLD_HEAP (8 * MiB)
#define WORLD_CPUS 4
#define WORLD_FPU 576
#define WORLD_SEL_PD 32
#define WORLD_EVENTS 0x400 /* event base of all ECs */
#define WORLD_RSP 0x7000

static struct pd *world_pd;
static u64 world_pages;

/* ---- CPUs ---- */

static inline struct cpu *world_cpu(unsigned n)
{
	return &host_cpus[n];
}

/* This CPU goes on with what it has to do, in user mode or asleep. */
static inline struct host_exit world_on(unsigned n)
{
	host_set_cpu(n);
	return host_nmi();
}

static inline bool world_quiet(unsigned n)
{
	const struct cpu *cpu = world_cpu(n);
	return !cpu->hazard && !cpu->mailbox.newest && !cpu->rcu_asked;
}

/* Until no CPU has anything to do for another. The current CPU stays it. */
static inline void world_settle(void)
{
	unsigned self = cpu_current()->id, rounds = 0;

	for (bool quiet = false; !quiet; rounds++) {
		assert_true(rounds < 1000);
		quiet = true;
		for (unsigned n = 0; n < cpu_count; n++)
			if (!world_quiet(n)) {
				quiet = false;
				world_on(n);
			}
	}
	host_set_cpu(self);
}

/* ---- the beginning ---- */

UNIT_FIXTURE(world_setup)
{
	host_reset(WORLD_HEAP);
	world_pages = page_free_count();
	host_set_cpus(WORLD_CPUS);
	pd_init_cache();
	ec_init_caches(WORLD_FPU);
	sc_init_cache();
	pt_init_cache();
	sm_init_cache();
	kp_init_cache();
	for (unsigned n = 0; n < WORLD_CPUS; n++) {
		struct cpu *cpu = world_cpu(n);
		sched_init(&cpu->sched);
		cpu->ec = cpu->idle_ec = ec_create_idle(&pd_kernel, n);
		assert_non_null(cpu->ec);
		cpu->sleeping = n ? SLEEPING_MWAIT : SLEEPING_NOT;
	}
	assert_int_equal(pd_create(&pd_kernel, false, &world_pd), SUCCESS);
	kobject_publish(&world_pd->obj);
	assert_int_equal(space_obj_insert_root(world_pd, WORLD_SEL_PD, &world_pd->obj, PERM_PD_ALL), SUCCESS);
	return 0;
}

/* ---- the end ---- */

/* The objects of these selectors lose all their capabilities; what follows from that happens in world_settle(). */
static inline void world_drop(u64 sel)
{
	host_revoke(world_pd, sel, 0, PERM_ALL, true);
}

/* Those who run nothing are asleep, whatever a test said. */
static inline void world_sleep(void)
{
	for (unsigned n = 1; n < cpu_count; n++)
		if (world_cpu(n)->ec == world_cpu(n)->idle_ec)
			world_cpu(n)->sleeping = SLEEPING_MWAIT;
}

/* Grace periods begin and end at once when all other CPUs sleep, so each CPU has its turn in which they do; what
 * these have to free then is on its way to them. One end may lead to the next: of a vCPU, its PD, its kernel pages.
 */
static inline void world_free_all(void)
{
	for (unsigned i = 0; i < 8; i++) {
		world_settle();
		world_sleep();
		for (unsigned n = cpu_count; n--;) {
			host_set_cpu(n);
			world_cpu(0)->sleeping = n ? SLEEPING_MWAIT : SLEEPING_NOT;
			rcu_quiesce(cpu_current());
			if (rcu_has_ripe(cpu_current()))
				hazard_set(cpu_current(), HAZARD_RCU); /* as if it had become idle just now */
		}
	}
	world_settle();
	assert_false(rcu_expedite(cpu_current()));
}

/* The kernel never does that: the account that pays for idle ECs has no name. */
static inline void world_free_idle(struct ec *ec)
{
	struct account *heir = page_alloc_zeroed();

	assert_non_null(heir);
	ec->obj.account = account_name(heir);
	ec_free(ec);
	page_free(heir);
}

UNIT_FIXTURE(world_teardown)
{
	host_set_cpu(0);
	world_drop(WORLD_SEL_PD);
	world_free_all();
	for (unsigned n = 0; n < WORLD_CPUS; n++) {
		assert_ptr_equal(world_cpu(n)->ec, world_cpu(n)->idle_ec);
		assert_null(world_cpu(n)->sc);
		assert_null(world_cpu(n)->preempted);
		assert_int_equal(sched_top(&world_cpu(n)->sched), 0);
		world_free_idle(world_cpu(n)->idle_ec);
	}
	for (unsigned n = 0; n < WORLD_CPUS; n++) {
		host_set_cpu(n);
		(void)page_reclaim();
	}
	assert_int_equal(host_pds, 0);
	assert_int_equal(page_free_count(), world_pages);
	return 0;
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* ---- objects, as the hypercalls make them ---- */

static inline void world_insert(u64 sel, struct kobject *o, unsigned perm)
{
	kobject_publish(o);
	assert_int_equal(space_obj_insert_root(world_pd, sel, o, perm), SUCCESS);
}

static inline struct ec *world_ec(u64 sel, unsigned cpu, bool global)
{
	struct ec_config cfg = {
		.pd = world_pd,
		.utcb_pd = world_pd,
		.rsp = WORLD_RSP,
		.cpu_id = cpu,
		.event_base = WORLD_EVENTS,
		.global = global,
	};
	struct ec *ec;
	assert_int_equal(ec_create(&cfg, &ec), SUCCESS);
	world_insert(sel, &ec->obj, PERM_EC_ALL);
	return ec;
}

static inline struct ec *world_local(u64 sel, unsigned cpu)
{
	return world_ec(sel, cpu, false);
}

static inline struct sc *world_sc(u64 sel, struct ec *ec, unsigned prio)
{
	struct sc *sc;
	assert_int_equal(sc_create(world_pd, ec, prio, 1000, &sc), SUCCESS);
	world_insert(sel, &sc->obj, PERM_SC_ALL);
	return sc;
}

/* A global EC that is past its startup, at sel, with an SC at sel + 1 that competes for the CPU. */
static inline struct ec *world_thread(u64 sel, unsigned cpu, unsigned prio)
{
	struct ec *ec = world_ec(sel, cpu, true);
	ec->cont = CONT_SYSRET;
	sc_start(world_sc(sel + 1, ec, prio));
	return ec;
}

static inline struct sc *world_sc_of(u64 thread)
{
	return (struct sc *)cap_object(space_obj_slot(&world_pd->objs, thread + 1)->cap);
}

static inline struct pt *world_pt(u64 sel, struct ec *ec, u64 rip, u64 mtd)
{
	struct pt *pt;
	assert_int_equal(pt_create(world_pd, ec, rip, mtd, &pt), SUCCESS);
	world_insert(sel, &pt->obj, PERM_PT_ALL);
	return pt;
}

static inline struct sm *world_sm(u64 sel, u64 count)
{
	struct sm *sm;
	assert_int_equal(sm_create(world_pd, count, &sm), SUCCESS);
	world_insert(sel, &sm->obj, PERM_SM_ALL);
	return sm;
}

/* ---- what the current EC of this CPU does; as entry.S, all registers are stored first ---- */

static inline void world_call_fn(void *arg1)
{
	struct cpu *cpu = cpu_current();
	arch_return_syscall(ipc_call((u64)arg1, 0, 0, 0, cpu, cpu->ec));
}

static inline void world_reply_fn(void *arg1)
{
	struct cpu *cpu = cpu_current();
	arch_return_syscall(ipc_reply((u64)arg1, 0, 0, 0, cpu, cpu->ec));
}

static inline struct host_exit world_call_flags(u64 sel, unsigned flags)
{
	return host_run(world_call_fn, (void *)HC_ARG1(HC_CALL, flags, sel));
}

static inline struct host_exit world_call(u64 sel)
{
	return world_call_flags(sel, 0);
}

static inline struct host_exit world_reply(void)
{
	return host_run(world_reply_fn, (void *)HC_ARG1(HC_REPLY, 0, 0));
}

static inline struct host_exit world_reply_sm(u64 sm)
{
	return host_run(world_reply_fn, (void *)HC_ARG1(HC_REPLY, 0, sm));
}

static inline void world_raise_fn(void *event)
{
	struct cpu *cpu = cpu_current();
	arch_return_syscall(exception_raise(cpu, cpu->ec, (unsigned)(u64)event));
}

static inline struct host_exit world_raise(unsigned event)
{
	return host_run(world_raise_fn, (void *)(u64)event);
}

/* Semaphores, for the current EC. */
static inline void world_down_fn(void *sm)
{
	struct ec *ec = cpu_current()->ec;
	ec->regs.rdi = sm_down(sm, ec);
	arch_return_syscall(ec);
}

static inline struct host_exit world_down(struct sm *sm)
{
	return host_run(world_down_fn, sm);
}

static inline void world_down_all_fn(void *sm)
{
	struct ec *ec = cpu_current()->ec;
	ec->regs.rdi = sm_down_all(sm, ec);
	arch_return_syscall(ec);
}

static inline struct host_exit world_down_all(struct sm *sm)
{
	return host_run(world_down_all_fn, sm);
}

static inline void world_up_fn(void *sm)
{
	struct ec *ec = cpu_current()->ec;
	ec->regs.rdi = sm_up(sm);
	arch_return_syscall(ec);
}

static inline struct host_exit world_up(struct sm *sm)
{
	return host_run(world_up_fn, sm);
}

/* ---- what tests ask ---- */

#define assert_runs(e, who) assert_ptr_equal((e).ec, who)

static inline void assert_idle(unsigned cpu, const struct ec *local)
{
	assert_ptr_equal(local->caller, world_cpu(cpu)->idle_ec);
	assert_null(local->callee);
	assert_int_equal(local->special, 0);
}
