/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions and events: what the handler is told, what its answer changes, and who dies without one. */
#include "world.h"

#include "../hog.h"

enum { A = 100, B = 110, C = 120, D = 130, PB = 150, TO = 160 };

#define VECTOR 14
#define ALL_GPRS (MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15)
#define ALL_STATE (ALL_GPRS | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS)

static struct ec *a, *h;
static struct pt *pt;
static struct hog hog;

/* a runs; h handles event VECTOR. */
static int setup(void **state)
{
	world_setup(state);
	a = world_thread(A, 0, 5);
	h = world_local(B, 0);
	pt = world_pt(WORLD_EVENTS + VECTOR, h, 0x1000, ALL_STATE | MTD_QUAL);
	pt->id = 0x1d;
	assert_runs(host_dispatch(), a);
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

static void fill_regs(struct ec *ec, u64 seed)
{
	u64 *r = &ec->regs.rax;
	for (unsigned i = 0; i < sizeof(struct regs) / 8; i++)
		r[i] = seed + i;
	ec->regs.rflags = 0x246;
}

static void fill_utcb(struct ec *ec, u64 seed)
{
	u64 *word = (u64 *)ec->utcb;
	for (unsigned i = 0; i < UTCB_SIZE / 8; i++)
		word[i] = seed + i;
}

/* ---- the message ---- */

UNIT_TEST(the_handler_is_started_like_a_callee)
{
	h->regs.rsp = 0x6000;
	struct host_exit e = world_raise(VECTOR);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_runs(e, h);
	assert_int_equal(h->regs.rip, 0x1000);
	assert_int_equal(h->regs.rdi, 0x1d);
	assert_int_equal(h->regs.rsp, 0x6000);
	assert_ptr_equal(h->caller, a);
	assert_ptr_equal(a->callee, h);
	assert_int_equal(h->special, EC_EXCEPTION);
	assert_int_equal(h->utcb->items, UTCB_STATE_WORDS);
	assert_int_equal(h->utcb->state.mtd, ALL_STATE | MTD_QUAL);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(A));
}

UNIT_TEST(the_message_has_the_state)
{
	fill_regs(a, 0x100);
	world_raise(VECTOR);
	const struct utcb_state *u = &h->utcb->state;
	const struct regs *r = &a->regs;
	assert_memory_equal(&u->rax, &r->rax, 4 * 8);
	assert_int_equal(u->rsp, r->rsp);
	assert_memory_equal(&u->rbp, &r->rbp, 3 * 8);
	assert_memory_equal(&u->r8, &r->r8, 8 * 8);
	assert_int_equal(u->rip, r->rip);
	assert_int_equal(u->rflags, 0x246);
	assert_int_equal(u->qual[0], r->error);
	assert_int_equal(u->qual[1], r->cr2);
}

/* Each bit of the descriptor, alone: nothing else of the UTCB changes. */
UNIT_TEST(the_descriptor_selects)
{
	for (unsigned bit_no = 0; bit_no < 32; bit_no++) {
		pt->mtd = bit(bit_no);
		fill_regs(a, 0x100);
		fill_utcb(h, 0x2000);
		struct utcb expected = *h->utcb;
		world_raise(VECTOR);
		expected.items = UTCB_STATE_WORDS;
		expected.state.mtd = pt->mtd;
		struct utcb_state *u = &expected.state;
		if (pt->mtd == MTD_GPR_ACDB)
			memcpy(&u->rax, &a->regs.rax, 4 * 8);
		if (pt->mtd == MTD_GPR_BSD)
			memcpy(&u->rbp, &a->regs.rbp, 3 * 8);
		if (pt->mtd == MTD_GPR_R8_R15)
			memcpy(&u->r8, &a->regs.r8, 8 * 8);
		if (pt->mtd == MTD_RSP)
			u->rsp = a->regs.rsp;
		if (pt->mtd == MTD_RIP_LEN)
			u->rip = a->regs.rip;
		if (pt->mtd == MTD_RFLAGS)
			u->rflags = a->regs.rflags;
		if (pt->mtd == MTD_QUAL)
			u->qual[0] = a->regs.error, u->qual[1] = a->regs.cr2;
		assert_memory_equal(h->utcb, &expected, UTCB_SIZE);
		h->utcb->state.mtd = 0;
		assert_runs(world_reply(), a);
	}
}

UNIT_TEST(the_permission_to_call_is_not_asked)
{
	host_revoke(world_pd, WORLD_EVENTS + VECTOR, 0, PERM_PT_CALL, true);
	assert_runs(world_raise(VECTOR), h);
}

/* ---- the answer ---- */

UNIT_TEST(the_answer_goes_back_to_the_trap)
{
	fill_regs(a, 0x100);
	struct regs before = a->regs;
	world_raise(VECTOR);
	h->utcb->state.mtd = 0;
	h->utcb->state.rip = 0x5555;
	struct host_exit e = world_reply();
	assert_int_equal(e.way, HOST_TRAP);
	assert_runs(e, a);
	assert_memory_equal(&a->regs, &before, sizeof(before));
	assert_idle(0, h);
	assert_null(a->callee);
}

UNIT_TEST(the_answer_selects_too)
{
	for (unsigned bit_no = 0; bit_no < 32; bit_no++) {
		fill_regs(a, 0x100);
		world_raise(VECTOR);
		fill_utcb(h, 0x2000);
		h->utcb->items = 0;
		h->utcb->state.mtd = bit(bit_no);
		const struct utcb_state *u = &h->utcb->state;
		struct regs expected = a->regs;
		switch (u->mtd) {
		case MTD_GPR_ACDB:
			memcpy(&expected.rax, &u->rax, 4 * 8);
			break;
		case MTD_GPR_BSD:
			memcpy(&expected.rbp, &u->rbp, 3 * 8);
			break;
		case MTD_GPR_R8_R15:
			memcpy(&expected.r8, &u->r8, 8 * 8);
			break;
		case MTD_RSP:
			expected.rsp = u->rsp;
			break;
		case MTD_RIP_LEN:
			expected.rip = u->rip;
			break;
		case MTD_RFLAGS:
			expected.rflags = (u->rflags & 0x240dd5) | 2;
			break;
		}
		assert_runs(world_reply(), a);
		assert_memory_equal(&a->regs, &expected, sizeof(expected));
	}
}

/* IF, IOPL, NT, RF, VM, VIF and VIP are not the user's. */
UNIT_TEST(flags_are_filtered)
{
	for (unsigned n = 0; n < 64; n++) {
		world_raise(VECTOR);
		h->utcb->items = 0;
		h->utcb->state.mtd = MTD_RFLAGS;
		h->utcb->state.rflags = bit(n);
		assert_runs(world_reply(), a);
		bool users = n == 0 || n == 2 || n == 4 || n == 6 || n == 7 || n == 8 || n == 10 || n == 11 ||
			     n == 18 || n == 21;
		assert_int_equal(a->regs.rflags, (users ? bit(n) : 0) | 2);
	}
}

UNIT_TEST(a_rip_that_is_none_kills)
{
	world_raise(VECTOR);
	h->utcb->items = 0;
	h->utcb->state.mtd = MTD_RIP_LEN;
	h->utcb->state.rip = 1ull << 47;
	assert_int_equal(world_reply().way, HOST_IDLE);
	assert_true(ec_is_dead(a));
	assert_null(a->callee);
	assert_idle(0, h);
	assert_ptr_equal(a->parked.next, &world_sc_of(A)->link);
}

UNIT_TEST(a_rip_that_is_none_kills_on_the_slow_way_too)
{
	struct ec *helper = world_local(C, 0);
	world_raise(VECTOR);
	ec_help(helper, h);
	h->utcb->items = 0;
	h->utcb->state.mtd = MTD_RIP_LEN;
	h->utcb->state.rip = 1ull << 63;
	assert_int_equal(world_reply().way, HOST_IDLE);
	assert_true(ec_is_dead(a));
	assert_idle(0, h);
	assert_null(helper->callee);
}

UNIT_TEST(a_slow_answer_is_an_answer)
{
	struct ec *helper = world_local(C, 0);
	world_raise(VECTOR);
	ec_help(helper, h);
	h->utcb->items = 0;
	h->utcb->state.mtd = MTD_RIP_LEN | MTD_RSP;
	h->utcb->state.rip = 0x4000;
	h->utcb->state.rsp = 0x5000;
	struct host_exit e = world_reply();
	assert_int_equal(e.way, HOST_TRAP);
	assert_runs(e, a);
	assert_int_equal(a->regs.rip, 0x4000);
	assert_int_equal(a->regs.rsp, 0x5000);
	assert_idle(0, h);
}

UNIT_TEST(a_hazard_waits_for_the_answer)
{
	world_raise(VECTOR);
	struct ec *d = world_thread(D, 0, 9);
	h->utcb->items = 0;
	h->utcb->state.mtd = MTD_RIP_LEN;
	h->utcb->state.rip = 0x4000;
	assert_runs(world_reply(), d);
	assert_idle(0, h);
	world_drop(D);
	world_drop(D + 1);
	struct host_exit e = host_dispatch();
	assert_int_equal(e.way, HOST_TRAP);
	assert_runs(e, a);
	assert_int_equal(a->regs.rip, 0x4000);
}

/* The answer may name a semaphore; RDI is not the place for a status then. */
UNIT_TEST(waiting_before_going_on_leaves_the_registers)
{
	struct sm *sm = world_sm(TO, 0);
	fill_regs(a, 0x100);
	struct regs before = a->regs;
	for (unsigned i = 0; i < 3; i++) {
		assert_runs(world_raise(VECTOR), h);
		h->utcb->items = h->utcb->state.mtd = 0;
		if (i < 2)
			assert_int_equal(world_reply_sm(TO).way, HOST_IDLE);
		if (i == 0)
			sm_up(sm);
		if (i == 1)
			assert_false(sm_retire(sm));
		struct host_exit e = i < 2 ? host_nmi() : world_reply_sm(TO); /* at last it has ended already */
		assert_int_equal(e.way, HOST_TRAP);
		assert_runs(e, a);
		assert_memory_equal(&a->regs, &before, sizeof(before));
		assert_idle(0, h);
	}
}

/* ---- typed items: memory at the address that faulted ---- */

static u64 mapped(u64 va)
{
	unsigned order;
	return ptab_lookup(&world_pd->mem.host, va >> PAGE_BITS, &order) & PTE_ADDR;
}

UNIT_TEST(items_go_to_the_page_that_faulted)
{
	void *page = page_alloc_zeroed();
	assert_int_equal(space_mem_map_program_page(world_pd, 0x400000, page, true, false), SUCCESS);
	a->regs.cr2 = 0x7654321;
	world_raise(VECTOR);
	h->utcb->xlt = h->utcb->del = a->utcb->del = 0;
	h->utcb->state.mtd = 0;
	h->utcb->items = 1 << 16;
	*UTCB_TYPED(h->utcb, 0) =
		(struct utcb_item){crd_make(CRD_MEM, 0x400, 0, PERM_ALL), ITEM_DELEGATE | 0x7654321 >> 12 << 12};
	assert_runs(world_reply(), a);
	assert_int_equal(mapped(0x7654321), heap_phys(page).v);
	assert_int_equal(UTCB_TYPED(h->utcb, 0)->meta, ITEM_DELEGATE | 0x7654321 >> 12 << 12); /* not written back */
	space_mem_revoke(world_pd, 0x7654, 0);
	space_mem_revoke(world_pd, 0x400, 0);
	page_free(page);
}

/* Else the EC would just fault again, for ever. */
UNIT_TEST(an_answer_without_memory_is_death)
{
	void *page = page_alloc_zeroed();
	assert_int_equal(space_mem_map_program_page(world_pd, 0x400000, page, true, false), SUCCESS);
	a->regs.cr2 = 0x7654321000;
	world_raise(VECTOR);
	h->utcb->state.mtd = 0;
	h->utcb->items = 3 << 16; /* those behind it make no difference */
	for (unsigned i = 0; i < 3; i++)
		*UTCB_TYPED(h->utcb, i) = (struct utcb_item){crd_make(CRD_MEM, 0x400, 0, PERM_ALL),
							     ITEM_DELEGATE | (0x7654321000 + (i << 30))};
	hog_take(&hog, 0);
	struct host_exit e = world_reply();
	hog_release(&hog);
	assert_int_equal(e.way, HOST_IDLE);
	assert_true(ec_is_dead(a));
	assert_null(a->callee);
	assert_idle(0, h);
	assert_int_equal(h->unfinished.item, 0);
	space_mem_revoke(world_pd, 0x400, 0);
	page_free(page);
}

/* ---- extended state ---- */

UNIT_TEST(the_handler_has_its_own_extended_state)
{
	host_state[0].fpu = 0xa;
	world_raise(VECTOR);
	assert_int_equal(host_state[0].fpu, HOST_FPU_INITIAL);
	host_state[0].fpu = 0xb;
	h->utcb->items = h->utcb->state.mtd = 0;
	world_reply();
	assert_int_equal(host_state[0].fpu, 0xa);
	world_raise(VECTOR);
	assert_int_equal(host_state[0].fpu, 0xb);
}

UNIT_TEST(the_handler_may_get_and_give_extended_state)
{
	pt->mtd = MTD_FPU;
	host_state[0].fpu = 0xa;
	world_raise(VECTOR);
	assert_int_equal(host_state[0].fpu, 0xa);
	host_state[0].fpu = 0xc;
	h->utcb->items = 0;
	h->utcb->state.mtd = MTD_FPU;
	world_reply();
	assert_int_equal(host_state[0].fpu, 0xc);

	host_state[0].fpu = 0xd;
	world_raise(VECTOR);
	host_state[0].fpu = 0xe;
	h->utcb->items = h->utcb->state.mtd = 0;
	world_reply();
	assert_int_equal(host_state[0].fpu, 0xd); /* its own again */
}

/* ---- no handler ---- */

static void assert_dies(unsigned event)
{
	assert_int_equal(world_raise(event).way, HOST_IDLE);
	assert_true(ec_is_dead(a));
	assert_null(a->callee);
	assert_int_equal(world_sc_of(A)->state, SC_PARKED);
}

UNIT_TEST(without_portal_is_death)
{
	assert_dies(VECTOR + 1);
}

UNIT_TEST(with_something_else_is_death)
{
	world_sm(WORLD_EVENTS + 1, 0);
	assert_dies(1);
}

UNIT_TEST(beyond_the_space_is_death)
{
	a->event_base = HEDRON_SEL_NUM - 1;
	assert_dies(1);
}

UNIT_TEST(the_selector_does_not_wrap)
{
	world_pt(2, h, 0x1000, 0);
	a->event_base = ~0u;
	assert_dies(3);
}

UNIT_TEST(a_handler_elsewhere_is_death)
{
	struct ec *c = world_local(C, 1);
	world_pt(WORLD_EVENTS + 1, c, 0x1000, 0);
	assert_dies(1);
	assert_idle(1, c);
}

UNIT_TEST(a_dead_handler_is_death)
{
	ec_kill(h);
	assert_dies(VECTOR);
}

UNIT_TEST(a_handler_into_nowhere_is_death_to_both)
{
	struct ec *c = world_local(C, 0);
	world_pt(WORLD_EVENTS + 1, c, 1ull << 47, 0);
	assert_dies(1);
	assert_true(ec_is_dead(c));
}

UNIT_TEST(a_handler_that_handles_itself_dies)
{
	world_raise(VECTOR);
	assert_int_equal(world_raise(VECTOR).way, HOST_IDLE);
	assert_true(ec_is_dead(h));
	assert_true(ec_is_dead(a)); /* it waited in an exception */
}

UNIT_TEST(callers_of_the_dead_get_abort)
{
	struct ec *c = world_local(C, 0);
	world_pt(PB, c, 0x3000, 0);
	assert_runs(world_call(PB), c);
	struct host_exit e = world_raise(VECTOR + 1);
	assert_runs(e, a);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_int_equal(a->regs.rdi, ABORT);
	assert_true(ec_is_dead(c));
}

/* ---- a busy handler ---- */

UNIT_TEST(a_busy_handler_is_helped)
{
	assert_runs(world_raise(VECTOR), h);
	struct ec *d = world_thread(D, 0, 9);
	assert_runs(host_nmi(), d);
	fill_regs(d, 0x900);
	d->regs.rip = 0x9000;
	struct regs before = d->regs;
	assert_runs(world_raise(VECTOR), h);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(D));
	assert_int_equal(d->cont, CONT_EVENT);
	assert_int_equal(d->event, VECTOR);
	assert_true(h->special & EC_HELPED);

	h->utcb->items = h->utcb->state.mtd = 0;
	assert_runs(world_reply(), h); /* a is answered; d's event is raised again */
	assert_ptr_equal(h->caller, d);
	assert_int_equal(h->utcb->state.rip, 0x9000);
	assert_int_equal(a->cont, CONT_IRET);
	h->utcb->items = h->utcb->state.mtd = 0;
	struct host_exit e = world_reply();
	assert_runs(e, d);
	assert_int_equal(e.way, HOST_TRAP);
	assert_memory_equal(&d->regs, &before, sizeof(before));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_handler_is_started_like_a_callee),
		T(the_message_has_the_state),
		T(the_descriptor_selects),
		T(the_permission_to_call_is_not_asked),
		T(the_answer_goes_back_to_the_trap),
		T(the_answer_selects_too),
		T(flags_are_filtered),
		T(a_rip_that_is_none_kills),
		T(a_rip_that_is_none_kills_on_the_slow_way_too),
		T(a_slow_answer_is_an_answer),
		T(a_hazard_waits_for_the_answer),
		T(waiting_before_going_on_leaves_the_registers),
		T(items_go_to_the_page_that_faulted),
		T(an_answer_without_memory_is_death),
		T(the_handler_has_its_own_extended_state),
		T(the_handler_may_get_and_give_extended_state),
		T(without_portal_is_death),
		T(with_something_else_is_death),
		T(beyond_the_space_is_death),
		T(the_selector_does_not_wrap),
		T(a_handler_elsewhere_is_death),
		T(a_dead_handler_is_death),
		T(a_handler_into_nowhere_is_death_to_both),
		T(a_handler_that_handles_itself_dies),
		T(callers_of_the_dead_get_abort),
		T(a_busy_handler_is_helped),
	};
	return cmocka_run_group_tests_name("core/exception", tests, NULL, NULL);
}
