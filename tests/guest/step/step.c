/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A victim on the boot CPU goes one of the ways through the kernel below, chosen by a debugger, and comes back for
 * the next. Two sleepers there are more important; a waker on another CPU wakes one of them whenever the debugger
 * lets it run. Whatever the boot CPU is at then, the sleeper is to run before any other user code.
 */
#include "rt/entry.h"
#include "rt/event.h"
#include "rt/exit.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/sel.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/thread.h"

enum { VICTIM_PRIO = 20, RUNNER_PRIO = 25, FIRST_PRIO = 30, SECOND_PRIO };
enum { VECTOR_DB = 1, VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14 };
enum { NOBODYS_PORT_LENGTH = 2, UD2_LENGTH = 2, STORE_LENGTH = 3 };

unsigned long step_choose(void), step_await(void);
enum status step_first(unsigned long down), step_second(unsigned long down);
void step_ud2(void), step_fault(void *at), step_out(void), step_trap(void);

static sel_t wake[2], own, peers, runners, new_sel, echo_pt, far_echo_pt;
static volatile bool sleeps; /* the victim does, and the first sleeper wakes it up */

/* ---- ways through the kernel ---- */

static void none(void) {}

static void null(void)
{
	hc_1(0xfe);
}

static void semaphore(void)
{
	RT_MUST(hc_sm_up(own));
	RT_MUST(hc_sm_down(own));
}

static void identifier(void)
{
	RT_MUST(hc_pt_ctrl(echo_pt, 7));
}

static void wakes(void) /* one who takes over, and sleeps again */
{
	RT_MUST(hc_sm_up(runners));
}

static void yields(void) /* to one who sleeps at once */
{
	RT_MUST(hc_sm_up(peers));
	RT_MUST(hc_yield());
}

static void call(void)
{
	RT_MUST(hc_call(echo_pt));
}

static void call_far(void)
{
	RT_MUST(hc_call(far_echo_pt));
}

static void exception(void)
{
	step_ud2();
}

static void page_fault(void)
{
	step_fault((void *)(RT_VA - RT_PAGE));
}

static void port(void)
{
	step_out();
}

static void single_step(void)
{
	step_trap();
}

static void object(void)
{
	RT_MUST(hc_create_sm(new_sel, RT_SEL_PD, 0));
	RT_MUST(rt_revoke(new_sel));
}

static void sleep(void)
{
	sleeps = true;
	RT_MUST(hc_sm_down(own));
}

/* The debugger's list is the same. */
static void (*const ways[])(void) = {
	none, sleep,    null,      semaphore,  identifier, wakes,       yields,
	call, call_far, exception, page_fault, port,       single_step, object,
};

/* ---- who runs ---- */

static void victim(RT_UNUSED void *unused)
{
	for (;;)
		ways[step_choose()]();
}

static void first(RT_UNUSED void *unused)
{
	while (step_first(HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN, wake[0])) == SUCCESS)
		if (sleeps) {
			sleeps = false;
			RT_MUST(hc_sm_up(own));
		}
}

static void second(RT_UNUSED void *unused)
{
	while (step_second(HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN, wake[1])) == SUCCESS)
		;
}

static void waker(RT_UNUSED void *unused)
{
	for (;;)
		RT_MUST(hc_sm_up(wake[step_await()]));
}

static void sleeper(void *sm)
{
	while (hc_sm_down((sel_t)sm) == SUCCESS)
		;
}

/* ---- what they need ---- */

static void skip(struct utcb *u, void *length)
{
	u->state.rip += (uint64_t)length;
	u->state.rflags &= ~0x100ul;
	u->state.mtd = MTD_RIP_LEN | MTD_RFLAGS;
}

static void handle(unsigned vector, unsigned long length)
{
	static struct rt_ec handler;

	if (!handler.sel) {
		handler = (struct rt_ec){.cpu = rt_cpu};
		RT_MUST(rt_ec_local(&handler));
	}
	RT_MUST(rt_event(rt_events(rt_cpu), vector, &handler, MTD_RIP_LEN | MTD_RFLAGS, skip, (void *)length));
}

static sel_t echo(sel_t pd)
{
	struct rt_ec ec = {.pd = pd, .cpu = rt_cpu};
	sel_t pt;

	RT_MUST(rt_ec_local(&ec));
	RT_MUST(rt_pt_raw(&pt, &ec, 0, rt_portal_echo));
	return pt;
}

static sel_t semaphore_of(unsigned long count)
{
	sel_t sm;

	RT_MUST(rt_sm(&sm, count));
	return sm;
}

static void thread(unsigned cpu, unsigned prio, void (*fn)(void *), sel_t sm)
{
	struct rt_ec ec = {.cpu = cpu};

	RT_MUST(rt_thread(&ec, prio, fn, (void *)sm));
}

bool main(void)
{
	sel_t pd;

	wake[0] = semaphore_of(0);
	wake[1] = semaphore_of(0);
	own = semaphore_of(0);
	peers = semaphore_of(0);
	runners = semaphore_of(0);
	new_sel = rt_sel();
	RT_MUST(rt_pd(&pd));
	echo_pt = echo(0);
	far_echo_pt = echo(pd);
	handle(VECTOR_UD, UD2_LENGTH);
	handle(VECTOR_PF, STORE_LENGTH);
	handle(VECTOR_GP, NOBODYS_PORT_LENGTH);
	handle(VECTOR_DB, 0);
	thread(rt_cpu, FIRST_PRIO, first, 0);
	thread(rt_cpu, SECOND_PRIO, second, 0);
	thread(rt_cpu, RUNNER_PRIO, sleeper, runners);
	thread(rt_cpu, VICTIM_PRIO, sleeper, peers);
	thread(rt_cpu_other(), VICTIM_PRIO, waker, 0);
	thread(rt_cpu, VICTIM_PRIO, victim, 0);
	rt_block();
}
