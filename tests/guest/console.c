/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console that roottask and kernel share: what programs can make the kernel say costs them and others next to
 * nothing, however slow the line is, and no line breaks another one. The emulators count instructions, which are the
 * ticks of the TSC then. Bochs sends at 115200 baud: a line takes a million instructions.
 */
#include "guest.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/string.h"

#define NEED_CONSOLE()                                      \
	do {                                                \
		if (!(rt_hip->api_flg & HIP_EXT_CONSOLE))   \
			SKIP("this kernel does not share"); \
	} while (0)

static enum status console(unsigned long what, unsigned long a, unsigned long b, unsigned long c)
{
	return hc_4(HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_CONSOLE, what), a, b, c);
}

/* The kernel has something to say. Returns what that took. */
static uint64_t die_once(void)
{
	sel_t pt = victim_make();
	uint64_t start = rt_rdtsc();
	enum status st = hc_call(pt);
	uint64_t took = rt_rdtsc() - start;

	EXPECT_ST(st, ABORT);
	return took;
}

/* The call, the exception, the message, the end of the EC, and the return. */
enum { DEATHS = 24, TICKS_MAX = 10000 };

/* With `counts=1` on the command line the TSC counts instructions. */
static void messages_are_cheap(void)
{
	uint64_t worst = 0;

	if (!rt_arg("counts", 0))
		SKIP("the time-stamp counter counts time");
	for (unsigned i = 0; i < DEATHS; i++) {
		uint64_t took = die_once();

		worst = took > worst ? took : worst;
		guest_clean();
	}
	rt_printf("console: a message takes up to %lu instructions\n", worst);
	EXPECT(worst < TICKS_MAX);
}

static void arguments(void)
{
	NEED_CONSOLE();
	EXPECT_ST(console(0, 0, 0, 0), BAD_PAR);
	EXPECT_ST(console(4, 0, 0, 0), BAD_PAR);
	EXPECT_ST(console(~0ul >> 12, 0, 0, 0), BAD_PAR);
	EXPECT_ST(console(MACHINE_CONSOLE_RELEASE, 0, 0, 0), SUCCESS); /* of nothing */
	EXPECT_ST(console(MACHINE_CONSOLE_WRITE, 0, 0, 0), SUCCESS);   /* of nothing */
	EXPECT_ST(console(MACHINE_CONSOLE_WRITE, ~0ul, ~0ul, 0x0a1b), SUCCESS);
}

/* Collects what the kernel hands over; the caller has the line then. */
static size_t take_all(char *text, size_t size)
{
	char piece[MACHINE_CONSOLE_CLAIM_TEXT + 1] = {0};
	size_t length = 0;

	for (;;) {
		ASSERT_OK(hc_console_claim(MACHINE_CONSOLE_TAKES, piece));
		size_t n = strlen(piece);
		if (!n || length + n >= size)
			break;
		memcpy(text + length, piece, n);
		length += n;
	}
	text[length] = 0;
	return length;
}

/* While a line is under way the kernel keeps its messages, and hands them over before the next one. */
static void messages_wait_for_the_line(void)
{
	static char text[4096];
	unsigned lines = 0;

	NEED_CONSOLE();
	take_all(text, sizeof(text));
	die_once();
	die_once();
	take_all(text, sizeof(text)); /* the claim is renewed: nothing was written meanwhile */
	hc_console_release();
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	EXPECT(lines >= rt_arg("messages", 2)); /* 0: the kernel has been told to be quiet */
	EXPECT(!lines || text[strlen(text) - 1] == '\n');
	rt_write(text, strlen(text));
}

/* One that drives another device is given nothing, and the kernel writes for itself again afterwards. */
static void nothing_for_others(void)
{
	char text[MACHINE_CONSOLE_CLAIM_TEXT + 1] = {0};

	NEED_CONSOLE();
	ASSERT_OK(hc_console_claim(0, text));
	die_once();
	ASSERT_OK(hc_console_claim(0, text));
	EXPECT_EQ(*text, 0);
	hc_console_release();
}

static const struct test tests[] = {
	TEST(messages_are_cheap),
	TEST(arguments),
	TEST(messages_wait_for_the_line),
	TEST(nothing_for_others),
};

bool main(void)
{
	return guest_run("console", tests, RT_ARRAY(tests));
}
