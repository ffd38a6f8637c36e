/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An exception, its handler's reply, and back behind the faulting instruction. */
#include "ipc.h"

#include "rt/bench/bench.h"
#include "rt/event.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/thread.h"

#define UD 6
#define ALL_STATE (MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS)

static struct rt_ec handler;

static const char *setup(long all)
{
	handler.cpu = rt_cpu;
	BENCH_NEED(rt_ec_local(&handler));
	BENCH_NEED(rt_event_raw(rt_events(rt_cpu), UD, &handler, all ? ALL_STATE : MTD_RIP_LEN, ipc_entry_skip2));
	return NULL;
}

static void teardown(void)
{
	bench_status(rt_event_default(rt_cpu, UD));
	bench_status(rt_revoke(handler.sel));
}

static uint64_t window(void)
{
	return BENCH(__asm__ volatile("ud2" : : : "memory"));
}

/* Also the registers that system calls lose come back. */
static const char *valid(void)
{
	unsigned long rax = 1, rcx = 2, rdx = 3, rsi = 4, rdi = 5, sum;
	register unsigned long r11 __asm__("r11") = 6;

	__asm__ volatile("ud2" : "+a"(rax), "+c"(rcx), "+d"(rdx), "+S"(rsi), "+D"(rdi), "+r"(r11) : : "memory");
	sum = rax | rcx << 4 | rdx << 8 | rsi << 12 | rdi << 16 | r11 << 20;
	return sum == 0x654321 ? NULL : "registers changed across an exception";
}

const struct bench_case ipc_event_cases[] = {
	{.name = "exception",
	 .param = "state",
	 BENCH_TEXTS("none", "all"),
	 .setup = setup,
	 .window = window,
	 .valid = valid,
	 .teardown = teardown},
	{},
};
