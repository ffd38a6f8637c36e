/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/bench/partner.h"

#include "rt/bench/bench.h"
#include "rt/cpu.h"
#include "rt/event.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/thread.h"

#define STILL_US 20 /* a thread that has used no time for so long is asleep */

static struct rt_ec partner;
static bool made;

const char *partner_start(unsigned cpu, unsigned prio, void (*fn)(void *))
{
	partner.cpu = cpu;
	partner.events = 0;
	BENCH_NEED(rt_thread(&partner, prio, fn, NULL));
	made = true;
	return NULL;
}

static void spin(uint64_t us)
{
	uint64_t start = rt_rdtsc(), ticks = us * rt_hip->freq_tsc / 1000;

	while (rt_rdtsc() - start < ticks)
		rt_pause();
}

void partner_until_asleep(sel_t sc)
{
	unsigned long before, now;

	RT_MUST(hc_sc_ctrl(sc, &now));
	do {
		before = now;
		spin(STILL_US);
		RT_MUST(hc_sc_ctrl(sc, &now));
	} while (now != before);
}

/* On another CPU the thread may still be on its way to sleep. It must not be revoked before, as the next one gets its
 * stack. */
void partner_end(void)
{
	if (made && partner.cpu != rt_cpu)
		partner_until_asleep(partner.sc);
	if (made) {
		bench_status(rt_revoke(partner.sc));
		bench_status(rt_revoke(partner.sel));
	}
	made = false;
}

sel_t partner_sc(void)
{
	return partner.sc;
}

/* `events`: the event base, for ECs that are to run. */
static const char *make(sel_t base, long count, unsigned prio, sel_t events)
{
	for (sel_t sel = base; sel < base + 2 * (sel_t)count; sel += 2) {
		BENCH_NEED(hc_create_ec(sel, RT_SEL_PD, rt_cpu, 0, 0, events, CREATE_EC_GLOBAL));
		BENCH_NEED(hc_create_sc(sel + 1, RT_SEL_PD, sel, prio, RT_QUANTUM));
	}
	return NULL;
}

const char *partner_ready(sel_t base, long count, unsigned prio)
{
	return make(base, count, prio, 0);
}

volatile uint64_t partner_ring_ran;

/*
 * These ECs are many and have no stack, so this is not C: they start here with whatever is in the registers. The time
 * is read right behind the yield, as a window does it.
 */
void ring_entry(void);

_Static_assert(HC_ARG1(HC_EC_CTRL, EC_CTRL_YIELD, 0) == 0x109, "ring_entry yields with this number");

__asm__(".pushsection .text\n"
	"ring_entry:\n"
	"	mov $0x109, %edi\n"
	"	syscall\n"
	"	lfence\n"
	"	rdtsc\n"
	"	cmpq $0, partner_ring_ran(%rip)\n"
	"	jne ring_entry\n"
	"	shl $32, %rdx\n"
	"	or %rdx, %rax\n"
	"	mov %rax, partner_ring_ran(%rip)\n"
	"	jmp ring_entry\n"
	".popsection\n");

static void ring_startup(struct utcb *utcb, RT_UNUSED void *unused)
{
	utcb->state.mtd = MTD_RIP_LEN;
	utcb->state.rip = (uint64_t)ring_entry;
}

const char *partner_ring(sel_t base, long count, unsigned prio)
{
	static struct rt_ec starter;
	static sel_t events;

	if (!events) {
		starter.cpu = rt_cpu;
		BENCH_NEED(rt_ec_local(&starter));
		BENCH_NEED(rt_events_new(rt_cpu, &events));
		BENCH_NEED(rt_event(events, HEDRON_EXC_STARTUP, &starter, 0, ring_startup, NULL));
	}
	return make(base, count, prio, events);
}
