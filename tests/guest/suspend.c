/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suspend to RAM. CPUs lose everything while the machine sleeps, and user land must not notice: registers, extended
 * state, bases and MSRs of all CPUs, memory (also the page that the kernel borrows to wake up in), blocked and
 * waiting ECs, ports, accounts.
 *
 * Somebody outside has to wake the machine up (tests/integration/suspend_test.py), and only he knows what it is:
 * `s3=N` on the command line is the sleep type, `s3=none` says that there is no S3, `awake` that the machine ignores
 * the request. Without any, nothing that could end in sleep is tried. `nap=N` says that each sleep takes N ms at
 * least.
 */
#include "suspend.h"

#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/pool.h"
#include "rt/start.h"
#include "rt/string.h"

#define TYPES 8

unsigned long s3;
bool can_sleep;
static bool has_s3, stays_awake;

struct hc_regs request(unsigned long a, unsigned long b)
{
	return (struct hc_regs){HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_SUSPEND, a | b << 8), 0x1111, 0x2222, 0x3333,
				0x4444};
}

/* Status of a request; where it fails, the other registers have to be as before. */
static enum status try(unsigned long a, unsigned long b)
{
	struct hc_regs r = request(a, b), before = r;
	enum status st = hc_raw(&r);

	EXPECT_EQ(r.rdx, before.rdx);
	EXPECT_EQ(r.rax, before.rax);
	EXPECT_EQ(r.r8, before.r8);
	if (st != SUCCESS)
		EXPECT_EQ(r.rsi, before.rsi);
	return st;
}

/*
 * SeaBIOS 1.16 starts the other CPUs for a moment when it wakes up, at 0x10000, does not wait for them, and puts back
 * what was there. A late one finds this: cli; hlt; jmp.
 */
#define SEABIOS_START 0x10000
#define CLI_HLT_JMP 0xfdebf4fa

enum status suspend_machine(void)
{
	static uint32_t *start;

	if (!start)
		start = rt_map(SEABIOS_START, sizeof(*start), RT_MEM_RW);
	if (start)
		*start = CLI_HLT_JMP;
	guest_alive();
	enum status st = try(s3, s3);
	if (st == SUCCESS)
		others_go_on();
	return st;
}

/* ---- refusals ---- */

static void not_passthrough(void)
{
	struct agent a;

	agent_make(&a);
	for (unsigned op = 0; op < 4; op++) {
		struct hc_regs r = request(s3, s3);

		r.rdi |= op << 8;
		EXPECT_ST(agent_hc(&a, &r), BAD_CAP);
		EXPECT_EQ(r.rsi, 0x1111);
	}
}

static void no_such_operation(void)
{
	for (unsigned op = 2; op < 4; op++)
		EXPECT_ST(hc_2(HC_ARG1(HC_MACHINE_CTRL, op, s3 | s3 << 8), 0), BAD_PAR);
}

static void types_beyond_the_field(void)
{
	for (unsigned long t = TYPES; t < 256; t++) {
		ASSERT_ST(try(t, s3), BAD_PAR);
		ASSERT_ST(try(s3, t), BAD_PAR);
		ASSERT_ST(try(t, t), BAD_PAR);
	}
}

/* Type 0 switches QEMU off, type 2 is its S4. */
static void other_types(void)
{
	if (!rt_arg_text("s3"))
		SKIP("the right type is not known");
	for (unsigned long a = 0; a < TYPES; a++)
		if (a != s3 || !has_s3)
			ASSERT_ST(try(a, a), has_s3 ? BAD_PAR : BAD_FTR);
}

/* ---- one CPU ---- */

static void again(void)
{
	NEED_SLEEP;
	for (int i = 0; i < 3; i++)
		ASSERT_OK(suspend_machine());
}

static void stay_awake(void)
{
	if (!stays_awake)
		SKIP("this machine falls asleep when it is asked to");
	ASSERT_ST(suspend_machine(), BAD_FTR);
	ASSERT_ST(try(s3 ^ 1, s3 ^ 1), BAD_PAR); /* not BUSY with the one that failed */
}

struct table {
	char signature[4];
	uint32_t length;
	uint8_t rest[28];
};

static struct table *map_table(uint64_t pa)
{
	struct table *t = rt_map(pa, sizeof(*t), RT_MEM_RW);

	return t ? rt_map(pa, t->length, RT_MEM_RW) : NULL;
}

static uint64_t field(const struct table *t, unsigned at, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, (const char *)t + at, size);
	return v;
}

/* Where the firmware looks for what to jump to: offset 12, 32 bits, and 24, 64 bits. */
static struct table *find_facs(void)
{
	struct table *root = map_table(rt_hip->xsdt_rsdt);
	unsigned width = root && root->signature[0] == 'X' ? 8 : 4;

	for (unsigned at = 36; root && at + width <= root->length; at += width) {
		struct table *t = map_table(field(root, at, width));

		if (t && !memcmp(t->signature, "FACP", 4))
			return map_table(field(t, 36, 4));
	}
	return NULL;
}

/* User land gets what it has put there, in its register and in its place. */
static void waking_vector(void)
{
	struct hc_regs r = request(s3, s3);
	uint32_t *facs = (uint32_t *)(void *)find_facs();

	NEED_SLEEP;
	ASSERT(facs && !memcmp(facs, "FACS", 4));
	facs[3] = 0x9a5c3;
	facs[6] = 0x89abcdef;
	facs[7] = 0x1234567;
	guest_alive();
	ASSERT_OK(hc_raw(&r));
	others_go_on();
	ASSERT_EQ(r.rsi, 0x9a5c3);
	ASSERT_EQ(facs[3], 0x9a5c3);
	ASSERT_EQ(facs[6], 0x89abcdef);
	ASSERT_EQ(facs[7], 0x1234567);
	facs[3] = facs[6] = facs[7] = 0;
	r = request(s3, s3);
	ASSERT_OK(hc_raw(&r));
	others_go_on();
	ASSERT_EQ(r.rsi, 0);
}

static void registers(void)
{
	struct hc_regs r = request(s3, s3);
	const char *differs;

	NEED_SLEEP;
	guest_alive();
	regs_random(&regs_in);
	xarea_random(&regs_xin);
	regs_in.gpr[R_DI] = r.rdi;
	regs_extended = 1;
	__asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(regs_in.fs), "r"(regs_in.gs));
	regs_syscall();
	__asm__ volatile("rdfsbase %0; rdgsbase %1" : "=r"(regs_out.fs), "=r"(regs_out.gs));
	__asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(0ul));
	others_go_on();
	ASSERT_EQ(regs_out.gpr[R_DI] & 0xff, SUCCESS);
	ASSERT_EQ(regs_out.fs, regs_in.fs);
	ASSERT_EQ(regs_out.gs, regs_in.gs);
	differs = xarea_difference(&regs_xout, &regs_xin);
	if (differs)
		test_fail(__FILE__, __LINE__, "%s differs", differs);
	regs_same(&regs_out, &regs_in, REGS_ALL & ~(REGS_LOST | 1u << R_DI | 1u << R_SI), "suspend");
}

#define PATTERN_PAGES 1024ul /* 4 MiB */
#define LOW_START 0x1000ul
#define LOW_PAGES 0x9eul

static uint64_t sum(const uint64_t *p, size_t pages)
{
	uint64_t s = 0;

	for (size_t i = 0; i < pages * RT_PAGE / 8; i++)
		s = (s << 5 | s >> 59) + p[i];
	return s;
}

/* Firmware may use the first MiB's reserved parts, and its RAM only where it says so: the last page below 640 KiB is
 * left out. */
static void memory(void)
{
	uint64_t *p = rt_pages(PATTERN_PAGES), *low = rt_map(LOW_START, LOW_PAGES * RT_PAGE, RT_MEM_RW), before,
		 before_low;

	NEED_SLEEP;
	ASSERT(low);
	for (size_t i = 0; i < PATTERN_PAGES * RT_PAGE / 8; i++)
		p[i] = guest_random();
	for (size_t i = (LOW_PAGES - 16) * RT_PAGE / 8; i < LOW_PAGES * RT_PAGE / 8; i++)
		low[i] = guest_random();
	before = sum(p, PATTERN_PAGES);
	before_low = sum(low + (LOW_PAGES - 16) * RT_PAGE / 8, 16);
	ASSERT_OK(suspend_machine());
	ASSERT_EQ(sum(p, PATTERN_PAGES), before);
	ASSERT_EQ(sum(low + (LOW_PAGES - 16) * RT_PAGE / 8, 16), before_low);
}

/* The time of sleep is nobody's: what is missing in the account is at least that. A tenth is for clocks that differ.
 */
static void account(void)
{
	unsigned long before, after, tsc = rt_rdtsc(), nap = rt_arg("nap", 0);

	NEED_SLEEP;
	ASSERT(nap);
	ASSERT_OK(hc_sc_ctrl(RT_SEL_SC, &before));
	ASSERT_OK(suspend_machine());
	ASSERT_OK(hc_sc_ctrl(RT_SEL_SC, &after));
	tsc = rt_rdtsc() - tsc;
	EXPECT(after >= before);
	EXPECT(after - before + nap * 900 < tsc * 1000 / rt_hip->freq_tsc);
}

static void add(struct utcb *u, void *arg)
{
	u->words[0] += (uint64_t)arg;
	rt_msg(u, 1, 0);
}

static bool call_adds(const struct server *s, unsigned long what)
{
	struct utcb *u = rt_utcb();

	u->words[0] = 1;
	rt_msg(u, 1, 0);
	return EXPECT_OK(hc_call(s->pt)) && EXPECT_EQ(u->words[0], 1 + what);
}

static void calls_and_spaces(void)
{
	struct server here, there;
	sel_t pd = pd_make();

	NEED_SLEEP;
	server_make(&here, add, (void *)10);
	server_make_in(&there, pd, 0, add, (void *)20);
	ASSERT(call_adds(&here, 10) && call_adds(&there, 20));
	ASSERT_OK(suspend_machine());
	ASSERT(call_adds(&here, 10) && call_adds(&there, 20));
	/* From here on the one address space is used after the other. */
	for (int i = 0; i < 100; i++)
		ASSERT(call_adds(&there, 20));
	ASSERT_OK(rt_revoke(pd));
}

static const struct test suspend_tests[] = {
	TEST(not_passthrough), TEST(no_such_operation), TEST(types_beyond_the_field),
	TEST(other_types),     TEST(stay_awake),        TEST(again),
	TEST(waking_vector),   TEST(registers),         TEST(memory),
	TEST(account),         TEST(calls_and_spaces),  {},
};

bool main(void)
{
	static const struct test *const tables[] = {suspend_tests, suspend_smp_tests, NULL};
	const char *text = rt_arg_text("s3");

	has_s3 = text && *text >= '0' && *text <= '9';
	s3 = rt_arg("s3", 0);
	stays_awake = rt_arg("awake", 0);
	can_sleep = has_s3 && !stays_awake;
	return guest_run_tables("suspend", tables);
}
