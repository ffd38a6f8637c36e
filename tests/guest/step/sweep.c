/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NMIs sweep over the ways into a guest and out of it. In each round a victim goes one way and then spins without
 * ever entering the kernel, in the guest or in user mode; an attacker on another CPU wakes somebody more important of
 * the victim's CPU, one instruction later than in the round before. If the victim has spun for long and nobody has
 * come, the wake-up was lost.
 *
 * With "trace=1" what each NMI hit is printed: "NMI <test> <address in the kernel> <how often> <lost>". To be run
 * where CPUs take turns after a few instructions and the rounds differ only by that: in Bochs, with a CPU for each
 * part.
 */
#include "smp.h"

#include "guest/vm.h"
#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/port.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/trace/trace_ctrl.h"

#include <hedron/trace.h>

#define VICTIM 1
#define THIRD 2
#define SLIDE 1700  /* instructions; the latest round */
#define HEAD 300    /* of the victim before it sets out, as many as an attacker takes to send an NMI */
#define REPEAT 2    /* rounds with one delay: the attacker does not always see at once that the victim sets out */
#define LEAD 900    /* until the other NMI is sent */
#define QUANTUM 5   /* of a CPU in Bochs with its debugger: only between turns an NMI arrives */
#define TURNS 3000u /* until a wake-up counts as lost */
#define CR4_OSXSAVE (1ul << 18)
#define HITS 2048 /* different addresses */

/* Where the guest looks, and where it leaves what is left of its turns. */
enum { WOKEN = VM_DATA, LEFT = VM_DATA + 4 };

void sweep_slide(unsigned long n); /* n instructions, and a few */

__asm__(".pushsection .text\n"
	"sweep_slide:\n"
	"	lea 1f(%rip), %rax\n"
	"	sub %rdi, %rax\n"
	"	jmp *%rax\n"
	"	.fill 1700, 1, 0x90\n"
	"1:	ret\n"
	".popsection\n");
_Static_assert(SLIDE == 1700, "sweep_slide");

#define SPIN "mov $3000, %ecx\n 1: cmpl $0, 0x6000\n jne 2f\n dec %ecx\n jnz 1b\n 2: mov %ecx, 0x6004\n"
_Static_assert(TURNS == 3000 && WOKEN == 0x6000 && LEFT == 0x6004, "SPIN");

VM_CODE_ONE(exit_and_spin, ".code64", "cpuid\n" SPIN);
/* CR4.MCE is the kernel's business: it looks at the change, and enters again. */
VM_CODE_ONE(change_and_spin, ".code64", "mov %cr4, %rax\n xor $0x40, %rax\n mov %rax, %cr4\n" SPIN);
VM_CODE_ONE(only_spin, ".code64", SPIN);
VM_CODE_ONE(only_exit, ".code64", "vmcall\n");

static struct {
	const struct vm_code *code;
	unsigned long from, to; /* delays of the attacker */
	bool exits;             /* to the monitor, which enters again */
	bool port;              /* the victim spins in user mode, behind a port access */
	bool fresh;             /* the vCPU is new in each round, and the way long */
	bool bystander;         /* another NMI hits the guest, about when the first rounds of the attacker do */
} way;

static struct vm vm;
static sel_t go, wake, bystand;
static volatile unsigned long ready, done, woken, bystanders, lost_now;
static unsigned long lost;
static const struct trace_head *head;
static bool noting;
static unsigned long repeat; /* rounds with one delay */

static struct {
	uint64_t rip;
	unsigned times, lost;
} hits[HITS];
static unsigned hit_count;

/* ---- the victim's CPU ---- */

static void guard(RT_UNUSED void *unused)
{
	while (hc_sm_down(wake) == SUCCESS) {
		*vm_u32(&vm, WOKEN) = 1;
		smp_inc(&woken);
	}
}

static void bystander(RT_UNUSED void *unused)
{
	while (hc_sm_down(bystand) == SUCCESS)
		smp_inc(&bystanders);
}

static unsigned long spin_here(void)
{
	unsigned long turns = TURNS;

	rt_out8(0x80, 0);
	while (turns && !*vm_u32(&vm, WOKEN))
		turns--;
	return turns;
}

static void start_guest(void)
{
	vm_start(&vm, VM_64, way.code);
	vm.s->cr4 &= ~CR4_OSXSAVE; /* its XCR0 is ours: nothing has to be switched on the way */
	vm.mtd &= ~(uint64_t)MTD_TSC_TIMEOUT;
}

/* How many turns are left. */
static unsigned long go_way(void)
{
	RT_MUST(vm_run(&vm));
	if (way.exits) {
		rt_assert(vm.s->exit_reason == VMX_CPUID);
		vm_skip(&vm);
		RT_MUST(vm_run(&vm));
	}
	rt_assert(vm.s->exit_reason == VMX_VMCALL);
	return way.port ? spin_here() : *vm_u32(&vm, LEFT);
}

static void begin_anew(void)
{
	const struct rt_vcpu *v = &vm.vcpu;

	RT_MUST(rt_revoke(v->sel));
	RT_MUST(hc_create_vcpu(v->sel, v->cpu, v->pd, v->sel + RT_VCPU_SEL_STATE, v->sel + RT_VCPU_SEL_VLAPIC,
			       v->sel + RT_VCPU_SEL_FPU));
	start_guest();
}

static unsigned long rounds(void)
{
	return (way.to - way.from) * repeat;
}

static void victim(void)
{
	for (unsigned long r = 1; r <= rounds() && !test_failed(); r++) {
		RT_MUST(hc_sm_down(go));
		*vm_u32(&vm, WOKEN) = 0;
		vm.s->rip = VM_CODE_AT;
		vm.mtd = MTD_RIP_LEN;
		if (way.fresh)
			begin_anew();
		smp_set(&ready, r);
		sweep_slide(HEAD + r % QUANTUM);
		smp_set(&lost_now, !go_way());
		smp_set(&done, r);
		smp_progress(VICTIM);
	}
}

/* ---- the attacker ---- */

static const struct trace_record *record(uint64_t n)
{
	return (const struct trace_record *)((const uint8_t *)head + head->ring_offset) + n % head->records;
}

static void note(uint64_t rip)
{
	unsigned i = 0;

	while (i < hit_count && hits[i].rip != rip)
		i++;
	rt_assert(i < HITS);
	hits[i].rip = rip;
	hits[i].times++;
	hits[i].lost += lost_now != 0;
	hit_count += i == hit_count;
}

/* What the last NMI of the round has hit, if it was the kernel. */
static void note_round(void)
{
	const struct trace_record *r = record(head->written - 1);

	if (r->event == TRACE_NMI && r->extra == TRACE_MODE_KERNEL)
		note(r->a);
}

static bool attack(unsigned long r, unsigned long delay)
{
	RT_MUST(hc_sm_up(go));
	while (smp_load(&ready) != r)
		;
	sweep_slide(delay);
	RT_MUST(hc_sm_up(wake));
	if (!SMP_WAIT(smp_load(&done) == r) || !SMP_WAIT(smp_load(&woken) == r) ||
	    (way.bystander && !SMP_WAIT(smp_load(&bystanders) == r)))
		return false;
	lost += lost_now != 0;
	if (noting)
		note_round();
	smp_progress(0);
	return true;
}

static void disturb(unsigned long r)
{
	if (!SMP_WAIT(smp_load(&ready) >= r))
		return;
	sweep_slide(LEAD);
	RT_MUST(hc_sm_up(bystand));
}

static void take_part(unsigned self)
{
	if (self == VICTIM)
		victim();
	for (unsigned long r = 1; self == THIRD && r <= rounds(); r++)
		disturb(r);
	for (unsigned long r = 1; !self && r <= rounds() && attack(r, way.from + r / repeat); r++)
		;
}

/* ---- tests ---- */

static void trace_victim(void)
{
	unsigned long pages;

	if (head || !rt_arg("trace", 0))
		return;
	RT_MUST(hc_trace_setup(TRACE_ORDER_MIN, &pages));
	uintptr_t va = rt_va(pages, 1);
	RT_MUST(hc_trace_map(smp_cpu(VICTIM), va));
	head = (const struct trace_head *)va;
}

static void prepare(void)
{
	static struct rt_ec guard_ec, bystander_ec;

	RT_MUST(rt_mask_interrupts());
	vm.vcpu = (struct rt_vcpu){.pd = smp_sel(), .cpu = smp_cpu(VICTIM)};
	RT_MUST(hc_create_pd(vm.vcpu.pd, RT_SEL_PD, 0, 0));
	RT_MUST(vm_make(&vm));
	start_guest();
	go = smp_sm(0);
	wake = smp_sm(0);
	bystand = smp_sm(0);
	lost = hit_count = 0;
	memset(hits, 0, sizeof(hits));
	smp_thread(&guard_ec, VICTIM, SMP_PRIO + 1, guard, NULL);
	smp_thread(&bystander_ec, VICTIM, SMP_PRIO - 1, bystander, NULL);
	RT_MUST(rt_ports(0x80, 0));
}

static void first_run(unsigned self)
{
	if (self == VICTIM)
		RT_MUST(vm_run(&vm)); /* takes the whole state */
}

static void all_rounds(bool traced)
{
	ready = done = woken = bystanders = 0;
	noting = traced;
	/* What is executed once on the way of a new vCPU must be met, wherever the turns of the CPUs begin. */
	repeat = !traced ? 1 : way.fresh && !rt_arg("brief", 0) ? QUANTUM : REPEAT;
	if (traced)
		RT_MUST(hc_trace_switch(1ul << TRACE_NMI, 0));
	smp_run(way.bystander ? 3 : 2, take_part);
	if (traced)
		RT_MUST(hc_trace_switch(0, 0));
}

/* Tracing has ways of its own for NMIs that hit guests, so there are rounds without it, too; not with "brief=1". */
static void sweep(const char *name)
{
	NEED_CPUS(3);
	if (!rt_has_vcpus())
		SKIP("no virtualization");
	prepare();
	smp_run(2, first_run);
	trace_victim();
	if (!head || !(way.fresh || rt_arg("brief", 0)))
		all_rounds(false);
	if (head)
		all_rounds(true);
	for (unsigned i = 0; i < hit_count; i++)
		rt_printf("NMI %s %lx %u %u\n", name, hits[i].rip, hits[i].times, hits[i].lost);
	EXPECT_EQ(lost, 0);
}

static void out_and_in_again(void)
{
	way = (typeof(way)){.code = &exit_and_spin, .to = 1000, .exits = true};
	sweep(__func__);
}

static void an_exit_for_the_kernel(void)
{
	way = (typeof(way)){.code = &change_and_spin, .to = 700};
	sweep(__func__);
}

static void a_first_entry(void)
{
	way = (typeof(way)){.code = &only_spin, .from = SLIDE - 700, .to = SLIDE, .fresh = true};
	sweep(__func__);
}

/* The first one hits the guest at the start of a turn, so the second hits every fifth instruction behind it. */
static void behind_another_nmi(void)
{
	way = (typeof(way)){.code = &only_spin, .from = LEAD - 100, .to = LEAD + 300, .bystander = true};
	sweep(__func__);
}

static void a_port_after_a_run(void)
{
	way = (typeof(way)){.code = &only_exit, .to = 900, .port = true};
	sweep(__func__);
}

bool main(void)
{
	static const struct test tests[] = {
		TEST(out_and_in_again),   TEST(an_exit_for_the_kernel), TEST(a_first_entry),
		TEST(behind_another_nmi), TEST(a_port_after_a_run),
	};

	return smp_test_run("sweep", tests, RT_ARRAY(tests));
}
