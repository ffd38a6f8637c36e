/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ends of objects: capabilities gone, references gone, freed; and whose CPU does it. */
#include "world.h"

#include "hog.h"

enum { A = 100, B = 110, C = 120, SM = 140, PB = 150, KP = 160, OTHER = 170 };

static void reap_if_any(struct cpu *cpu)
{
	if (!list_empty(&cpu->dying))
		assert_true(reap_all(cpu));
}

UNIT_TEST(references_are_counted)
{
	struct sm *sm;
	assert_int_equal(sm_create(world_pd, 0, &sm), SUCCESS);
	assert_false(kobject_get(&sm->obj)); /* not published */
	kobject_publish(&sm->obj);
	assert_true(kobject_get(&sm->obj));
	assert_int_equal(sm->obj.refs, 2);
	kobject_unref(&sm->obj);
	assert_int_equal(cpu_current()->hazard & HAZARD_REAP, 0);
	kobject_unref(&sm->obj);
	assert_int_equal(sm->obj.refs, 0);
	assert_true(cpu_current()->hazard & HAZARD_REAP);
	assert_false(kobject_get(&sm->obj));
	reap_if_any(cpu_current());
	assert_true(list_empty(&cpu_current()->dying));
}

/* An EC with a portal: it lives on when its own capability is gone. */
UNIT_TEST(an_ec_lives_as_long_as_its_portals)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_local(B, 0);
	world_pt(PB, b, 0x1000, 0);
	world_pt(PB + 1, b, 0x2000, 0);
	assert_int_equal(b->obj.refs, 3);
	assert_runs(host_dispatch(), a);
	world_drop(B);
	assert_int_equal(b->obj.refs, 3); /* on the way out, not now */
	host_nmi();
	assert_int_equal(b->obj.refs, 2);
	assert_runs(world_call(PB), b);
	assert_runs(world_reply(), a);
	world_drop(PB);
	host_nmi();
	assert_runs(world_call(PB + 1), b);
	world_drop(PB + 1);
	struct host_exit e = host_nmi(); /* retired while it runs */
	assert_runs(e, a);
	assert_int_equal(a->regs.rdi, ABORT);
}

UNIT_TEST(an_sc_holds_its_ec)
{
	struct ec *a = world_thread(A, 0, 5);
	assert_runs(host_dispatch(), a);
	world_drop(A);
	assert_runs(host_nmi(), a);
	world_drop(A + 1);
	assert_int_equal(host_nmi().way, HOST_IDLE);
	assert_null(cpu_current()->sc);
}

UNIT_TEST(every_state_of_an_sc_can_end)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_thread(B, 0, 4), *c = world_thread(C, 0, 6);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), c);
	assert_runs(world_down(sm), a);
	assert_int_equal(world_sc_of(C)->state, SC_PARKED);
	world_drop(C + 1);
	assert_int_equal(world_sc_of(B)->state, SC_READY);
	assert_runs(host_nmi(), a);
	assert_true(list_empty(&c->parked));
	world_drop(A + 1); /* running */
	assert_runs(host_nmi(), b);
	sm_up(sm); /* wakes an EC without SC */
	assert_runs(host_nmi(), b);
	world_drop(B + 1);
	assert_int_equal(host_nmi().way, HOST_IDLE);
	assert_int_equal(sched_top(&cpu_current()->sched), 0);
}

UNIT_TEST(a_preempted_sc_can_end)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	assert_runs(host_dispatch(), a);
	struct ec *b = world_thread(B, 0, 6);
	assert_runs(host_dispatch(), b);
	assert_int_equal(world_sc_of(A)->state, SC_PREEMPTED);
	world_drop(A + 1);
	assert_runs(host_nmi(), b);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
}

UNIT_TEST(a_kernel_page_goes_with_its_last_reference)
{
	struct kp *kp;
	u64 pages = page_free_count();
	u32 refs = world_pd->obj.refs;
	assert_int_equal(kp_create(world_pd, &kp), SUCCESS);
	world_insert(KP, &kp->obj, PERM_KP_ALL);
	assert_int_equal(kp_map(kp, world_pd, 0x5000), SUCCESS);
	assert_int_equal(world_pd->obj.refs, refs + 1);
	kobject_ref(&kp->obj);
	world_drop(KP);
	world_free_all();
	unsigned order;
	assert_int_not_equal(ptab_lookup(&world_pd->mem.host, 5, &order), 0); /* somebody uses it */
	kobject_unref(&kp->obj);
	world_free_all();
	assert_int_equal(ptab_lookup(&world_pd->mem.host, 5, &order), 0);
	assert_int_equal(world_pd->obj.refs, refs);
	assert_in_range(pages - page_free_count(), 0, 8); /* tables and slabs stay */
}

UNIT_TEST(a_pd_dies_after_its_ecs)
{
	struct cap_slot *slot;

	struct pd *pd;
	assert_int_equal(pd_create(&pd_kernel, false, &pd), SUCCESS);
	assert_int_equal(host_pds, 2);
	world_insert(OTHER, &pd->obj, PERM_PD_ALL);
	struct ec_config cfg = {.pd = pd, .utcb_pd = pd, .utcb_va = 0x9000, .cpu_id = 0};
	struct ec *ec;
	assert_int_equal(ec_create(&cfg, &ec), SUCCESS);
	world_insert(B, &ec->obj, PERM_EC_ALL);

	world_sm(SM, 0);
	assert_int_equal(space_obj_delegate(world_pd, SM, pd, 5, 0, PERM_ALL), SUCCESS);
	world_drop(OTHER);
	world_free_all();
	assert_int_equal(host_pds, 2);
	assert_true(pd->objs.closed);
	assert_int_equal(space_obj_slot(&pd->objs, 5)->cap, 0);
	assert_int_equal(space_obj_reserve(pd, 6, &slot), BAD_CAP);
	world_drop(B);
	world_free_all();
	assert_int_equal(host_pds, 1);
}

/* A PD that holds the only capability of its own EC, which holds the PD. */
UNIT_TEST(circles_end_with_the_pd)
{
	struct pd *pd;
	assert_int_equal(pd_create(&pd_kernel, false, &pd), SUCCESS);
	world_insert(OTHER, &pd->obj, PERM_PD_ALL);
	assert_int_equal(space_obj_delegate(world_pd, OTHER, pd, 1, 0, PERM_ALL), SUCCESS);
	struct ec_config cfg = {.pd = pd, .utcb_pd = pd, .utcb_va = 0x9000, .cpu_id = 1, .global = true};
	struct ec *ec;
	struct sc *sc;
	assert_int_equal(ec_create(&cfg, &ec), SUCCESS);
	kobject_publish(&ec->obj);
	assert_int_equal(space_obj_insert_root(pd, 2, &ec->obj, PERM_EC_ALL), SUCCESS);
	assert_int_equal(sc_create(world_pd, ec, 9, 1, &sc), SUCCESS);
	kobject_publish(&sc->obj);
	assert_int_equal(space_obj_insert_root(pd, 3, &sc->obj, PERM_SC_ALL), SUCCESS);
	world_drop(OTHER);
	world_free_all();
	assert_int_equal(host_pds, 1);
}

/* The place that a creation reserved is in a PD that has been closed meanwhile. */
UNIT_TEST(what_comes_too_late_is_taken_back)
{
	struct cap_slot *slots[4];
	struct ec *ec = world_local(B, 0), *late;
	struct pd *pd;
	struct kp *kp;
	struct sm *sm;
	struct pt *pt;
	assert_int_equal(pd_create(&pd_kernel, false, &pd), SUCCESS);
	world_insert(OTHER, &pd->obj, PERM_PD_ALL);
	for (unsigned i = 0; i < array_size(slots); i++)
		assert_int_equal(space_obj_reserve(pd, i, &slots[i]), SUCCESS);
	u32 refs = world_pd->obj.refs;
	struct ec_config cfg = {.pd = world_pd, .utcb_pd = world_pd, .utcb_va = 0x9000};
	assert_int_equal(kp_create(world_pd, &kp), SUCCESS);
	assert_int_equal(sm_create(world_pd, 0, &sm), SUCCESS);
	assert_int_equal(pt_create(world_pd, ec, 0, 0, &pt), SUCCESS);
	assert_int_equal(ec_create(&cfg, &late), SUCCESS);
	space_obj_close(pd);
	struct kobject *const objects[] = {&kp->obj, &sm->obj, &pt->obj, &late->obj};
	for (unsigned i = 0; i < array_size(slots); i++) {
		kobject_publish(objects[i]);
		space_obj_commit(pd, slots[i], objects[i], PERM_ALL);
	}
	world_drop(OTHER);
	world_free_all();
	assert_int_equal(host_pds, 1);
	assert_int_equal(ec->obj.refs, 1);
	assert_int_equal(world_pd->obj.refs, refs);
}

UNIT_TEST(without_memory_nothing_is_referred_to)
{
	static struct hog hog;
	struct ec *b = world_local(B, 0), *a = world_ec(A, 0, true);
	struct pt *pt = NULL;
	struct sc *sc = NULL;
	struct kp *kp = NULL;
	struct pd *pd = NULL;
	hog_take(&hog, 0);
	assert_int_equal(pt_create(world_pd, b, 0, 0, &pt), OOM);
	assert_int_equal(sc_create(world_pd, a, 1, 1, &sc), OOM);
	assert_int_equal(kp_create(world_pd, &kp), OOM);
	assert_int_equal(pd_create(&pd_kernel, false, &pd), OOM);
	hog_release(&hog);
	assert_true(!pt && !sc && !kp && !pd);
	assert_int_equal(a->obj.refs, 1);
	assert_int_equal(b->obj.refs, 1);
	for (u64 leave = 1;; leave++) {
		(void)page_reclaim();
		u64 pages = page_free_count();
		hog_take(&hog, leave);
		enum status s = pd_create(&pd_kernel, false, &pd);
		hog_release(&hog);
		if (s == SUCCESS)
			break;
		(void)page_reclaim();
		assert_int_equal(page_free_count(), pages);
	}
	world_insert(OTHER, &pd->obj, PERM_PD_ALL);
	world_drop(OTHER);
}

UNIT_TEST(the_dead_get_no_portals_and_scs)
{
	struct ec *a = world_ec(A, 0, true);
	struct pt *pt = NULL;
	struct sc *sc = NULL;
	world_drop(A);
	reap_if_any(cpu_current());
	assert_int_equal(a->obj.refs, 0);
	assert_int_equal(pt_create(world_pd, a, 0, 0, &pt), BAD_CAP);
	assert_int_equal(sc_create(world_pd, a, 1, 1, &sc), BAD_CAP);
	assert_true(!pt && !sc);
}

/* ---- other CPUs ---- */

UNIT_TEST(an_sc_ends_at_home)
{
	struct ec *a = world_thread(A, 1, 5);
	struct sc *sc = world_sc_of(A);
	assert_runs(world_on(1), a);
	host_set_cpu(0);
	u32 signals = host_calls[1].signals;
	world_drop(A + 1);
	host_dispatch();
	assert_true(sc_is_current(sc));
	assert_ptr_equal(world_cpu(1)->sc, sc);
	assert_int_equal(host_calls[1].signals, signals + 1);
	assert_ptr_equal(world_cpu(1)->mailbox.newest, &sc->obj.work);
	assert_int_equal(world_on(1).way, HOST_IDLE);
	assert_null(world_cpu(1)->sc);
}

UNIT_TEST(an_ec_ends_at_home_but_its_utcb_at_once)
{
	struct ec_config cfg = {.pd = world_pd, .utcb_pd = world_pd, .utcb_va = 0x9000, .cpu_id = 1};
	struct ec *ec;
	unsigned order;
	assert_int_equal(ec_create(&cfg, &ec), SUCCESS);
	world_insert(B, &ec->obj, PERM_EC_ALL);
	world_drop(B);
	host_set_cpu(0);
	reap_if_any(cpu_current());
	assert_int_equal(ptab_lookup(&world_pd->mem.host, 9, &order), 0);
	assert_false(ec_is_dead(ec));
	assert_ptr_equal(world_cpu(1)->mailbox.newest, &ec->obj.work);
	host_set_cpu(1);
	remote_take(cpu_current());
	assert_false(ec_is_dead(ec));
	reap_if_any(cpu_current());
	assert_true(ec_is_dead(ec));
}

/* The work items that start and wake were sent before those that end and free. */
UNIT_TEST(work_items_about_the_dead_arrive_before_their_end)
{
	struct ec *c = world_thread(C, 1, 6);
	assert_runs(world_on(1), c);
	host_set_cpu(0);
	world_thread(A, 1, 5);
	struct sc *sc = world_sc_of(A);
	assert_ptr_equal(world_cpu(1)->mailbox.newest, &sc->start);
	world_drop(A + 1);
	world_drop(A);
	host_dispatch();
	assert_ptr_equal(world_cpu(1)->mailbox.newest, &sc->obj.work);
	assert_ptr_equal(sc->obj.work.next, &sc->start);
	assert_runs(world_on(1), c);
	assert_int_equal(sc->state, SC_DEAD);
	assert_int_equal(sched_top(&world_cpu(1)->sched), 0);
}

/* So that whatever was sent to it before arrives before. */
UNIT_TEST(memory_is_freed_at_home)
{
	struct ec *ec = world_local(B, 1);
	world_drop(B);
	reap_if_any(cpu_current());
	assert_int_equal(world_on(1).way, HOST_IDLE);
	assert_true(ec_is_dead(ec));
	assert_null(world_cpu(1)->mailbox.newest); /* CPU 0 may still look at it */
	world_cpu(0)->sleeping = SLEEPING_MWAIT;
	rcu_quiesce(cpu_current());
	world_cpu(0)->sleeping = SLEEPING_NOT;
	host_set_cpu(0);
	assert_ptr_equal(world_cpu(1)->mailbox.newest, &ec->obj.work);
}

/* CPU 1 does at once what it is asked. */
static void go_on(struct cpu *cpu)
{
	unsigned self = cpu_current()->id;

	host_set_cpu(cpu->id);
	remote_take(cpu);
	reap_if_any(cpu);
	rcu_quiesce(cpu);
	host_set_cpu(self);
}

static void nothing(struct work *w)
{
	(void)w;
}

/* Twice on its way to another CPU, it is waited for when memory is short. */
UNIT_TEST(an_end_elsewhere_is_waited_for)
{
	static struct work other;
	struct ec *ec = world_local(B, 1);
	world_cpu(1)->sleeping = SLEEPING_NOT;
	world_drop(B);
	reap_if_any(cpu_current());
	assert_ptr_equal(world_cpu(1)->mailbox.newest, &ec->obj.work);
	assert_int_equal(world_cpu(1)->rcu_sent, 1);
	assert_int_equal(world_cpu(1)->rcu_done, 0);
	rcu_call(&other, nothing);
	host_on_kick = go_on;
	assert_true(rcu_expedite(cpu_current()));
	assert_null(world_cpu(1)->mailbox.newest);
	assert_int_equal(world_cpu(1)->rcu_sent, 2);
	assert_int_equal(world_cpu(1)->rcu_done, 2);
	assert_false(rcu_expedite(cpu_current()));
}

/* A thread that was interrupted keeps what it has killed. Whoever needs memory does not wait for it to go on. */
UNIT_TEST(what_a_preempted_thread_keeps_is_waited_for)
{
	struct ec *a = world_thread(A, 0, 10), *b;

	assert_runs(host_dispatch(), a);
	for (unsigned i = 0; i < 3; i++) {
		world_sm(SM + i, 0);
		world_drop(SM + i);
	}
	b = world_thread(B, 0, 20);
	assert_runs(host_dispatch(), b);
	assert_false(list_empty(&a->unfinished.dying));
	assert_true(rcu_expedite(cpu_current()));
	assert_true(list_empty(&a->unfinished.dying));
	assert_false(rcu_expedite(cpu_current()));
}

/* Nobody can wait for one that is lost. */
UNIT_TEST(the_end_on_a_lost_cpu_is_not_waited_for)
{
	world_local(B, 1);
	world_drop(B);
	reap_if_any(cpu_current());
	cpus_online[0] &= ~2ull;
	assert_false(rcu_expedite(cpu_current()));
	cpus_online[0] |= 2;
}

UNIT_TEST(a_portal_ends_where_it_lost_its_capability)
{
	struct ec *b = world_local(B, 1);
	world_pt(PB, b, 0x1000, 0);
	world_drop(PB);
	host_set_cpu(0);
	reap_if_any(cpu_current());
	assert_null(world_cpu(1)->mailbox.newest);
	assert_int_equal(b->obj.refs, 1);
}

UNIT_TEST(nothing_is_freed_while_a_cpu_may_look)
{
	struct sm *sm = world_sm(SM, 17);
	world_cpu(2)->sleeping = SLEEPING_NOT;
	world_drop(SM);
	host_dispatch();
	for (unsigned i = 0; i < 100; i++)
		host_nmi();
	struct sm *fresh = world_sm(SM + 1, 3);
	assert_ptr_not_equal(fresh, sm);
	assert_int_equal(sm->state, 17);
	world_cpu(2)->sleeping = SLEEPING_MWAIT;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(references_are_counted),
		WORLD_TEST(an_ec_lives_as_long_as_its_portals),
		WORLD_TEST(an_sc_holds_its_ec),
		WORLD_TEST(every_state_of_an_sc_can_end),
		WORLD_TEST(a_preempted_sc_can_end),
		WORLD_TEST(a_kernel_page_goes_with_its_last_reference),
		WORLD_TEST(a_pd_dies_after_its_ecs),
		WORLD_TEST(circles_end_with_the_pd),
		WORLD_TEST(what_comes_too_late_is_taken_back),
		WORLD_TEST(without_memory_nothing_is_referred_to),
		WORLD_TEST(the_dead_get_no_portals_and_scs),
		WORLD_TEST(an_sc_ends_at_home),
		WORLD_TEST(an_ec_ends_at_home_but_its_utcb_at_once),
		WORLD_TEST(work_items_about_the_dead_arrive_before_their_end),
		WORLD_TEST(memory_is_freed_at_home),
		WORLD_TEST(an_end_elsewhere_is_waited_for),
		WORLD_TEST(what_a_preempted_thread_keeps_is_waited_for),
		WORLD_TEST(the_end_on_a_lost_cpu_is_not_waited_for),
		WORLD_TEST(a_portal_ends_where_it_lost_its_capability),
		WORLD_TEST(nothing_is_freed_while_a_cpu_may_look),
	};
	return cmocka_run_group_tests_name("core/reap", tests, NULL, NULL);
}
