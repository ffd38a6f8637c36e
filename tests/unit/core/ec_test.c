/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Execution contexts: making them (also without memory), short chains, helping, and death anywhere in a chain. */
#include "world.h"

#include "arch/switch.h"
#include "hog.h"

enum { A = 100, B = 110, C = 120, D = 130, SM = 140, PB = 150, PC = 151, PD = 152 };

#define UTCB_VA 0x10000

static struct hog hog;

static struct ec_config config(unsigned cpu, bool global, u64 utcb_va)
{
	return (struct ec_config){
		.pd = world_pd,
		.utcb_pd = world_pd,
		.utcb_va = utcb_va,
		.rsp = 0x1234,
		.cpu_id = cpu,
		.event_base = 77,
		.global = global,
	};
}

/* ---- making and unmaking ---- */

UNIT_TEST(a_new_ec_is_as_configured)
{
	struct ec_config cfg = config(2, false, 0);
	struct ec *ec;
	u32 refs = world_pd->obj.refs;
	assert_int_equal(ec_create(&cfg, &ec), SUCCESS);
	assert_int_equal(ec->obj.type, KOBJ_EC);
	assert_ptr_equal(ec->pd, world_pd);
	assert_int_equal(ec->cpu_id, 2);
	assert_int_equal(ec->event_base, 77);
	assert_int_equal(ec->regs.rsp, 0x1234);
	assert_int_equal(ec->regs.rflags, ARCH_USER_FLAGS);
	assert_int_equal(ec->regs.rip | ec->regs.rax | ec->regs.r15 | ec->fs_base | ec->gs_base, 0);
	assert_idle(2, ec);
	assert_int_equal(ec->cont, CONT_SYSRET);
	assert_int_equal(world_pd->obj.refs, refs + 1);
	for (unsigned i = 0; i < UTCB_SIZE; i++)
		assert_int_equal(((u8 *)ec->utcb)[i], 0);
	world_insert(A, &ec->obj, PERM_EC_ALL);

	cfg.global = true;
	assert_int_equal(ec_create(&cfg, &ec), SUCCESS);
	assert_null(ec->caller);
	assert_int_equal(ec->cont, CONT_STARTUP);
	assert_true(ec_is_global(ec));
	world_insert(B, &ec->obj, PERM_EC_ALL);
}

static u64 mapped(u64 va)
{
	unsigned order;
	return ptab_lookup(&world_pd->mem.host, va >> PAGE_BITS, &order) & PTE_ADDR;
}

UNIT_TEST(the_utcb_is_mapped_while_capabilities_last)
{
	struct ec_config cfg = config(1, false, UTCB_VA);
	struct ec *ec;
	u32 refs = world_pd->obj.refs;
	assert_int_equal(ec_create(&cfg, &ec), SUCCESS);
	assert_int_equal(mapped(UTCB_VA), heap_phys(ec->utcb).v);
	assert_int_equal(world_pd->obj.refs, refs + 2);
	world_insert(A, &ec->obj, PERM_EC_ALL);
	kobject_ref(&ec->obj); /* somebody still uses it */
	world_drop(A);
	world_settle();
	assert_int_equal(mapped(UTCB_VA), 0);
	assert_null(ec->utcb_pd);
	assert_int_equal(world_pd->obj.refs, refs + 1);
	assert_false(ec_is_dead(ec));
	ec_unmap_utcb(ec); /* once is enough */
	assert_int_equal(world_pd->obj.refs, refs + 1);
	kobject_unref(&ec->obj);
}

UNIT_TEST(a_bad_utcb_address_leaves_nothing)
{
	struct ec *ec = NULL;
	for (unsigned i = 0; i < 2; i++) {
		struct ec_config cfg = config(0, false, i ? HEDRON_USER_END : UTCB_VA + 1);
		u32 refs = world_pd->obj.refs;
		assert_int_equal(ec_create(&cfg, &ec), BAD_PAR);
		assert_null(ec);
		assert_int_equal(world_pd->obj.refs, refs);
	}
}

UNIT_TEST(a_dead_pd_gets_no_ec)
{
	struct pd dead = {.obj.type = KOBJ_PD};
	struct ec_config cfg = config(0, false, 0);
	struct ec *ec = NULL;
	u64 pages = page_free_count();
	cfg.pd = &dead;
	assert_int_equal(ec_create(&cfg, &ec), BAD_CAP);
	assert_int_equal(page_free_count(), pages);
	cfg.pd = world_pd;
	cfg.utcb_pd = &dead;
	cfg.utcb_va = UTCB_VA;
	u32 refs = world_pd->obj.refs;
	assert_int_equal(ec_create(&cfg, &ec), BAD_CAP);
	assert_null(ec);
	assert_int_equal(world_pd->obj.refs, refs);
	assert_int_equal(mapped(UTCB_VA), 0);
}

/* With so many pages left (objects' slabs, UTCB, tables) it fails, and then nothing is missing. */
UNIT_TEST(out_of_memory_at_every_allocation)
{
	struct ec *ec = NULL;
	unsigned failures = 0;
	for (u64 leave = 0;; leave++) {
		struct ec_config cfg = config(0, true, UTCB_VA);
		u32 refs = world_pd->obj.refs;
		(void)page_reclaim();
		u64 before = page_free_count();
		hog_take(&hog, leave);
		enum status s = ec_create(&cfg, &ec);
		hog_release(&hog);
		if (s == SUCCESS)
			break;
		failures++;
		assert_int_equal(s, OOM);
		assert_null(ec);
		assert_int_equal(world_pd->obj.refs, refs);
		assert_int_equal(mapped(UTCB_VA), 0);
		(void)page_reclaim();
		/* Page tables that were made on the way stay with the PD: that is not lost. */
		assert_in_range(before - page_free_count(), 0, 3);
	}
	assert_true(failures >= 3); /* EC, UTCB, extended state at least */
	world_insert(A, &ec->obj, PERM_EC_ALL);
}

UNIT_TEST(the_idle_ec_needs_memory_too)
{
	hog_take(&hog, 0);
	assert_null(ec_create_idle(&pd_kernel, 0));
	hog_release(&hog);
	struct ec *idle = ec_create_idle(&pd_kernel, 3);
	assert_int_equal(idle->cont, CONT_IDLE);
	assert_int_equal(idle->cpu_id, 3);
	world_free_idle(idle);
}

/* ---- chains ---- */

/* a calls b calls c; c runs. */
struct chain {
	struct ec *a, *b, *c;
};

static struct chain make_chain(void)
{
	struct chain ch = {world_thread(A, 0, 5), world_local(B, 0), world_local(C, 0)};
	world_pt(PB, ch.b, 0x1000, 0);
	world_pt(PC, ch.c, 0x2000, 0);
	assert_runs(host_dispatch(), ch.a);
	assert_runs(world_call(PB), ch.b);
	assert_runs(world_call(PC), ch.c);
	return ch;
}

UNIT_TEST(a_chain_leads_to_its_end)
{
	struct chain ch = make_chain();
	assert_ptr_equal(ec_chain_end(ch.a), ch.c);
	assert_ptr_equal(ec_chain_end(ch.b), ch.c);
	assert_ptr_equal(ec_chain_end(ch.c), ch.c);
	assert_ptr_equal(ch.b->caller, ch.a);
	assert_ptr_equal(ch.c->caller, ch.b);
	assert_runs(world_reply(), ch.b);
	assert_runs(world_reply(), ch.a);
	assert_idle(0, ch.b);
	assert_idle(0, ch.c);
}

UNIT_TEST(helping_makes_and_cuts_edges)
{
	struct ec *busy = world_local(A, 0), *h[] = {world_local(B, 0), world_local(C, 0), world_local(D, 0)};
	for (unsigned i = 0; i < 3; i++) {
		ec_help(h[i], busy);
		assert_ptr_equal(h[i]->callee, busy);
		assert_true(h[i]->helping);
		assert_int_equal(busy->special, EC_HELPED);
	}
	ec_unhelp(h[1]);
	assert_null(h[1]->callee);
	assert_false(h[1]->helping);
	assert_int_equal(busy->special, EC_HELPED);
	assert_ptr_equal(ec_chain_end(h[0]), busy);
	ec_release_helpers(busy);
	for (unsigned i = 0; i < 3; i++) {
		assert_null(h[i]->callee);
		assert_false(h[i]->helping);
		assert_true(list_empty(&h[i]->helper_link));
	}
	assert_int_equal(busy->special, 0);
	assert_true(list_empty(&busy->helpers));
}

/* ---- death ---- */

UNIT_TEST(death_at_the_end_aborts_the_call)
{
	struct chain ch = make_chain();
	ec_kill(ch.c);
	assert_true(ec_is_dead(ch.c));
	assert_null(ch.c->caller);
	struct host_exit e = host_dispatch();
	assert_runs(e, ch.b);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_int_equal(ch.b->regs.rdi, ABORT);
	assert_ptr_equal(ch.b->caller, ch.a);
	assert_runs(world_reply(), ch.a); /* life goes on */
	assert_int_equal(ch.a->regs.rdi, SUCCESS);
}

UNIT_TEST(death_in_the_middle_orphans_the_callee)
{
	struct chain ch = make_chain();
	ec_kill(ch.b);
	assert_null(ch.c->caller);
	assert_int_equal(ch.c->special, EC_ORPHAN);
	assert_false(ec_is_dead(ch.c));
	assert_runs(host_dispatch(), ch.a); /* whose SC it is */
	assert_int_equal(ch.a->regs.rdi, ABORT);
	assert_null(ch.a->callee);

	/* The orphan is busy until somebody's SC lets it finish. */
	assert_runs(world_call(PC), ch.c);
	assert_true(ch.a->helping);
	assert_runs(world_reply(), ch.c); /* to nobody; then the helper's call starts again */
	assert_ptr_equal(ch.c->caller, ch.a);
	assert_int_equal(ch.c->regs.rip, 0x2000);
	assert_runs(world_reply(), ch.a);
	assert_int_equal(ch.a->regs.rdi, SUCCESS);
	assert_idle(0, ch.c);
}

/* The SC sleeps at the end of the chain, which is no longer its own. */
UNIT_TEST(death_in_the_middle_wakes_who_sleeps_at_the_end)
{
	struct chain ch = make_chain();
	struct sm *sm = world_sm(SM, 0);
	assert_int_equal(world_down(sm).way, HOST_IDLE);
	assert_ptr_equal(ch.c->parked.next, &world_sc_of(A)->link);
	ec_kill(ch.b);
	assert_runs(host_nmi(), ch.a);
	assert_int_equal(ch.a->regs.rdi, ABORT);
	assert_true(ch.c->special & EC_BLOCKED);
	assert_true(list_empty(&ch.c->parked));
}

UNIT_TEST(death_of_the_first_leaves_the_rest_to_helpers)
{
	struct chain ch = make_chain();
	ec_kill(ch.a);
	assert_int_equal(ch.b->special, EC_ORPHAN);
	assert_int_equal(host_dispatch().way, HOST_IDLE);
	assert_ptr_equal(ch.a->parked.next, &world_sc_of(A)->link);

	struct ec *d = world_thread(D, 0, 5);
	assert_runs(host_nmi(), d);
	assert_runs(world_call(PB), ch.c);
	assert_runs(world_reply(), ch.b);
	assert_runs(world_reply(), ch.b); /* answers nobody, then d's call comes */
	assert_ptr_equal(ch.b->caller, d);
}

UNIT_TEST(exceptions_die_with_their_handler)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_local(B, 0), *c = world_local(C, 0), *d = world_local(D, 0);
	world_pt(PB, b, 0x1000, 0);
	world_pt(WORLD_EVENTS + 6, c, 0x2000, 0);
	world_pt(WORLD_EVENTS + 13, d, 0x3000, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_call(PB), b);
	assert_runs(world_raise(6), c);  /* b waits in an exception */
	assert_runs(world_raise(13), d); /* so does c */
	ec_kill(d);
	assert_true(ec_is_dead(d) && ec_is_dead(c) && ec_is_dead(b));
	assert_false(ec_is_dead(a));
	assert_runs(host_dispatch(), a);
	assert_int_equal(a->regs.rdi, ABORT); /* it waited in a call */
	assert_null(a->callee);
}

UNIT_TEST(a_handler_whose_sender_dies_goes_on)
{
	struct ec *a = world_thread(A, 0, 5), *h = world_local(B, 0);
	world_pt(WORLD_EVENTS + 6, h, 0x2000, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_raise(6), h);
	ec_kill(a);
	assert_null(h->caller);
	assert_int_equal(h->special, EC_ORPHAN);
	assert_false(ec_is_dead(h));
	assert_int_equal(host_dispatch().way, HOST_IDLE);
}

/* It had to wait for its turn: the call is not to be started a second time. */
UNIT_TEST(a_call_that_was_started_over_is_aborted_once)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_local(B, 0);
	world_pt(PB, b, 0x1000, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_call(PB), b);
	struct ec *d = world_thread(D, 0, 6);
	assert_runs(host_nmi(), d);
	assert_runs(world_call(PB), b);
	assert_runs(world_reply(), b);
	assert_ptr_equal(b->caller, d);
	ec_kill(b);
	struct host_exit e = host_dispatch();
	assert_runs(e, d);
	assert_int_equal(d->regs.rdi, ABORT);
	assert_int_equal(e.way, HOST_SYSCALL);
}

UNIT_TEST(death_releases_helpers_and_waits)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_local(B, 0), *d = world_thread(D, 0, 5);
	struct sm *sm = world_sm(SM, 0);
	world_pt(PB, b, 0x1000, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_call(PB), b);
	assert_runs(world_down(sm), d);
	assert_int_equal(world_call(PB).way, HOST_IDLE); /* helps b, which waits */
	assert_ptr_equal(d->callee, b);
	assert_true(b->several);

	ec_kill(b);
	assert_int_equal(sm->state, 0);
	assert_null(b->sm);
	assert_false(b->special & EC_BLOCKED);
	assert_true(list_empty(&b->parked));
	assert_false(b->several);
	assert_null(d->callee);
	host_nmi();
	assert_int_equal(a->regs.rdi, ABORT);
	assert_int_equal(d->cont, CONT_CALL);
	dispatch_yield(cpu_current());
	struct host_exit e = host_dispatch();
	assert_runs(e, d);
	assert_int_equal(d->regs.rdi, TIMEOUT); /* its call started again, and found a dead one */
}

UNIT_TEST(a_helper_dies_alone)
{
	struct ec *a = world_thread(A, 0, 5), *b = world_local(B, 0), *d = world_thread(D, 0, 6);
	world_pt(PB, b, 0x1000, 0);
	world_drop(D + 1);
	assert_runs(host_dispatch(), a);
	assert_runs(world_call(PB), b);
	sc_start(world_sc(D + 2, d, 6));
	assert_runs(host_nmi(), d);
	assert_runs(world_call(PB), b);
	ec_kill(d);
	assert_int_equal(b->special, 0);
	assert_ptr_equal(b->caller, a);
	assert_runs(host_dispatch(), b);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(A));
	assert_runs(world_reply(), a);
}

UNIT_TEST(twice_dead_is_dead)
{
	struct chain ch = make_chain();
	ec_kill(ch.c);
	ch.b->regs.rdi = 99;
	ec_kill(ch.c);
	assert_int_equal(ch.b->regs.rdi, 99);
	assert_ptr_equal(ch.b->caller, ch.a);
}

UNIT_TEST(an_idle_ec_dies_alone)
{
	struct ec *b = world_local(B, 0), *idle = cpu_current()->idle_ec;
	u64 rdi = idle->regs.rdi = 99;
	ec_kill(b);
	assert_null(b->caller); /* no call can start it any more */
	assert_int_equal(idle->regs.rdi, rdi);
	assert_int_equal(idle->cont, CONT_IDLE);
	assert_false(ec_is_dead(idle));
}

/* ---- sleep ---- */

/* Who is dead waits nowhere, so only a work item can come too late. */
UNIT_TEST(waking_the_dead_is_nothing)
{
	struct ec *a = world_thread(A, 1, 5);
	assert_runs(world_on(1), a);
	ec_block(cpu_current(), a);
	assert_int_equal(host_dispatch().way, HOST_IDLE);
	host_set_cpu(0);
	ec_wake(cpu_current(), a, SUCCESS);
	host_set_cpu(1);
	ec_kill(a);
	a->regs.rdi = 99;
	assert_int_equal(world_on(1).way, HOST_IDLE);
	assert_int_equal(a->regs.rdi, 99);
	assert_true(a->special & EC_DEAD);
}

UNIT_TEST(waking_restores_all_its_scs)
{
	struct ec *a = world_thread(A, 0, 5);
	struct sc *more[] = {world_sc(B, a, 6), world_sc(C, a, 7)};
	assert_runs(host_dispatch(), a);
	ec_block(cpu_current(), a);
	host_dispatch();
	sc_start(more[0]);
	sc_start(more[1]);
	assert_int_equal(host_nmi().way, HOST_IDLE);
	ec_wake(cpu_current(), a, ABORT);
	assert_runs(host_nmi(), a);
	assert_int_equal(a->regs.rdi, ABORT);
	assert_ptr_equal(cpu_current()->sc, more[1]);
	assert_int_equal(more[0]->state, SC_READY);
	assert_int_equal(world_sc_of(A)->state, SC_READY);
}

/* ---- SCs and helpers by the dozen ---- */

enum { SCS = 6, SC_FIRST = 300 };
static const u8 prios[SCS] = {6, 7, 6, 9, 7, 6};
static const u8 order[SCS] = {3, 1, 4, 0, 2, 5}; /* in which they are to run */

static struct ec *waits_with_scs(struct sc *scs[SCS])
{
	struct ec *a = world_ec(A, 0, true);

	a->cont = CONT_SYSRET;
	a->special |= EC_BLOCKED;
	for (unsigned i = 0; i < SCS; i++) {
		scs[i] = world_sc(SC_FIRST + i, a, prios[i]);
		sc_start(scs[i]);
		assert_int_equal(host_nmi().way, HOST_IDLE);
		assert_int_equal(scs[i]->state, SC_PARKED);
	}
	return a;
}

static void end_sc(unsigned i)
{
	world_drop(SC_FIRST + i);
	world_settle();
}

/* They run in the order of their priorities, and among equals in that in which they have come. */
static void assert_they_run(const struct ec *a, struct sc *const scs[SCS], unsigned left_out)
{
	for (unsigned i = 0; i < SCS; i++) {
		if (order[i] == left_out)
			continue;
		assert_ptr_equal(cpu_current()->sc, scs[order[i]]);
		assert_ptr_equal(cpu_current()->ec, a);
		end_sc(order[i]);
	}
	assert_null(cpu_current()->sc);
	assert_int_equal(sched_top(&cpu_current()->sched), 0);
}

UNIT_TEST(many_scs_wait_in_order)
{
	struct sc *scs[SCS];
	struct ec *a = waits_with_scs(scs);

	ec_wake(cpu_current(), a, SUCCESS);
	assert_runs(host_nmi(), a);
	assert_they_run(a, scs, SCS);
}

UNIT_TEST(each_of_many_scs_can_end)
{
	for (unsigned gone = 0; gone < SCS; gone++) {
		struct sc *scs[SCS];
		struct ec *a = waits_with_scs(scs);

		end_sc(gone);
		ec_wake(cpu_current(), a, SUCCESS);
		assert_runs(host_nmi(), a);
		assert_they_run(a, scs, gone);
		world_drop(A);
		world_settle();
	}
}

/* They are ready, and none was touched for that but the first of each priority. */
UNIT_TEST(each_of_many_scs_can_end_when_it_is_ready)
{
	for (unsigned gone = 0; gone < SCS; gone++) {
		struct sc *scs[SCS];
		struct ec *a = waits_with_scs(scs);

		ec_wake(cpu_current(), a, SUCCESS);
		end_sc(gone);
		assert_they_run(a, scs, gone);
		world_drop(A);
		world_settle();
	}
}

UNIT_TEST(all_of_many_scs_can_end_as_they_wait)
{
	struct sc *scs[SCS];
	struct ec *a = waits_with_scs(scs);

	for (unsigned i = 0; i < SCS; i++)
		end_sc(i);
	assert_true(list_empty(&a->parked_more));
	ec_wake(cpu_current(), a, SUCCESS);
	assert_int_equal(host_dispatch().way, HOST_IDLE);
	sc_start(world_sc(SC_FIRST, a, 5));
	assert_runs(host_nmi(), a);
}

enum { HELPERS = 40, HELPER_FIRST = 400 };

/* A thread has called b, and as many help it as it does not let go at once. */
static struct ec *called_by_many(struct ec *helpers[HELPERS])
{
	struct ec *a = world_thread(A, 0, 5), *b = world_local(B, 0);

	world_pt(PB, b, 0x1000, 0);
	assert_runs(host_dispatch(), a);
	assert_runs(world_call(PB), b);
	for (unsigned i = 0; i < HELPERS; i++) {
		helpers[i] = world_thread(HELPER_FIRST + 10 * i, 0, 6 + i);
		assert_runs(host_nmi(), helpers[i]);
		assert_runs(world_call(PB), b);
	}
	return b;
}

static void end_helper(unsigned i)
{
	world_drop(HELPER_FIRST + 10 * i);
	world_drop(HELPER_FIRST + 10 * i + 1);
}

/* The first answer is the caller's. Then each calls again when it is chosen, whether it was let go or not. */
UNIT_TEST(helpers_by_the_dozen_get_their_turn)
{
	struct ec *helpers[HELPERS], *b = called_by_many(helpers);

	assert_runs(world_reply(), b);
	assert_true(b->special & EC_HELPED);
	for (unsigned i = HELPERS; i--;) {
		assert_ptr_equal(b->caller, helpers[i]);
		assert_false(helpers[i]->helping);
		assert_runs(world_reply(), helpers[i]);
		assert_int_equal(helpers[i]->regs.rdi, SUCCESS);
		end_helper(i);
		host_dispatch();
	}
	assert_idle(0, b);
}

/* Somebody calls it before its helpers have their turn: they help again, with no call of their own. */
UNIT_TEST(who_is_not_let_go_helps_again)
{
	struct ec *helpers[HELPERS], *b = called_by_many(helpers);

	for (unsigned i = 0; i < HELPERS; i++)
		world_drop(HELPER_FIRST + 10 * i + 1); /* no time of their own */
	assert_runs(host_dispatch(), b);
	struct ec *a = b->caller;
	assert_runs(world_reply(), a);
	assert_true(helpers[HELPERS - 1]->helping);
	assert_runs(world_call(PB), b);
	sc_start(world_sc(D, helpers[HELPERS - 1], 100));
	assert_runs(host_nmi(), b);
	assert_ptr_equal(b->caller, a);
	assert_runs(world_reply(), b);
	assert_ptr_equal(b->caller, helpers[HELPERS - 1]);
	assert_runs(world_reply(), helpers[HELPERS - 1]);
	for (unsigned i = 0; i < HELPERS; i++)
		end_helper(i);
}

/* Each exception handler that is still helped says so, and goes on doing so. */
UNIT_TEST(a_handler_may_be_helped_by_those_it_has_answered)
{
	struct ec *helpers[HELPERS], *b = called_by_many(helpers);

	for (unsigned i = 0; i < HELPERS; i++)
		world_drop(HELPER_FIRST + 10 * i + 1);
	assert_runs(host_dispatch(), b);
	struct ec *a = b->caller;
	assert_runs(world_reply(), a);
	world_pt(WORLD_EVENTS + 6, b, 0x3000, 0);
	assert_runs(world_raise(6), b);
	assert_int_equal(b->special, EC_EXCEPTION | EC_HELPED);
	assert_runs(world_reply(), a);
	assert_int_equal(b->special, EC_HELPED);
}

UNIT_TEST(the_end_of_a_server_lets_all_helpers_go)
{
	struct ec *helpers[HELPERS], *b = called_by_many(helpers);

	world_drop(PB);
	world_drop(B);
	for (unsigned i = HELPERS; i--;) {
		struct host_exit e = host_dispatch();

		assert_runs(e, helpers[i]);
		assert_null(helpers[i]->callee);
		assert_int_equal(helpers[i]->regs.rdi, BAD_CAP);
		end_helper(i);
	}
	(void)b;
}

/* ... also if it dies without being destroyed. */
UNIT_TEST(the_death_of_a_server_lets_all_helpers_go)
{
	struct ec *helpers[HELPERS], *b = called_by_many(helpers);

	ec_kill(b);
	for (unsigned i = HELPERS; i--;) {
		assert_runs(host_dispatch(), helpers[i]);
		assert_int_equal(helpers[i]->regs.rdi, TIMEOUT);
		end_helper(i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WORLD_TEST(many_scs_wait_in_order),
		WORLD_TEST(each_of_many_scs_can_end),
		WORLD_TEST(each_of_many_scs_can_end_when_it_is_ready),
		WORLD_TEST(all_of_many_scs_can_end_as_they_wait),
		WORLD_TEST(helpers_by_the_dozen_get_their_turn),
		WORLD_TEST(who_is_not_let_go_helps_again),
		WORLD_TEST(a_handler_may_be_helped_by_those_it_has_answered),
		WORLD_TEST(the_end_of_a_server_lets_all_helpers_go),
		WORLD_TEST(the_death_of_a_server_lets_all_helpers_go),
		WORLD_TEST(a_new_ec_is_as_configured),
		WORLD_TEST(the_utcb_is_mapped_while_capabilities_last),
		WORLD_TEST(a_bad_utcb_address_leaves_nothing),
		WORLD_TEST(a_dead_pd_gets_no_ec),
		WORLD_TEST(out_of_memory_at_every_allocation),
		WORLD_TEST(the_idle_ec_needs_memory_too),
		WORLD_TEST(a_chain_leads_to_its_end),
		WORLD_TEST(helping_makes_and_cuts_edges),
		WORLD_TEST(death_at_the_end_aborts_the_call),
		WORLD_TEST(death_in_the_middle_orphans_the_callee),
		WORLD_TEST(death_in_the_middle_wakes_who_sleeps_at_the_end),
		WORLD_TEST(death_of_the_first_leaves_the_rest_to_helpers),
		WORLD_TEST(exceptions_die_with_their_handler),
		WORLD_TEST(a_handler_whose_sender_dies_goes_on),
		WORLD_TEST(a_call_that_was_started_over_is_aborted_once),
		WORLD_TEST(death_releases_helpers_and_waits),
		WORLD_TEST(a_helper_dies_alone),
		WORLD_TEST(twice_dead_is_dead),
		WORLD_TEST(an_idle_ec_dies_alone),
		WORLD_TEST(waking_the_dead_is_nothing),
		WORLD_TEST(waking_restores_all_its_scs),
	};
	return cmocka_run_group_tests_name("core/ec", tests, NULL, NULL);
}
