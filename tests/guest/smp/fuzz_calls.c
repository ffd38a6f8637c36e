/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random hypercalls, exceptions and messages, made in a sandbox. Most are plausible: the right kind of object, pages
 * where something may be mapped, sub-operations that exist; the rest is anything. What could stop the machine is left
 * out: sleep types that the firmware may know, and writes to MSRs that the kernel does not guard.
 */
#include "fuzz.h"
#include "edges.h"

#include "rt/entry.h"
#include "rt/irq_ctrl.h"
#include "rt/memory_ctrl.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/port.h"

#define EACH 200 /* steps until a thread parks itself, whatever became of the counter */

struct dice {
	uint64_t seed;
};

static uint64_t any64(struct dice *d)
{
	return smp_random(&d->seed);
}

static unsigned long roll(struct dice *d, unsigned long n)
{
	return (any64(d) >> 16) % n;
}

static bool take(unsigned long *counter)
{
	return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED) < fuzz_shared->limit;
}

/* ---- Arguments ---- */

static uint64_t edge(struct dice *d)
{
	return edge_values[roll(d, EDGE_VALUES)];
}

/* One of the eight at `kind`, or another. */
static sel_t a_thing(struct dice *d, sel_t kind)
{
	switch (roll(d, 16)) {
	case 0:
		return any64(d) >> (12 + roll(d, 52));
	case 1:
		return roll(d, FUZZ_END + 8);
	case 2:
	case 3:
		return FUZZ_FREE + roll(d, 8);
	default:
		return kind + roll(d, 8);
	}
}

static sel_t a_pd(struct dice *d)
{
	return a_thing(d, FUZZ_PD);
}
static sel_t a_pt(struct dice *d)
{
	return a_thing(d, FUZZ_PT + 8 * roll(d, 2));
}
static sel_t a_local(struct dice *d)
{
	return a_thing(d, FUZZ_LOCAL);
}
static sel_t anything(struct dice *d)
{
	return roll(d, 8) ? FUZZ_THINGS + roll(d, 1 << FUZZ_ORDER) : a_thing(d, 0);
}
/* For what is made or destroyed: mostly one that nobody needs. */
static sel_t a_place(struct dice *d)
{
	return roll(d, 4) ? FUZZ_FREE + roll(d, FUZZ_END - FUZZ_FREE) : anything(d);
}

static uint64_t a_page(struct dice *d)
{
	switch (roll(d, 16)) {
	case 0:
		return edge(d);
	case 1:
		return any64(d) & ~0xffful;
	case 2:
		return FUZZ_UTCB + roll(d, 16) * RT_PAGE;
	default:
		return FUZZ_ARENA + roll(d, FUZZ_PAGES) * RT_PAGE;
	}
}

/* What can be delegated: memory that exists, too. */
static uint64_t a_source(struct dice *d)
{
	return roll(d, 4) ? (uint64_t)fuzz_shared->arena[roll(d, 4)] : a_page(d);
}

static uint64_t an_address(struct dice *d)
{
	return a_page(d) + (roll(d, 2) ? 0 : roll(d, RT_PAGE));
}

static crd_t a_crd(struct dice *d, bool source)
{
	unsigned perm = roll(d, 4) ? PERM_ALL : (unsigned)roll(d, 32);
	unsigned order = roll(d, 2) ? 0 : roll(d, 8) ? (unsigned)roll(d, 6) : (unsigned)roll(d, 32);

	switch (roll(d, 16)) {
	case 0:
		return roll(d, 2) ? any64(d) : edge(d);
	case 1:
	case 2:
	case 3:
	case 4:
		return crd_make(CRD_MEM, (source ? a_source(d) : a_page(d)) >> 12, order, perm);
	case 5:
	case 6:
		return crd_make(CRD_PIO, roll(d, 8) ? FUZZ_PORT + roll(d, FUZZ_PORTS) : roll(d, 0x10010), order,
				perm);
	default:
		return crd_make(CRD_OBJ, roll(d, 2) ? a_place(d) : anything(d), order, perm);
	}
}

static unsigned long an_argument(struct dice *d)
{
	switch (roll(d, 6)) {
	case 0:
		return edge(d);
	case 1:
		return any64(d);
	case 2:
		return an_address(d);
	case 3:
		return a_crd(d, roll(d, 2));
	default:
		return anything(d);
	}
}

static unsigned long an_item_word(struct dice *d)
{
	return (roll(d, 4) ? ITEM_DELEGATE : roll(d, 4)) | (roll(d, 4) ? 0 : roll(d, 16) << 8) |
	       (roll(d, 2) ? 0 : a_page(d));
}

static unsigned a_cpu(struct dice *d, unsigned worker)
{
	return roll(d, 16) ? fuzz_cpus[worker] : (unsigned)roll(d, 0x1000);
}

/* ---- Messages ---- */

/* The address may be anything, and the page may have gone. */
static void write_message(struct dice *d, struct utcb *u)
{
	unsigned long typed = roll(d, 8) ? roll(d, 4) : roll(d, 0x10000);

	u->items = (roll(d, 8) ? roll(d, 16) : roll(d, 0x10000)) | typed << 16 | (roll(d, 8) ? 0 : any64(d) << 32);
	u->xlt = a_crd(d, false);
	u->del = a_crd(d, false);
	for (unsigned i = 0; i < 4; i++)
		rt_item(u, i, a_crd(d, true), an_item_word(d));
}

/* ---- Hypercalls ---- */

static void create_ec(struct dice *d, struct hc_regs *r)
{
	unsigned worker = (unsigned)roll(d, SMP_MAX);
	unsigned long utcb = roll(d, 4) ? FUZZ_UTCB + roll(d, 16) * RT_PAGE : a_page(d);
	unsigned flags = (roll(d, 2) ? CREATE_EC_GLOBAL : 0) | (roll(d, 2) ? CREATE_EC_CALLER_UTCB : 0);

	*r = (struct hc_regs){HC_ARG1(HC_CREATE_EC, flags, a_place(d)), a_pd(d),
			      (roll(d, 4) ? utcb & ~0xffful : 0) | a_cpu(d, worker), utcb,
			      roll(d, 8) ? SMP_PD_EVENTS * worker : an_argument(d)};
}

static void create_pt(struct dice *d, struct hc_regs *r)
{
	static void (*const entry[])(void) = {fuzz_serve, fuzz_serve, fuzz_fault, rt_portal_echo};
	uint64_t rip = roll(d, 16) ? (uint64_t)entry[roll(d, 4)] : an_argument(d);

	*r = (struct hc_regs){HC_ARG1(HC_CREATE_PT, 0, a_place(d)), a_pd(d), a_local(d), any64(d), rip};
}

static void revoke(struct dice *d, struct hc_regs *r)
{
	*r = (struct hc_regs){HC_ARG1(HC_REVOKE, roll(d, 4), 0), a_crd(d, roll(d, 4) == 0), a_pd(d), any64(d), 0};
}

static void delegate(struct dice *d, struct hc_regs *r)
{
	*r = (struct hc_regs){HC_ARG1(HC_PD_CTRL, PD_CTRL_DELEGATE, a_pd(d)), a_pd(d), a_crd(d, true),
			      an_item_word(d), a_crd(d, false)};
}

/* Reads of any MSR; writes of those that the kernel has to refuse. */
static void msr(struct dice *d, struct hc_regs *r)
{
	static const uint32_t guarded[] = {
		0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000101, 0xc0000102, 0xc0000103,
		0x174,      0x175,      0x176,      0x3a,       0x277,      0x2ff,      0x200,      0x26f,
		0x600,      0x802,      0x830,      0x8ff,      0x480,      0x491,
	};
	uint64_t index = guarded[roll(d, RT_ARRAY(guarded))];
	unsigned write = roll(d, 2) ? PD_CTRL_MSR_WRITE : 0;

	if (!write && roll(d, 2))
		index = roll(d, 2) ? roll(d, 0x1000) : 0xc0000000 + roll(d, 0x200);
	*r = (struct hc_regs){HC_ARG1(HC_PD_CTRL, PD_CTRL_MSR | write, index), any64(d), 0, 0, 0};
}

static void pd_ctrl(struct dice *d, struct hc_regs *r)
{
	switch (roll(d, 4)) {
	case 0:
		*r = (struct hc_regs){HC_ARG1(HC_PD_CTRL, PD_CTRL_LOOKUP, 0), a_crd(d, false), 0, 0, 0};
		break;
	case 1:
		*r = (struct hc_regs){HC_ARG1(HC_PD_CTRL, PD_CTRL_ACCESS_PAGE, 0),
				      crd_make(CRD_MEM, a_page(d) >> 12, 0, RT_MEM_RW), 0, 0, 0};
		break;
	case 2:
		msr(d, r);
		break;
	default:
		delegate(d, r);
	}
}

/* Sleep types have three bits: these are never right. A microcode blob of any size, of any page of the first 512 MiB.
 */
static void machine_ctrl(struct dice *d, struct hc_regs *r)
{
	if (roll(d, 2))
		*r = (struct hc_regs){
			HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_SUSPEND, (8 + roll(d, 248)) | (8 + roll(d, 248)) << 8),
			0, 0, 0, 0};
	else
		*r = (struct hc_regs){HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_MICROCODE, roll(d, 0x3000)),
				      roll(d, 2) ? fuzz_page + roll(d, 64) : roll(d, 0x20000000), 0, 0, 0};
}

/* Little at a time, or what nobody has. */
static void memory_ctrl(struct dice *d, struct hc_regs *r)
{
	*r = (struct hc_regs){HC_ARG1(HC_MEMORY_CTRL, roll(d, 3), a_pd(d)), a_pd(d),
			      roll(d, 8) ? roll(d, 0x10000) : any64(d), 0, 0};
}

/* Opening is for main() to decide; lines of the ISA bus, which stay as they are, and others. */
static void irq_ctrl(struct dice *d, struct hc_regs *r)
{
	unsigned op = IRQ_CTRL_BIND_LINE + (unsigned)roll(d, IRQ_CTRL_COUNT + 2);
	unsigned long line = roll(d, 4) ? IRQ_LINE_ISA | roll(d, 20) : roll(d, 64) | (roll(d, 16) << 32);

	*r = (struct hc_regs){HC_ARG1(HC_IRQ_CTRL, op, a_thing(d, FUZZ_SM)), roll(d, 8) ? line : any64(d),
			      a_cpu(d, (unsigned)roll(d, SMP_MAX)), 0, 0};
}

/* Downs may block for ever: mostly up. */
static void sm_ctrl(struct dice *d, struct hc_regs *r)
{
	unsigned flags = roll(d, 4) ? SM_CTRL_UP : (unsigned)(SM_CTRL_DOWN | (roll(d, 2) ? SM_CTRL_ZERO : 0));

	*r = (struct hc_regs){HC_ARG1(HC_SM_CTRL, flags, a_thing(d, FUZZ_SM)), roll(d, 16) == 0, 0, 0, 0};
}

static void vcpu(struct dice *d, struct hc_regs *r, unsigned hc)
{
	unsigned worker = (unsigned)roll(d, SMP_MAX);

	if (hc == HC_CREATE_VCPU)
		*r = (struct hc_regs){HC_ARG1(hc, 0, a_place(d)), a_pd(d) << 12 | a_cpu(d, worker),
				      a_thing(d, FUZZ_KP), a_thing(d, FUZZ_KP), a_thing(d, FUZZ_KP)};
	else
		*r = (struct hc_regs){HC_ARG1(hc, roll(d, 2), a_thing(d, FUZZ_VCPU)), any64(d), 0, 0, 0};
}

/* A plausible one. */
static void fill_in(struct dice *d, struct hc_regs *r, unsigned hc)
{
	sel_t place = a_place(d), pd = a_pd(d);

	switch (hc) {
	case HC_CALL:
		r->rdi = HC_ARG1(hc, roll(d, 2), a_pt(d));
		break;
	case HC_CREATE_PD:
		*r = (struct hc_regs){HC_ARG1(hc, roll(d, 2), place), pd,
				      roll(d, 2) ? rt_obj(FUZZ_THINGS, FUZZ_ORDER, PERM_ALL) : a_crd(d, true), 0, 0};
		break;
	case HC_CREATE_EC:
		create_ec(d, r);
		break;
	case HC_CREATE_SC:
		*r = (struct hc_regs){HC_ARG1(hc, 0, place), pd, a_thing(d, FUZZ_GLOBAL),
				      (1 + roll(d, SMP_PRIO - 2)) | RT_QUANTUM << 12, 0};
		break;
	case HC_CREATE_PT:
		create_pt(d, r);
		break;
	case HC_CREATE_SM:
	case HC_CREATE_KP:
		*r = (struct hc_regs){HC_ARG1(hc, 0, place), pd, roll(d, 3), 0, 0};
		break;
	case HC_REVOKE:
		revoke(d, r);
		break;
	case HC_PD_CTRL:
		pd_ctrl(d, r);
		break;
	case HC_EC_CTRL:
		r->rdi = HC_ARG1(hc, EC_CTRL_YIELD, 0);
		break;
	case HC_SC_CTRL:
		r->rdi = HC_ARG1(hc, 0, a_thing(d, FUZZ_SC));
		break;
	case HC_PT_CTRL:
		r->rdi = HC_ARG1(hc, 0, a_pt(d));
		break;
	case HC_KP_CTRL:
		*r = (struct hc_regs){HC_ARG1(hc, roll(d, 2), a_thing(d, FUZZ_KP)), pd, a_page(d), 0, 0};
		break;
	case HC_CREATE_VCPU:
	case HC_VCPU_CTRL:
		vcpu(d, r, hc);
		break;
	}
}

static unsigned a_number(struct dice *d)
{
	static const uint8_t often[] = {HC_REVOKE,    HC_PD_CTRL, HC_PD_CTRL,     HC_CALL,      HC_CALL,
					HC_SM_CTRL,   HC_SM_CTRL, HC_CREATE_EC,   HC_CREATE_SC, HC_CREATE_PT,
					HC_CREATE_SM, HC_KP_CTRL, HC_MEMORY_CTRL, HC_IRQ_CTRL};

	if (roll(d, 16) == 0)
		return (unsigned)roll(d, 256);
	return roll(d, 2) ? often[roll(d, sizeof(often))] : (unsigned)roll(d, HC_VCPU_CTRL + 1);
}

/* Some end the thread's part in all this, so they are rarer: a reply parks it. */
static struct hc_regs a_hypercall(struct dice *d)
{
	unsigned hc = a_number(d);
	struct hc_regs r = {HC_ARG1(hc, roll(d, 16), anything(d)), an_argument(d), an_argument(d), an_argument(d),
			    an_argument(d)};

	if (hc == HC_REPLY && roll(d, 8))
		hc = HC_SM_CTRL;
	if (hc == HC_SM_CTRL)
		sm_ctrl(d, &r);
	else if (hc == HC_MACHINE_CTRL)
		machine_ctrl(d, &r);
	else if (hc == HC_MEMORY_CTRL)
		memory_ctrl(d, &r);
	else if (hc == HC_IRQ_CTRL)
		irq_ctrl(d, &r);
	else if (roll(d, 8))
		fill_in(d, &r, hc);
	else if (hc == HC_PD_CTRL && (r.rdi >> 8 & 7) == (PD_CTRL_MSR | PD_CTRL_MSR_WRITE))
		msr(d, &r);
	return r;
}

static void call_kernel(struct dice *d, struct utcb *u)
{
	struct hc_regs r = a_hypercall(d);
	enum status st;

	if (roll(d, 4) == 0)
		write_message(d, u);
	st = hc_raw(&r);
	__atomic_fetch_add(&fuzz_shared->statuses[st < 15 ? st : 15], 1, __ATOMIC_RELAXED);
}

/* ---- What else a program can do ---- */

static void trap(struct dice *d)
{
	volatile unsigned long *p = (volatile unsigned long *)(an_address(d) & ~7ul);

	switch (roll(d, 8)) {
	case 0:
		__asm__ volatile("ud2");
		break;
	case 1:
		__asm__ volatile("int3");
		break;
	case 2:
		__asm__ volatile("hlt");
		break;
	case 3:
		rt_in8((uint16_t)(FUZZ_PORT + roll(d, 2 * FUZZ_PORTS)));
		break;
	case 4:
		__asm__ volatile("pcmpeqb %xmm0, %xmm0");
		break;
	case 5:
		*p = any64(d);
		break;
	default:
		(void)*p;
	}
}

static void step(struct dice *d, struct utcb *u)
{
	if (roll(d, 16) == 0)
		trap(d);
	else
		call_kernel(d, u);
}

/* ---- Entered by fuzz.S ---- */

/* The dice go on where they were, also after a fault. */
static void steps(unsigned slot, struct utcb *u, unsigned n)
{
	struct dice d = {fuzz_shared->seed[slot] | 1};

	while (n-- && take(&fuzz_shared->calls)) {
		smp_random(&d.seed);
		fuzz_shared->seed[slot] = d.seed;
		step(&d, u);
	}
}

void fuzz_run(unsigned long unused, unsigned slot, struct utcb *u);
void fuzz_run(RT_UNUSED unsigned long unused, unsigned slot, struct utcb *u)
{
	steps(slot, u, EACH);
}

/*
 * Any portal can become that of an event. One that only answers sends the thread back to what it has failed at, again
 * and again, and main() would never run. So servers end when it is time, as handlers do.
 */
static void end_in_time(void)
{
	if (!take(&fuzz_shared->answers))
		__asm__ volatile("ud2");
}

void fuzz_reply(unsigned long unused, unsigned slot, struct utcb *u);
void fuzz_reply(RT_UNUSED unsigned long unused, RT_UNUSED unsigned slot, RT_UNUSED struct utcb *u)
{
	end_in_time();
}

void fuzz_answer(unsigned long unused, unsigned slot, struct utcb *u);
void fuzz_answer(RT_UNUSED unsigned long unused, unsigned slot, struct utcb *u)
{
	struct dice d = {fuzz_shared->seed[slot] | 1};

	end_in_time();
	steps(slot, u, 3);
	if (roll(&d, 2))
		write_message(&d, u);
}

/*
 * Most threads start anew, some go on as they were or in any other state. When it is time all end with their handler:
 * for its own exceptions there is none but itself. (A reply might not reach the kernel, the UTCB may be another one.)
 */
void fuzz_handle(unsigned long vector, unsigned slot, struct utcb *u);
void fuzz_handle(unsigned long vector, unsigned slot, struct utcb *u)
{
	struct dice d = {fuzz_shared->seed[slot] + vector * 2 + 1};

	if (!take(&fuzz_shared->faults))
		__asm__ volatile("ud2");
	smp_random(&d.seed);
	fuzz_shared->seed[slot] = d.seed;
	u->del = a_crd(&d, false);
	if (roll(&d, 32) == 0) {
		u->state.mtd = MTD_RIP_LEN;
		u->state.rip = any64(&d);
	} else if (roll(&d, 8)) {
		u->state.mtd = MTD_RIP_LEN | (roll(&d, 8) ? 0 : any64(&d) & ~(uint64_t)(MTD_RSP | MTD_RFLAGS));
		u->state.rip = (uint64_t)fuzz_thread;
	} else {
		u->state.mtd = any64(&d) | MTD_RIP_LEN;
		u->state.rflags = any64(&d);
		u->state.rax = any64(&d);
		u->state.rip = (uint64_t)fuzz_thread;
	}
	if (roll(&d, 8) == 0)
		rt_item(u, 0, a_crd(&d, true), an_item_word(&d));
	u->items = roll(&d, 8) ? 0 : roll(&d, 4) << 16;
}
