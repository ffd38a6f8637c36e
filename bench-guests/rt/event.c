/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/event.h"

#include "rt/console.h"
#include "rt/entry.h"
#include "rt/hip.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/probe.h"
#include "rt/sel.h"

#define FAULT_MTD (MTD_GPR_ACDB | MTD_GPR_BSD | MTD_GPR_R8_R15 | MTD_RSP | MTD_RIP_LEN | MTD_RFLAGS | MTD_QUAL)

static struct {
	bool ready;
	sel_t base;
	struct rt_ec ec; /* runs the handlers */
} cpu_events[HEDRON_CPU_MAX];

static const char *vector_name(unsigned long vector)
{
	static const char *const names[HEDRON_SEL_EXC] = {
		"#DE", "#DB", "NMI", "#BP", "#OF",        "#BR", "#UD", "#NM", "#DF", [10] = "#TS",
		"#NP", "#SS", "#GP", "#PF", [16] = "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
	};

	return vector < HEDRON_SEL_EXC && names[vector] ? names[vector] : "event";
}

static bool probe(struct utcb_state *s)
{
	if (s->rip != (uint64_t)rt_probe_read && s->rip != (uint64_t)rt_probe_write)
		return false;
	s->rip = (uint64_t)rt_probe_failed;
	s->mtd = MTD_RIP_LEN;
	return true;
}

static void fault(struct utcb *utcb, void *arg)
{
	struct utcb_state *s = &utcb->state;
	unsigned long vector = (unsigned long)arg;

	if (probe(s))
		return;
	rt_printf("roottask: %s (%lu) at rip %016lx, rsp %016lx, rflags %lx, error %lx, cr2 %016lx\n",
		  vector_name(vector), vector, s->rip, s->rsp, s->rflags, s->qual[0], s->qual[1]);
	rt_printf("  rax %016lx rcx %016lx rdx %016lx rbx %016lx\n", s->rax, s->rcx, s->rdx, s->rbx);
	rt_printf("  rbp %016lx rsi %016lx rdi %016lx r8  %016lx\n", s->rbp, s->rsi, s->rdi, s->r8);
	rt_printf("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", s->r9, s->r10, s->r11, s->r12);
	rt_printf("  r13 %016lx r14 %016lx r15 %016lx\n", s->r13, s->r14, s->r15);
	rt_panic("unhandled %s at rip %lx", vector_name(vector), s->rip);
}

/* RSP, set when the EC was made, is where rt_thread_entry finds what to run. */
static void startup(struct utcb *utcb, RT_UNUSED void *arg)
{
	utcb->state.mtd = MTD_RIP_LEN;
	utcb->state.rip = (uint64_t)rt_thread_entry;
}

static enum status portal(sel_t base, unsigned long vector, const struct rt_ec *ec)
{
	bool start = vector == HEDRON_EXC_STARTUP;

	return rt_pt_at(base + vector, ec, start ? 0 : FAULT_MTD, start ? startup : fault, (void *)vector);
}

static enum status fill(struct rt_ec *ec)
{
	enum status st = rt_ec_prepare(ec);

	if (st == SUCCESS)
		st = rt_ec_create_local(ec);
	for (unsigned long v = 0; v < HEDRON_SEL_EXC && st == SUCCESS; v++)
		st = portal(ec->events, v, ec);
	return st;
}

/* The roottask's own EC has event base 0, so these portals are there. */
void rt_events_init(void)
{
	cpu_events[rt_cpu].ready = true;
	cpu_events[rt_cpu].ec.cpu = rt_cpu;
	RT_MUST(fill(&cpu_events[rt_cpu].ec));
}

enum status rt_events_new(unsigned cpu, sel_t *events)
{
	struct rt_ec ec = {.cpu = cpu, .events = rt_sels(5)};

	*events = ec.events;
	return fill(&ec);
}

sel_t rt_events(unsigned cpu)
{
	rt_assert(rt_cpu_enabled(cpu));
	if (!cpu_events[cpu].ready) {
		cpu_events[cpu].base = rt_sels(5);
		cpu_events[cpu].ec = (struct rt_ec){.cpu = cpu, .events = cpu_events[cpu].base};
		RT_MUST(fill(&cpu_events[cpu].ec));
		cpu_events[cpu].ready = true;
	}
	return cpu_events[cpu].base;
}

enum status rt_event(sel_t events, unsigned vector, const struct rt_ec *ec, unsigned long mtd, rt_handler *handler,
		     void *arg)
{
	enum status st = rt_revoke(events + vector);

	return st == SUCCESS ? rt_pt_at(events + vector, ec, mtd, handler, arg) : st;
}

enum status rt_event_raw(sel_t events, unsigned vector, const struct rt_ec *ec, unsigned long mtd,
			 void (*entry)(void))
{
	enum status st = rt_revoke(events + vector);

	return st == SUCCESS ? hc_create_pt(events + vector, RT_SEL_PD, ec->sel, mtd, (uint64_t)entry) : st;
}

enum status rt_event_default(unsigned cpu, unsigned vector)
{
	sel_t base = rt_events(cpu);
	enum status st = rt_revoke(base + vector);

	return st == SUCCESS ? portal(base, vector, &cpu_events[cpu].ec) : st;
}
