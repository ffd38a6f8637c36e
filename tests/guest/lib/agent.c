/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ECs, PDs and agents with one line each. */
#include "guest.h"

#include "rt/hip.h"
#include "rt/image.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/thread.h"

#define SOON_TURNS 20000

void server_make_in(struct server *s, sel_t pd, sel_t events, rt_handler *fn, void *arg)
{
	s->ec = (struct rt_ec){.pd = pd, .cpu = rt_cpu, .events = events, .sel = sel_new()};
	ASSERT_OK(rt_ec_local(&s->ec));
	s->pt = server_pt(s, fn, arg);
}

static void raise_ud(void)
{
	__asm__ volatile("ud2");
}

void server_make(struct server *s, rt_handler *fn, void *arg)
{
	server_make_in(s, RT_SEL_PD, guest_events, fn, arg);
}

/* Victims never run, so they all have the same stack. */
sel_t victim_make(void)
{
	static uint8_t *stack;
	struct rt_ec ec = {.cpu = rt_cpu, .events = GUEST_NOTHING, .no_utcb = true, .sel = sel_new(), .stack = stack};
	sel_t pt = sel_new();

	ASSERT_OK(rt_ec_local(&ec));
	stack = ec.stack;
	ASSERT_OK(hc_create_pt(pt, RT_SEL_PD, ec.sel, 0, (unsigned long)raise_ud));
	return pt;
}

sel_t server_pt(const struct server *s, rt_handler *fn, void *arg)
{
	sel_t pt = sel_new();

	ASSERT_OK(rt_pt_at(pt, &s->ec, 0, fn, arg));
	return pt;
}

void thread_make(struct rt_ec *ec, unsigned prio, void (*fn)(void *), void *arg)
{
	*ec = (struct rt_ec){.cpu = rt_cpu, .events = guest_events, .sel = sel_new(), .sc = sel_new()};
	ASSERT_OK(rt_thread(ec, prio, fn, arg));
}

sel_t sm_make(unsigned long count)
{
	sel_t sm = sel_new();

	ASSERT_OK(hc_create_sm(sm, RT_SEL_PD, count));
	return sm;
}

bool soon(const volatile unsigned long *word, unsigned long value)
{
	for (unsigned i = 0; i < SOON_TURNS && *word != value; i++)
		hc_yield();
	return *word == value;
}

sel_t pd_make(void)
{
	uint64_t image = (uint64_t)rt_image_start;
	sel_t pd = sel_new();

	ASSERT_OK(hc_create_pd(pd, RT_SEL_PD, rt_obj(guest_events, 5, PERM_ALL), 0));
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, image, pd, image, (size_t)(rt_image_end - rt_image_start) / RT_PAGE,
				  RT_MEM_RWX, 0));
	return pd;
}

/* Words: function and arguments in, result out. */
static void agent_handler(struct utcb *u, RT_UNUSED void *unused)
{
	agent_fn *fn = (agent_fn *)u->words[0];

	u->words[0] = fn(u->words[1], u->words[2], u->words[3]);
	rt_msg(u, 1, 0);
}

void agent_make_in(struct agent *a, sel_t pd)
{
	a->pd = pd;
	server_make_in(&a->server, pd, 0, agent_handler, NULL);
}

void agent_make(struct agent *a)
{
	agent_make_in(a, pd_make());
}

unsigned long agent_do(struct agent *a, agent_fn *fn, unsigned long x, unsigned long y, unsigned long z)
{
	struct utcb *u = rt_utcb();

	u->words[0] = (uint64_t)fn;
	u->words[1] = x;
	u->words[2] = y;
	u->words[3] = z;
	rt_msg(u, 4, 0);
	ASSERT_OK(hc_call(a->server.pt));
	return u->words[0];
}

/* Globals are shared with all PDs made here. */
static struct hc_regs agent_regs;

static unsigned long run_hc(RT_UNUSED unsigned long x, RT_UNUSED unsigned long y, RT_UNUSED unsigned long z)
{
	return hc_raw(&agent_regs);
}

enum status agent_hc(struct agent *a, struct hc_regs *regs)
{
	enum status st;

	agent_regs = *regs;
	st = (enum status)agent_do(a, run_hc, 0, 0, 0);
	*regs = agent_regs;
	return st;
}

static unsigned long run_read(unsigned long va, RT_UNUSED unsigned long y, RT_UNUSED unsigned long z)
{
	return can_read(va);
}

static unsigned long run_write(unsigned long va, RT_UNUSED unsigned long y, RT_UNUSED unsigned long z)
{
	return can_write(va);
}

static unsigned long run_exec(unsigned long va, RT_UNUSED unsigned long y, RT_UNUSED unsigned long z)
{
	return can_exec(va);
}

static unsigned long run_in(unsigned long port, RT_UNUSED unsigned long y, RT_UNUSED unsigned long z)
{
	return can_in((uint16_t)port);
}

bool agent_can_read(struct agent *a, unsigned long va)
{
	return agent_do(a, run_read, va, 0, 0) & 1;
}

bool agent_can_write(struct agent *a, unsigned long va)
{
	return agent_do(a, run_write, va, 0, 0) & 1;
}

bool agent_can_exec(struct agent *a, unsigned long va)
{
	return agent_do(a, run_exec, va, 0, 0) & 1;
}

bool agent_can_in(struct agent *a, uint16_t port)
{
	return agent_do(a, run_in, port, 0, 0) & 1;
}

crd_t agent_lookup(struct agent *a, crd_t crd)
{
	struct hc_regs r = {HC_ARG1(HC_PD_CTRL, PD_CTRL_LOOKUP, 0), crd, 0, 0, 0};

	return agent_hc(a, &r) == SUCCESS ? r.rsi : ~0ul;
}

static struct utcb_item sent;

static unsigned long set_windows(unsigned long utcb, unsigned long xlt, unsigned long del)
{
	((struct utcb *)utcb)->xlt = xlt;
	((struct utcb *)utcb)->del = del;
	return 0;
}

static unsigned long report(unsigned long utcb, RT_UNUSED unsigned long y, RT_UNUSED unsigned long z)
{
	const struct utcb *u = (struct utcb *)utcb;

	if (rt_msg_items(u) == 1)
		sent = *UTCB_TYPED(u, 0);
	return u->items;
}

struct utcb_item agent_send(struct agent *a, crd_t xlt, crd_t del, crd_t crd, unsigned long meta)
{
	struct utcb *u = rt_utcb();
	unsigned long theirs = (unsigned long)a->server.ec.utcb;

	agent_do(a, set_windows, theirs, xlt, del);
	sent = (struct utcb_item){~0ul, ~0ul};
	u->words[0] = (uint64_t)report;
	u->words[1] = theirs;
	rt_msg(u, 4, 1);
	rt_item(u, 0, crd, meta);
	ASSERT_OK(hc_call(a->server.pt));
	EXPECT_EQ(u->words[0], 4 | 1 << 16);
	return sent;
}

unsigned sel_perm(sel_t sel)
{
	crd_t found = 0;

	EXPECT_OK(hc_lookup(rt_obj(sel, 0, 0), &found));
	return found ? crd_perm(found) : 0;
}

enum status delegate_obj(sel_t from, sel_t pd, sel_t to, unsigned perm)
{
	return hc_delegate(RT_SEL_PD, pd, rt_obj(from, 0, perm), ITEM_DELEGATE, rt_obj(to, 0, perm), NULL);
}
