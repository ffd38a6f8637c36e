/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call and reply: the fast paths, messages of every length, typed items, replies. */
#include "ipc_fixture.h"

#include "core/scarce.h"
#include "hog.h"

static struct hog hog;

/* ---- the usual case ---- */

UNIT_TEST(a_call_starts_the_callee)
{
	b->regs.rbx = 7;
	u32 switches = host_calls[0].switches;
	struct host_exit e = world_call(PB);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_runs(e, b);
	assert_ptr_equal(cpu_current()->ec, b);
	assert_ptr_equal(cpu_current()->sc, world_sc_of(A));
	assert_int_equal(host_calls[0].switches, switches + 1);
	assert_int_equal(b->regs.rip, 0x1000);
	assert_int_equal(b->regs.rdi, 0x1d);
	assert_int_equal(b->regs.rsp, WORLD_RSP);
	assert_int_equal(b->regs.rbx, 7);
	assert_ptr_equal(b->caller, a);
	assert_ptr_equal(a->callee, b);
	assert_false(a->helping);
	assert_int_equal(b->special, 0);
}

UNIT_TEST(a_reply_ends_the_call)
{
	a->regs.rdi = 99;
	world_call(PB);
	b->regs.rsp = 0x6ff0;
	struct host_exit e = world_reply();
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_runs(e, a);
	assert_int_equal(a->regs.rdi, SUCCESS);
	assert_null(a->callee);
	assert_idle(0, b);
	assert_runs(world_call(PB), b);
	assert_int_equal(b->regs.rsp, 0x6ff0); /* where it was */
}

UNIT_TEST(the_id_may_change)
{
	((struct pt *)cap_object(space_obj_slot(&world_pd->objs, PB)->cap))->id = ~0ull;
	world_call(PB);
	assert_int_equal(b->regs.rdi, ~0ull);
}

UNIT_TEST(calls_nest)
{
	struct ec *chain[20] = {a};
	for (unsigned i = 1; i < 20; i++) {
		chain[i] = world_local(200 + i, 0);
		world_pt(300 + i, chain[i], 0x1000 * i, 0);
		assert_runs(world_call(300 + i), chain[i]);
	}
	for (unsigned i = 20; --i;) {
		assert_ptr_equal(ec_chain_end(a), chain[i]);
		assert_runs(world_reply(), chain[i - 1]);
		assert_idle(0, chain[i]);
	}
}

/* ---- messages ---- */

static void fill(struct ec *ec, u64 seed)
{
	for (unsigned i = 0; i < UTCB_WORDS_MAX; i++)
		ec->utcb->words[i] = seed + i;
	ec->utcb->items = seed;
	ec->utcb->xlt = seed + 1000;
	ec->utcb->del = seed + 1001;
	ec->utcb->tls = seed + 1002;
}

static void assert_message(struct ec *ec, u64 items, u64 n, u64 sent, u64 kept)
{
	assert_int_equal(ec->utcb->items, items);
	for (u64 i = 0; i < UTCB_WORDS_MAX; i++)
		assert_int_equal(ec->utcb->words[i], (i < n ? sent : kept) + i);
	assert_int_equal(ec->utcb->xlt, kept + 1000);
	assert_int_equal(ec->utcb->del, kept + 1001);
	assert_int_equal(ec->utcb->tls, kept + 1002);
}

UNIT_TEST(messages_of_every_length)
{
	const u64 more[] = {509, 510, 1000, 0x7fff, 0x8000, 0xffff};
	for (u64 i = 0; i <= UTCB_WORDS_MAX + array_size(more); i++) {
		u64 n = i <= UTCB_WORDS_MAX ? i : more[i - UTCB_WORDS_MAX - 1];
		u64 copied = min_u64(n, UTCB_WORDS_MAX);
		fill(a, 0x10000);
		fill(b, 0x20000);
		a->utcb->items = n;
		assert_runs(world_call(PB), b);
		assert_message(b, n, copied, 0x10000, 0x20000);
		assert_int_equal(a->utcb->words[0], 0x10000);

		fill(b, 0x30000);
		b->utcb->items = n;
		assert_runs(world_reply(), a);
		assert_message(a, n, copied, 0x30000, 0x10000);
	}
}

/* Bits that mean nothing are handed on. */
UNIT_TEST(the_header_arrives_unmodified)
{
	fill(a, 1000);
	fill(b, 2000);
	a->utcb->items = 0xdeadbeef00000000 | 3;
	world_call(PB);
	assert_message(b, 0xdeadbeef00000003, 3, 1000, 2000);
	b->utcb->items = 0xffffffff00000000;
	world_reply();
	assert_message(a, 0xffffffff00000000, 0, 0, 1000);
}

/* ---- typed items ---- */

static void put(struct ec *ec, unsigned i, crd_t crd, u64 meta)
{
	*UTCB_TYPED(ec->utcb, i) = (struct utcb_item){crd, meta};
}

UNIT_TEST(the_number_of_items_is_capped)
{
	const u64 counts[] = {1, 2, 253, 254, 255, 300, 0xffff};
	for (unsigned k = 0; k < array_size(counts); k++) {
		u64 n = min_u64(counts[k], UTCB_ITEMS_MAX);
		fill(a, 0x10000);
		fill(b, 0x20000);
		for (unsigned i = 0; i < UTCB_ITEMS_MAX; i++)
			put(a, i, crd_make(CRD_OBJ, i, 0, PERM_ALL), (u64)i << 12 | 0xff4); /* translate: no window */
		a->utcb->items = counts[k] << 16;
		world_call(PB);
		assert_int_equal(b->utcb->items, counts[k] << 16);
		for (unsigned i = 0; i < UTCB_ITEMS_MAX; i++) {
			struct utcb_item *item = UTCB_TYPED(b->utcb, i);
			u64 word = 2 * (UTCB_ITEMS_MAX - 1 - i);
			assert_int_equal(item->crd, i < n ? 0 : 0x20000 + word);
			assert_int_equal(item->meta, i < n ? 0xff4 : 0x20000 + word + 1);
		}
		assert_int_equal(b->utcb->del, 0x20000 + 1001);
		assert_int_equal(b->utcb->tls, 0x20000 + 1002);
		world_reply();
	}
}

static crd_t cap_at(u64 sel)
{
	const struct cap_slot *s = space_obj_slot(&world_pd->objs, sel);
	return s ? s->cap : 0;
}

UNIT_TEST(items_follow_the_receivers_windows)
{
	struct sm *sm = world_sm(SM, 0);
	fill(a, 1000);
	a->utcb->items = 2 | 2 << 16;
	put(a, 0, crd_make(CRD_OBJ, SM, 0, PERM_ALL), ITEM_DELEGATE);
	put(a, 1, crd_make(CRD_OBJ, EMPTY, 0, PERM_ALL), ITEM_TRANSLATE);
	b->utcb->xlt = 0;
	b->utcb->del = crd_make(CRD_OBJ, TO, 0, PERM_SM_UP);
	a->utcb->del = crd_make(CRD_OBJ, TO + 1, 0, PERM_ALL);
	world_call(PB);
	assert_int_equal(b->utcb->words[0], 1000);
	assert_int_equal(b->utcb->words[1], 1001);
	assert_int_equal(cap_at(TO), cap_make(&sm->obj, PERM_SM_UP));
	assert_int_equal(cap_at(TO + 1), 0);
	assert_int_equal(UTCB_TYPED(b->utcb, 0)->crd, crd_make(CRD_OBJ, TO, 0, PERM_SM_UP));
	assert_int_equal(UTCB_TYPED(b->utcb, 0)->meta, ITEM_DELEGATE);
	assert_int_equal(UTCB_TYPED(b->utcb, 1)->crd, 0);

	/* And back: the caller's window. */
	b->utcb->items = 1 << 16;
	put(b, 0, crd_make(CRD_OBJ, SM, 0, PERM_ALL), ITEM_DELEGATE);
	world_reply();
	assert_int_equal(cap_at(TO + 1), cap_make(&sm->obj, PERM_SM_ALL));
	assert_int_equal(UTCB_TYPED(a->utcb, 0)->crd, crd_make(CRD_OBJ, TO + 1, 0, PERM_ALL));
}

UNIT_TEST(items_without_memory_arrive_empty)
{
	const u64 far = 1 << 20; /* no table there yet */
	world_sm(SM, 0);
	a->utcb->items = 1 << 16;
	put(a, 0, crd_make(CRD_OBJ, SM, 0, PERM_ALL), ITEM_DELEGATE | 0x5000);
	b->utcb->del = crd_make(CRD_OBJ, far, 0, PERM_ALL);
	hog_take(&hog, 0);
	struct host_exit e = world_call(PB);
	hog_release(&hog);
	assert_runs(e, b);
	assert_int_equal(UTCB_TYPED(b->utcb, 0)->crd, 0);
	assert_int_equal(UTCB_TYPED(b->utcb, 0)->meta, ITEM_DELEGATE);
	assert_int_equal(cap_at(far), 0);
}

/* A page that was deleted waits for a grace period: the item waits for it, too, and arrives. */
static void delete_a_page(void)
{
	const u64 kp = 300;
	struct kp *page;

	assert_int_equal(kp_create(world_pd, &page), SUCCESS);
	world_insert(kp, &page->obj, PERM_ALL);
	hog_take(&hog, 0);
	world_cpu(1)->sleeping = SLEEPING_NOT; /* else the grace period would be over at once */
	world_drop(kp);
	host_dispatch();
	world_cpu(1)->sleeping = SLEEPING_MWAIT;
	assert_int_equal(page_free_count(), 0);
}

UNIT_TEST(items_wait_for_what_was_deleted)
{
	const u64 near = 1 << 14; /* a page of slots is all that is missing there */
	world_sm(SM, 0);
	assert_int_equal(space_obj_delegate(world_pd, SM, world_pd, near + 1024, 0, PERM_ALL), SUCCESS);
	for (unsigned reply = 0; reply < 2; reply++) {
		struct ec *from = reply ? b : a, *to = reply ? a : b;
		u64 at = near + reply * CAP_SLOTS_PER_PAGE;
		delete_a_page();
		from->utcb->items = 2 << 16;
		put(from, 0, crd_make(CRD_OBJ, SM, 0, PERM_ALL), ITEM_DELEGATE | at << 12);
		put(from, 1, crd_make(CRD_OBJ, SM, 0, PERM_ALL), ITEM_DELEGATE | (at + 1) << 12);
		to->utcb->del = crd_make(CRD_OBJ, 0, 20, PERM_ALL);
		struct host_exit e = reply ? world_reply() : world_call(PB);
		hog_release(&hog);
		assert_runs(e, to);
		assert_int_equal(UTCB_TYPED(to->utcb, 0)->crd, crd_make(CRD_OBJ, at, 0, PERM_ALL));
		assert_int_equal(UTCB_TYPED(to->utcb, 1)->crd, crd_make(CRD_OBJ, at + 1, 0, PERM_ALL));
		assert_int_not_equal(cap_at(at), 0);
		assert_int_equal(to->unfinished.scarce, SCARCE_NOT);
		assert_int_equal(from->unfinished.scarce, SCARCE_NOT);
	}
}

/* ---- replies ---- */

UNIT_TEST(a_reply_may_name_a_semaphore)
{
	struct sm *sm = world_sm(SM, 1);
	b->utcb->items = 0;
	world_call(PB);
	assert_runs(world_reply_sm(SM), a); /* the count lets it go on */
	assert_int_equal(a->regs.rdi, SUCCESS);
	assert_int_equal(sm->state, 0);

	world_call(PB);
	assert_int_equal(world_reply_sm(SM).way, HOST_IDLE);
	assert_idle(0, b);
	assert_true(a->special & EC_BLOCKED);
	assert_ptr_equal(a->sm, sm);
	assert_null(a->callee);
}

UNIT_TEST(the_semaphore_wakes_the_caller)
{
	struct sm *sm = world_sm(SM, 0);
	world_call(PB);
	b->utcb->items = 2;
	b->utcb->words[0] = 0xb0;
	b->utcb->words[1] = 0xb1;
	assert_int_equal(world_reply_sm(SM).way, HOST_IDLE);
	assert_int_equal(a->utcb->items, 2);
	assert_int_equal(a->utcb->words[1], 0xb1);
	sm_up(sm);
	struct host_exit e = host_nmi();
	assert_runs(e, a);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_int_equal(a->regs.rdi, SUCCESS);

	world_call(PB);
	world_reply_sm(SM);
	world_drop(SM);
	assert_runs(host_nmi(), a);
	assert_int_equal(a->regs.rdi, BAD_CAP);
}

/* The capability was there a moment ago. */
UNIT_TEST(a_semaphore_that_ends_meanwhile_holds_nobody)
{
	struct sm *sm = world_sm(SM, 0);
	world_call(PB);
	assert_false(sm_retire(sm));
	assert_runs(world_reply_sm(SM), a);
	assert_int_equal(a->regs.rdi, BAD_CAP);
	assert_idle(0, b);
}

UNIT_TEST(a_reply_to_a_bad_semaphore_is_none)
{
	world_sm(SM, 0);
	host_revoke(world_pd, SM, 0, PERM_SM_DOWN, true);
	world_call(PB);
	const u64 sels[] = {EMPTY, SM, PB, HEDRON_SEL_NUM, ~0ull >> 12};
	for (unsigned i = 0; i < array_size(sels); i++) {
		b->regs.rdi = 99;
		struct host_exit e = world_reply_sm(sels[i]);
		assert_runs(e, b);
		assert_int_equal(b->regs.rdi, BAD_CAP);
		assert_ptr_equal(b->caller, a);
	}
	assert_runs(world_reply(), a);
}

UNIT_TEST(flags_of_a_reply_mean_nothing)
{
	world_call(PB);
	assert_runs(host_run(world_reply_fn, (void *)HC_ARG1(HC_REPLY, 15, 0)), a);
	assert_int_equal(a->regs.rdi, SUCCESS);
	assert_idle(0, b);
}

UNIT_TEST(a_slow_reply_carries_the_same_message)
{
	struct ec *d = world_local(D, 0);
	for (u64 n = 0; n <= UTCB_WORDS_MAX + 2; n += 51) {
		world_call(PB);
		ec_help(d, b); /* makes it slow */
		fill(a, 1000);
		fill(b, 2000);
		b->utcb->items = n;
		assert_runs(world_reply(), a);
		assert_message(a, n, min_u64(n, UTCB_WORDS_MAX), 2000, 1000);
		assert_null(d->callee);
		assert_idle(0, b);
	}
}

UNIT_TEST(hazards_are_seen_to_before_user_code)
{
	struct ec *d = world_thread(D, 0, 6); /* HAZARD_SCHED */
	struct host_exit e = world_call(PB);
	assert_runs(e, d);
	assert_ptr_equal(b->caller, a); /* the call was made */
	assert_int_equal(b->cont, CONT_SYSRET);
	world_drop(D);
	world_drop(D + 1);
	e = host_dispatch();
	assert_runs(e, b);
	assert_int_equal(e.way, HOST_SYSCALL);
	assert_int_equal(b->regs.rip, 0x1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_call_starts_the_callee),
		T(a_reply_ends_the_call),
		T(the_id_may_change),
		T(calls_nest),
		T(messages_of_every_length),
		T(the_header_arrives_unmodified),
		T(the_number_of_items_is_capped),
		T(items_follow_the_receivers_windows),
		T(items_without_memory_arrive_empty),
		T(items_wait_for_what_was_deleted),
		T(a_semaphore_that_ends_meanwhile_holds_nobody),
		T(a_reply_may_name_a_semaphore),
		T(the_semaphore_wakes_the_caller),
		T(a_reply_to_a_bad_semaphore_is_none),
		T(flags_of_a_reply_mean_nothing),
		T(a_slow_reply_carries_the_same_message),
		T(hazards_are_seen_to_before_user_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
