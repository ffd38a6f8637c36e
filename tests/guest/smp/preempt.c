/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A wake-up from another CPU preempts at once: user code that never enters the kernel, and code anywhere on its way
 * into the kernel or out of it. Whoever was interrupted must not notice: all registers, flags, bases and vector
 * registers, and the message of a call, are as if nothing had happened.
 *
 * The victim runs on the CPU of worker 1. The preemptor on the same CPU has a higher priority: it waits for a
 * semaphore, trashes all registers and waits again. All other CPUs wake it as often as they can, until the victim is
 * done.
 */
#include "gpr.h"
#include "smp.h"

#include "rt/event.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/thread.h"

#define VICTIM 1
#define CHUNK 200          /* repetitions between two looks at the registers */
#define STATE_MASK 0x400ul /* of RFLAGS: the direction flag */

enum { VICTIM_PRIO = SMP_PRIO - 10, PREEMPTOR_PRIO };

struct victim_regs {
	unsigned long gpr[16];
	unsigned long fs, gs, rflags;
	unsigned long vector[16][2];
};

GPR_ASSERT(struct victim_regs);
_Static_assert(offsetof(struct victim_regs, vector) == GPR_END, "victim.S uses this offset");

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R11 = 11, GPRS = 16 };

extern struct victim_regs victim_in, victim_out;
extern unsigned long victim_left;
extern const uint8_t victim_ud2_at[];
void victim_user(void);
void victim_exception(void);
void victim_syscall(void);
void victim_trash(void);

struct victim_regs victim_in, victim_out;
unsigned long victim_left;

static sel_t wake, own, echo_pt;
static volatile unsigned long preemptions, finished, rounds;
static struct rt_ec preemptor_ec, victim_ec, server;
static uint64_t seeds[SMP_MAX];

static void preemptor(RT_UNUSED void *unused)
{
	while (hc_sm_down(wake) == SUCCESS) {
		victim_trash();
		smp_inc(&preemptions);
	}
}

static void disturb(unsigned self)
{
	if (self == VICTIM)
		return;
	do { /* once at least: the victim may be quicker */
		ASSERT_OK(hc_sm_up(wake));
		smp_delay(&seeds[self], 400);
		if (!self) /* that it lives is no progress */
			smp_keep_waiting(&(struct smp_wait){0});
	} while (!smp_load(&finished) && !test_failed());
}

/* ---- Victims ---- */

static void fill(uint64_t *seed)
{
	unsigned long *word = (unsigned long *)&victim_in;

	for (unsigned i = 0; i < sizeof(victim_in) / sizeof(*word); i++)
		word[i] = smp_random(seed);
	victim_in.fs &= 0x7fffffffffff;
	victim_in.gs = victim_in.gs | 0xffff800000000000;
	victim_in.rflags = 0x202 | STATE_MASK;
	victim_left = CHUNK;
}

static bool same(unsigned skip, const char *what)
{
	for (unsigned i = 0; i < GPRS; i++)
		if (!(skip >> i & 1) && victim_out.gpr[i] != victim_in.gpr[i]) {
			test_fail(__FILE__, __LINE__, "%s: general register %u was %#lx, became %#lx", what, i,
				  victim_in.gpr[i], victim_out.gpr[i]);
			return false;
		}
	return EXPECT_EQ(victim_out.fs, victim_in.fs) && EXPECT_EQ(victim_out.gs, victim_in.gs) &&
	       EXPECT(!memcmp(victim_out.vector, victim_in.vector, sizeof(victim_in.vector)));
}

static bool user_round(uint64_t *seed)
{
	fill(seed);
	victim_left = 20 * CHUNK;
	victim_user();
	return same(0, "user code") && EXPECT_EQ(victim_out.rflags & STATE_MASK, STATE_MASK);
}

static bool exception_round(uint64_t *seed)
{
	fill(seed);
	victim_exception();
	return same(0, "exception") && EXPECT_EQ(victim_out.rflags & STATE_MASK, STATE_MASK);
}

/* RDI holds the status; SYSCALL takes RCX and R11. */
static bool hypercall(uint64_t *seed, unsigned long arg1, unsigned long rsi, unsigned long rdx, enum status want)
{
	fill(seed);
	victim_in.gpr[RDI] = arg1;
	victim_in.gpr[RSI] = rsi;
	victim_in.gpr[RDX] = rdx;
	victim_syscall();
	return same(1u << RDI | 1u << RCX | 1u << R11, "hypercall") && EXPECT_EQ(victim_out.gpr[RDI] & 0xff, want);
}

static bool null_round(uint64_t *seed)
{
	return hypercall(seed, 0xfe | smp_random(seed) << 12, smp_random(seed), smp_random(seed), BAD_HYP);
}

static bool sm_round(uint64_t *seed)
{
	return hypercall(seed, HC_ARG1(HC_SM_CTRL, SM_CTRL_UP, own), 0, 0, SUCCESS) &&
	       hypercall(seed, HC_ARG1(HC_SM_CTRL, SM_CTRL_DOWN, own), 0, 0, SUCCESS);
}

static bool yield_round(uint64_t *seed)
{
	return hypercall(seed, HC_ARG1(HC_EC_CTRL, EC_CTRL_YIELD, 0), 1, 2, SUCCESS);
}

static bool call_round(uint64_t *seed)
{
	rt_msg(victim_ec.utcb, 0, 0);
	return hypercall(seed, HC_ARG1(HC_CALL, 0, echo_pt), smp_random(seed), smp_random(seed), SUCCESS);
}

/* The message, too. */
static bool message_round(uint64_t *seed)
{
	struct utcb *u = victim_ec.utcb;
	unsigned n = 1 + (unsigned)(smp_random(seed) % 100);
	uint64_t start = *seed, check = start;

	for (unsigned i = 0; i < n; i++)
		u->words[i] = smp_random(seed);
	rt_msg(u, n, 0);
	if (!EXPECT_OK(hc_call(echo_pt)) || !EXPECT_EQ(rt_msg_words(u), n))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!EXPECT_EQ(u->words[i], ~smp_random(&check)))
			return false;
	return true;
}

static bool object_round(RT_UNUSED uint64_t *seed)
{
	sel_t sel = own + 1;

	return EXPECT_OK(hc_create_sm(sel, RT_SEL_PD, 1)) && EXPECT_OK(hc_sm_down(sel)) &&
	       EXPECT_OK(rt_revoke(sel)) && EXPECT_ST(hc_sm_down(sel), BAD_CAP);
}

static void invert(struct utcb *u, RT_UNUSED void *unused)
{
	for (unsigned i = 0; i < rt_msg_words(u); i++)
		u->words[i] = ~u->words[i];
}

static bool (*victim_round)(uint64_t *seed);

static void victim(RT_UNUSED void *unused)
{
	uint64_t seed = smp_seed(0x5eed);

	for (unsigned long i = 0; i < rounds && victim_round(&seed) && !test_failed(); i++)
		smp_progress(VICTIM);
	smp_set(&finished, 1);
}

/* ---- Tests ---- */

static void skip_ud2(struct utcb *u, RT_UNUSED void *unused)
{
	if (u->state.rip != (uint64_t)victim_ud2_at)
		rt_panic("#UD at %#lx", u->state.rip);
	u->state.rip += 2;
	u->state.mtd = MTD_RIP_LEN;
}

static void prepare(void)
{
	enum { INVALID_OPCODE = 6 };
	static struct rt_ec handler;
	unsigned cpu = smp_cpu(VICTIM);

	for (unsigned i = 0; i < SMP_MAX; i++)
		seeds[i] = smp_seed(77 + i);
	if (!handler.sel) {
		handler = (struct rt_ec){.cpu = cpu, .events = SMP_NOTHING};
		RT_MUST(rt_ec_local(&handler));
		RT_MUST(rt_event(rt_events(cpu), INVALID_OPCODE, &handler, MTD_RIP_LEN, skip_ud2, NULL));
	}
	wake = smp_sm(0);
	own = smp_sm(0);
	smp_sel(); /* object_round's */
	finished = preemptions = 0;
	smp_thread(&preemptor_ec, VICTIM, PREEMPTOR_PRIO, preemptor, NULL);
}

static void run_preempted(bool (*fn)(uint64_t *seed), unsigned long usual)
{
	NEED_CPUS(2);
	prepare();
	if (!echo_pt)
		echo_pt = smp_server(&server, VICTIM, invert, NULL);
	rounds = smp_rounds(usual);
	victim_round = fn;
	smp_thread(&victim_ec, VICTIM, VICTIM_PRIO, victim, NULL);
	smp_run(smp_count, disturb);
	echo_pt = 0;
	ASSERT(smp_load(&finished));
	ASSERT(SMP_WAIT(smp_load(&preemptions)));
}

static void user_code(void)
{
	run_preempted(user_round, 300);
}
static void exceptions(void)
{
	run_preempted(exception_round, 200);
}
static void hypercalls(void)
{
	run_preempted(null_round, 300);
}
static void semaphores(void)
{
	run_preempted(sm_round, 200);
}
static void yields(void)
{
	run_preempted(yield_round, 200);
}
static void calls(void)
{
	run_preempted(call_round, 200);
}
static void messages(void)
{
	run_preempted(message_round, 5000);
}
static void objects(void)
{
	run_preempted(object_round, 3000);
}

static void call_other_pd(void)
{
	NEED_CPUS(2);
	server = (struct rt_ec){.pd = smp_pd(), .events = SMP_PD_EVENTS * VICTIM};
	echo_pt = smp_server(&server, VICTIM, invert, NULL);
	run_preempted(call_round, 200);
	server = (struct rt_ec){0};
}

static void messages_other_pd(void)
{
	NEED_CPUS(2);
	server = (struct rt_ec){.pd = smp_pd(), .events = SMP_PD_EVENTS * VICTIM};
	echo_pt = smp_server(&server, VICTIM, invert, NULL);
	run_preempted(message_round, 5000);
	server = (struct rt_ec){0};
}

/* Of a thread that never enters the kernel: each up is answered although nothing else happens there. */

static volatile unsigned long leave, turns;

static void spin(RT_UNUSED void *unused)
{
	while (!smp_load(&leave))
		turns++;
}

static void at_once(void)
{
	struct rt_ec spinner = {0};

	NEED_CPUS(2);
	prepare();
	leave = 0;
	smp_thread(&spinner, VICTIM, VICTIM_PRIO, spin, NULL);
	for (unsigned long r = 1, n = smp_rounds(3000); r <= n; r++) {
		unsigned long before = smp_load(&turns);

		ASSERT_OK(hc_sm_up(wake));
		ASSERT(SMP_WAIT(smp_load(&preemptions) == r));
		ASSERT(SMP_WAIT(smp_load(&turns) != before));
		smp_progress(0);
	}
	smp_set(&leave, 1);
}

static const struct test tests[] = {
	TEST(at_once), TEST(user_code), TEST(exceptions), TEST(hypercalls),    TEST(semaphores),        TEST(yields),
	TEST(calls),   TEST(messages),  TEST(objects),    TEST(call_other_pd), TEST(messages_other_pd),
};

bool main(void)
{
	return smp_test_run("smp_preempt", tests, RT_ARRAY(tests));
}
