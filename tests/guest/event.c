/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and events: what user code can raise, what its handler sees, and what a handler may answer.
 *
 * An exception becomes a message that the kernel itself composes: the portal at `event base + vector` says which
 * parts of the state the handler gets, the handler's UTCB says which parts it gives back. That is a wide door into
 * the kernel: a handler chooses RIP, RSP, RFLAGS and the extended state of somebody else, and any of them may be
 * nonsense. What the processor or the kernel would stumble over has to be filtered or to end in the death of that one
 * EC.
 *
 * A *victim* is a local EC with an event base of its own that raises exceptions while main() waits for its reply: if
 * the kernel kills it, main() sees ABORT, and nothing hangs. The handler's UTCB is filled with a pattern beforehand,
 * so that any word the kernel writes without being asked is seen.
 *
 * This file has the messages; event_vector.c what raises which vector, event_kill.c how an event ends its EC.
 */
#include "event.h"

#include "rt/cpu.h"
#include "rt/message.h"
#include "rt/port.h"

#define PATTERN 0x5a5a5a5a5a5a5a5a
#define RFLAGS_FIXED 2ul

struct event_case ev;

/* Handlers keep what they saw; then they do what the test wants. */
static void observe(struct utcb *u, void *vector)
{
	ev.vector = (unsigned)(unsigned long)vector;
	ev.count++;
	ev.seen = *u;
	u->state.mtd = 0;
	if (ev.answer)
		ev.answer(u);
}

static void perform(struct utcb *u, RT_UNUSED void *unused)
{
	ev.code();
	ev.survived = true;
	rt_msg(u, 0, 0);
}

void event_prepare(void)
{
	ev = (struct event_case){.events = sel_block(5)};
	server_make(&ev.handler, observe, NULL);
	server_make_in(&ev.victim, RT_SEL_PD, ev.events, perform, NULL);
}

void event_handle(unsigned vector, unsigned long mtd)
{
	ASSERT_OK(rt_pt_at(ev.events + vector, &ev.handler.ec, mtd, observe, (void *)(unsigned long)vector));
}

void event_handle_all(unsigned long mtd)
{
	for (unsigned v = 0; v < HEDRON_SEL_EXC; v++)
		event_handle(v, mtd);
}

enum status event_raise(void (*code)(void), void (*answer)(struct utcb *))
{
	ev.code = code;
	ev.answer = answer;
	ev.count = 0;
	ev.vector = HEDRON_SEL_EXC;
	ev.survived = false;
	return hc_call(ev.victim.pt);
}

/*
 * The message: for each bit of the MTD exactly its words, `items` and `mtd`.
 */

struct group {
	unsigned long mtd;
	unsigned char word[9]; /* numbers of the u64 words of the state area that it covers; 255 ends */
};
#define W(field) (offsetof(struct utcb, state.field) / 8)

static const struct group groups[] = {
	{0, {255}},
	{MTD_GPR_ACDB, {W(rax), W(rcx), W(rdx), W(rbx), 255}},
	{MTD_GPR_BSD, {W(rbp), W(rsi), W(rdi), 255}},
	{MTD_GPR_R8_R15, {W(r8), W(r9), W(r10), W(r11), W(r12), W(r13), W(r14), W(r15), 255}},
	{MTD_RSP, {W(rsp), 255}},
	{MTD_RIP_LEN, {W(rip), 255}},
	{MTD_RFLAGS, {W(rflags), 255}},
	{MTD_QUAL, {W(qual[0]), W(qual[1]), 255}},
	{MTD_FPU, {255}},
	{MTD_DS_ES | MTD_FS_GS | MTD_CS_SS | MTD_TR | MTD_LDTR | MTD_GDTR | MTD_IDTR, {255}},
	{MTD_CR | MTD_DR | MTD_SYSENTER | MTD_CTRL | MTD_INJ | MTD_STA | MTD_TSC | MTD_EFER_PAT | MTD_PDPTE, {255}},
	{MTD_SYSCALL_SWAPGS | MTD_TSC_TIMEOUT | MTD_VINTR | MTD_EOI | MTD_TPR | MTD_TLB, {255}},
	{1ul << 25 | 1ul << 29 | 0xabcdef00000000, {255}},
};

static void pattern(struct utcb *u)
{
	uint64_t *w = (uint64_t *)u;

	for (unsigned i = 0; i < RT_PAGE / 8; i++)
		w[i] = PATTERN;
}

static bool covers(const struct group *g, unsigned word)
{
	for (unsigned i = 0; i < sizeof(g->word) && g->word[i] != 255; i++)
		if (g->word[i] == word)
			return true;
	return false;
}

static uint64_t state_word(const struct regs *r, unsigned word)
{
	static const struct {
		unsigned word, gpr;
	} map[] = {{W(rax), R_AX}, {W(rcx), R_CX}, {W(rdx), R_DX}, {W(rbx), R_BX}, {W(rsp), R_SP}, {W(rbp), R_BP},
		   {W(rsi), R_SI}, {W(rdi), R_DI}, {W(r8), R_8},   {W(r9), R_9},   {W(r10), R_10}, {W(r11), R_11},
		   {W(r12), R_12}, {W(r13), R_13}, {W(r14), R_14}, {W(r15), R_15}};

	for (unsigned i = 0; i < RT_ARRAY(map); i++)
		if (map[i].word == word)
			return r->gpr[map[i].gpr];
	return word == W(rip) ? (uint64_t)regs_int3_next : ~0ul;
}

static void check_message(const struct group *g)
{
	const uint64_t *w = (const uint64_t *)&ev.seen;

	EXPECT_EQ(ev.seen.items, UTCB_STATE_WORDS);
	EXPECT_EQ(ev.seen.state.mtd, g->mtd);
	for (unsigned i = 1; i < RT_PAGE / 8; i++) {
		if (i == W(mtd))
			continue;
		if (!covers(g, i) && w[i] != PATTERN)
			test_fail(__FILE__, __LINE__, "mtd %#lx: word %u was written: %#lx", g->mtd, i, w[i]);
		else if (covers(g, i) && w[i] == PATTERN)
			test_fail(__FILE__, __LINE__, "mtd %#lx: word %u was not written", g->mtd, i);
		else if (covers(g, i) && i != W(rflags) && i != W(qual[0]) && i != W(qual[1]) &&
			 w[i] != state_word(&regs_in, i))
			test_fail(__FILE__, __LINE__, "mtd %#lx: word %u: expected %#lx, got %#lx", g->mtd, i,
				  state_word(&regs_in, i), w[i]);
	}
}

static void message_to_handler(void)
{
	for (unsigned i = 0; i < RT_ARRAY(groups); i++) {
		event_prepare();
		event_handle(3, groups[i].mtd);
		regs_random(&regs_in);
		regs_extended = 0;
		pattern(ev.handler.ec.utcb);
		ASSERT_OK(event_raise(regs_int3, NULL));
		EXPECT_EQ(ev.count, 1);
		check_message(&groups[i]);
	}
}

/* RFLAGS as it was, and no error code where there is none. */
static void flags_and_error(void)
{
	event_prepare();
	event_handle(3, MTD_RFLAGS | MTD_QUAL);
	regs_random(&regs_in);
	regs_extended = 0;
	regs_in.rflags = 0xcd7 | 1ul << 21; /* all arithmetic flags, DF, ID; the handler sees IF set */
	ASSERT_OK(event_raise(regs_int3, NULL));
	EXPECT_EQ(ev.seen.state.rflags & ~(1ul << 16), regs_in.rflags | 1ul << 9);
	EXPECT_EQ(ev.seen.state.qual[0], 0);
}

/*
 * The answer: for each bit exactly its registers. The handler offers other values for all of them.
 */
static unsigned long answer_mtd;
static struct regs offered;

static void answer_registers(struct utcb *u)
{
	struct utcb_state *s = &u->state;
	uint64_t *w = (uint64_t *)u;

	for (unsigned i = W(mtd); i < RT_PAGE / 8; i++)
		w[i] = ~PATTERN;
	s->rax = offered.gpr[R_AX], s->rcx = offered.gpr[R_CX], s->rdx = offered.gpr[R_DX],
	s->rbx = offered.gpr[R_BX];
	s->rbp = offered.gpr[R_BP], s->rsi = offered.gpr[R_SI], s->rdi = offered.gpr[R_DI],
	s->rsp = offered.gpr[R_SP];
	s->r8 = offered.gpr[R_8], s->r9 = offered.gpr[R_9], s->r10 = offered.gpr[R_10], s->r11 = offered.gpr[R_11];
	s->r12 = offered.gpr[R_12], s->r13 = offered.gpr[R_13], s->r14 = offered.gpr[R_14],
	s->r15 = offered.gpr[R_15];
	s->rip = (uint64_t)regs_ud2_next;
	s->rflags = 0x202;
	s->mtd = answer_mtd | MTD_RIP_LEN;
}

static unsigned gprs_of(unsigned long mtd)
{
	return (mtd & MTD_GPR_ACDB ? 0x000f : 0) | (mtd & MTD_RSP ? 0x0010 : 0) | (mtd & MTD_GPR_BSD ? 0x00e0 : 0) |
	       (mtd & MTD_GPR_R8_R15 ? 0xff00 : 0);
}

static void answer_of_handler(void)
{
	event_prepare();
	event_handle(6, MTD_RIP_LEN);
	for (unsigned i = 0; i < RT_ARRAY(groups); i++) {
		if (groups[i].mtd & MTD_FPU)
			continue;
		regs_random(&regs_in);
		regs_random(&offered);
		regs_extended = 0;
		answer_mtd = groups[i].mtd;
		ASSERT_OK(event_raise(regs_ud2, answer_registers));
		regs_same(&regs_out, &offered, gprs_of(answer_mtd), "taken from the answer");
		regs_same(&regs_out, &regs_in, REGS_ALL & ~gprs_of(answer_mtd), "not in the answer's MTD");
	}
}

/* System flags are the kernel's. IF carries no meaning: whether user code sees it set is not looked at. */
static unsigned long offered_rflags;

static void answer_flags(struct utcb *u)
{
	u->state.rip = (uint64_t)regs_ud2_next;
	u->state.rflags = offered_rflags;
	u->state.mtd = MTD_RIP_LEN | MTD_RFLAGS;
}

static void flags_in_answer(void)
{
	const unsigned long never =
		0xffffffff00000000 | 1ul << 20 | 1ul << 19 | 1ul << 17 | 1ul << 16 | 1ul << 14 | 3ul << 12;
	const unsigned long user = 0xcd5 & ~(1ul << 9); /* CF PF AF ZF SF DF OF */

	event_prepare();
	event_handle(6, MTD_RIP_LEN);
	event_handle(13, MTD_RIP_LEN);
	regs_extended = 0;
	for (unsigned bit = 0; bit < 64; bit++) {
		if (bit == 8) /* TF is the user's own: registers/single_step */
			continue;
		regs_random(&regs_in);
		offered_rflags = 1ul << bit;
		ASSERT_OK(event_raise(regs_ud2, answer_flags));
		if (regs_out.rflags & never || !(regs_out.rflags & RFLAGS_FIXED) ||
		    (regs_out.rflags & user) != (offered_rflags & user))
			test_fail(__FILE__, __LINE__, "offered %#lx, got %#lx", offered_rflags, regs_out.rflags);
	}
	offered_rflags = ~(1ul << 8);
	ASSERT_OK(event_raise(regs_ud2, answer_flags));
	EXPECT_EQ(regs_out.rflags & (never | user), user);
}

/*
 * A device asks for an interrupt all the time: a flag that got through would be seen at once, as an event without a
 * gate. The timer, at the first interrupt controller; what firmware had set up there is not needed any more.
 */

enum { PIC = 0x20, PIC_DATA, SLAVE = 0xa0, SLAVE_DATA, PIT = 0x40, PIT_MODE = 0x43 };
enum { PIC_INIT = 0x11, PIC_BASE = 0x20, PIC_READ_REQUESTS = 0x0a, PIT_RATE = 0x34, PIT_COUNT = 200 };

static bool timer_asks(void)
{
	rt_out8(PIC, PIC_READ_REQUESTS);
	return rt_in8(PIC) & 1;
}

static bool start_timer(void)
{
	static const struct {
		uint8_t port, value;
	} plan[] = {{PIC, PIC_INIT},      {PIC_DATA, PIC_BASE},       {PIC_DATA, 4},        {PIC_DATA, 1},
		    {SLAVE, PIC_INIT},    {SLAVE_DATA, PIC_BASE + 8}, {SLAVE_DATA, 2},      {SLAVE_DATA, 1},
		    {PIC_DATA, 0xfe},     {SLAVE_DATA, 0xff},         {PIT_MODE, PIT_RATE}, {PIT, PIT_COUNT & 0xff},
		    {PIT, PIT_COUNT >> 8}};

	ASSERT_OK(rt_ports(PIC, 1));
	ASSERT_OK(rt_ports(SLAVE, 1));
	ASSERT_OK(rt_ports(PIT, 2));
	for (unsigned i = 0; i < RT_ARRAY(plan); i++)
		rt_out8(plan[i].port, plan[i].value);
	for (unsigned i = 0; i < 100000000 && !timer_asks(); i++) /* the device may be a busy thread elsewhere */
		rt_pause();
	return timer_asks();
}

static void answer_all_with_if(struct utcb *u)
{
	u->state.rip = (uint64_t)regs_ud2_next;
	u->state.rflags = 1 << 9;
	u->state.mtd = answer_mtd | MTD_RIP_LEN | MTD_RFLAGS;
}

/* With some registers, and with all of them. */
static void interrupt_flag_with_a_request(void)
{
	static const unsigned long mtds[] = {
		0, MTD_QUAL, MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS};

	event_prepare();
	event_handle_all(MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS);
	ASSERT(start_timer());
	regs_extended = 0;
	for (unsigned i = 0; i < RT_ARRAY(mtds); i++) {
		answer_mtd = mtds[i];
		regs_random(&regs_in);
		ASSERT_OK(event_raise(regs_ud2, answer_all_with_if));
		EXPECT_EQ(ev.count, 1);
		EXPECT_EQ(ev.vector, 6);
		EXPECT(timer_asks());
	}
	rt_out8(PIC_DATA, 0xff);
}

const struct test event_state_tests[] = {
	TEST(message_to_handler),
	TEST(flags_and_error),
	TEST(answer_of_handler),
	TEST(flags_in_answer),
	TEST(interrupt_flag_with_a_request),
	{},
};
