/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame around each test: faults, the watchdog, cleaning up. */
#include "guest.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/event.h"
#include "rt/hip.h"
#include "rt/message.h"
#include "rt/panic.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/thread.h"

#define CATCH_MTD (MTD_GPR_ACDB | MTD_GPR_BSD | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS | MTD_QUAL)
#define RFLAGS_CLEAN 0x202ul
#define NON_CANONICAL 0x8000000000000000ul
#define VECTOR_NMI 2
#define TESTS_MAX 256
#define WATCHDOG_TURNS 300000

struct guest_fault guest_fault;
sel_t guest_events;

extern const uint8_t probe_read[], probe_write[], probe_in[], probe_out[], probe_failed[], probe_exec_failed[];
extern uint64_t probe_exec_target;

static struct guest_jump *jump_top, *jump_test;
static struct rt_ec catcher, catcher_others;
static sel_t sel_next;
static volatile unsigned long idle_turns;

void guest_push(struct guest_jump *j)
{
	j->up = jump_top;
	jump_top = j;
}

void guest_pop(struct guest_jump *j)
{
	jump_top = j->up;
}

_Noreturn void guest_leave(void)
{
	struct guest_jump *to = jump_test;

	if (!to)
		rt_panic("nothing to leave");
	jump_top = to->up;
	guest_jump(to);
}

static void record(const struct utcb_state *s, unsigned vector)
{
	guest_fault = (struct guest_fault){vector, s->rip, s->rsp, s->rflags, s->qual[0], s->qual[1]};
}

static bool probe(struct utcb_state *s)
{
	const uint8_t *rip = (const uint8_t *)s->rip;

	if (s->rip == probe_exec_target)
		s->rip = (uint64_t)probe_exec_failed;
	else if (rip == probe_read || rip == probe_write || rip == probe_in || rip == probe_out)
		s->rip = (uint64_t)probe_failed;
	else
		return false;
	s->mtd = MTD_RIP_LEN;
	return true;
}

/* Faults of main(): go on at the innermost mark. */
static void caught(struct utcb *utcb, void *arg)
{
	struct utcb_state *s = &utcb->state;
	struct guest_jump *to = jump_top;

	record(s, (unsigned)(unsigned long)arg);
	if (probe(s))
		return;
	if (!to)
		rt_panic("unexpected fault: vector %u, rip %#lx, error %#lx, cr2 %#lx", guest_fault.vector,
			 guest_fault.rip, guest_fault.error, guest_fault.cr2);
	jump_top = to->up;
	s->rip = (uint64_t)guest_jump;
	s->rdi = (uint64_t)to;
	s->rsp = to->reg[6] - 8;
	s->rflags = RFLAGS_CLEAN;
	s->mtd = MTD_RIP_LEN | MTD_RSP | MTD_RFLAGS | MTD_GPR_BSD;
}

/* Faults of others: the test fails, the EC ends, those who wait for it go on. */
static void caught_other(struct utcb *utcb, void *arg)
{
	struct utcb_state *s = &utcb->state;

	record(s, (unsigned)(unsigned long)arg);
	if (probe(s))
		return;
	test_fail("fault", 0, "another EC raised vector %u at rip %#lx, error %#lx, cr2 %#lx", guest_fault.vector,
		  guest_fault.rip, guest_fault.error, guest_fault.cr2);
	s->mtd = MTD_RIP_LEN;
	s->rip = NON_CANONICAL;
}

static void catch_all(sel_t events, struct rt_ec *ec, rt_handler *fn)
{
	ec->cpu = rt_cpu;
	ec->events = GUEST_NOTHING;
	RT_MUST(rt_ec_local(ec));
	for (unsigned long v = 0; v < HEDRON_SEL_EXC; v++)
		if (v != HEDRON_EXC_STARTUP && v != VECTOR_NMI)
			RT_MUST(rt_event(events, (unsigned)v, ec, CATCH_MTD, fn, (void *)v));
}

/* Runs when nobody else does. */
static void watchdog(RT_UNUSED void *unused)
{
	for (;;) {
		if (++idle_turns > WATCHDOG_TURNS)
			rt_panic("the test does not go on: every EC waits");
		hc_yield();
	}
}

void guest_alive(void)
{
	idle_turns = 0;
}

sel_t sel_block(unsigned order)
{
	sel_t sel = rt_align(sel_next, 1ul << order);

	sel_next = sel + (1ul << order);
	rt_assert(sel_next <= GUEST_SEL + (1ul << GUEST_SEL_ORDER));
	return sel;
}

sel_t sel_new(void)
{
	return sel_block(0);
}

void guest_clean(void)
{
	enum status st = hc_revoke(rt_obj(GUEST_SEL, GUEST_SEL_ORDER, PERM_ALL), REVOKE_SELF, 0);

	if (st != SUCCESS)
		test_fail(__FILE__, __LINE__, "cleaning up: %s", rt_status(st));
	sel_next = GUEST_SEL;
	memset(rt_utcb(), 0, 32);
}

static void around(void (*fn)(void))
{
	struct guest_jump j;

	idle_turns = 0;
	guest_fault.vector = HEDRON_SEL_EXC;
	jump_test = &j;
	guest_push(&j);
	if (!guest_mark(&j)) {
		fn();
		guest_pop(&j);
	} else if (!test_failed()) {
		test_fail("fault", 0, "unexpected vector %u at rip %#lx, error %#lx, cr2 %#lx", guest_fault.vector,
			  guest_fault.rip, guest_fault.error, guest_fault.cr2);
	}
	jump_test = NULL;
	guest_clean();
}

bool guest_run(const char *suite, const struct test *tests, size_t n)
{
	static struct rt_ec dog;

	sel_next = GUEST_SEL;
	catch_all(0, &catcher, caught);
	RT_MUST(rt_events_new(rt_cpu, &guest_events));
	catch_all(guest_events, &catcher_others, caught_other);
	dog.cpu = rt_cpu;
	RT_MUST(rt_thread(&dog, RT_PRIO, watchdog, NULL));
	test_around = around;
	if (rt_arg_text("seed")) {
		guest_seed(rt_arg("seed", 1));
		rt_printf("seed %lu\n", rt_arg("seed", 1));
	}
	return test_run(suite, tests, n);
}

bool guest_run_tables(const char *suite, const struct test *const *tables)
{
	static struct test all[TESTS_MAX];
	size_t n = 0;

	for (; *tables; tables++)
		for (const struct test *t = *tables; t->name; t++) {
			rt_assert(n < TESTS_MAX);
			all[n++] = *t;
		}
	return guest_run(suite, all, n);
}

bool guest_quick(void (*fn)(void), unsigned ms)
{
	for (unsigned i = 0; i < 20; i++) {
		uint64_t start = rt_rdtsc();

		fn();
		if (rt_rdtsc() - start < (uint64_t)ms * rt_hip->freq_tsc)
			return true;
	}
	return false;
}

static uint64_t seed = 0x9e3779b97f4a7c15;

void guest_seed(uint64_t s)
{
	seed = s ? s : 1;
}

uint64_t guest_random(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1d;
}
