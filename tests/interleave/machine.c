/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "machine.h"

#include "explore.h"
#include "memory.h"
#include "report.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define STACK_SIZE (256 * 1024)

extern const char coroutine_start[];
void coroutine_switch(uint64_t *save, uint64_t load);

enum state {
	OFF,    /* not there, or lost in sleep */
	RUNS,   /* can go on at any time */
	SPINS,  /* waits in the kernel for a change */
	SLEEPS, /* until there is an NMI, or a word is not 0 */
	LOOPS,  /* in user mode, until there is an NMI */
};

static struct {
	enum state state;
	uint64_t sp;
	uint64_t seen;          /* SPINS: changes up to the last look */
	const uint64_t *word;   /* SLEEPS: wakes it when it is not 0; or NULL */
	bool nmi, late, in_nmi; /* pending; already put off once; in its handler */
} cpus[MACHINE_CPUS];

static _Alignas(4096) char stacks[MACHINE_CPUS][STACK_SIZE];
static uint64_t main_sp, changes; /* the stack of who called machine_run(); how often something changed */
static unsigned count;
int machine_running_cpu = -1;
#define running machine_running_cpu
static void (*cpu_main)(unsigned);

void (*machine_nmi_handler)(void);

void machine_set_running(int cpu)
{
	running = cpu;
	machine_set_running_cpu(cpu);
}

bool machine_on_stack(uint64_t address)
{
	return address - (uint64_t)stacks < sizeof(stacks);
}

void machine_changed(void)
{
	changes++;
}

/* ---- switching ---- */

static void go_to(int to)
{
	int from = running;

	memory_switch(to);
	report_switch(to);
	coroutine_switch(from < 0 ? &main_sp : &cpus[from].sp, to < 0 ? main_sp : cpus[to].sp);
}

void machine_abort(void)
{
	uint64_t nowhere; /* the flow that is left never goes on */

	if (running < 0)
		return;
	machine_set_running(-1);
	coroutine_switch(&nowhere, main_sp);
}

static bool can_run(unsigned n)
{
	switch (cpus[n].state) {
	case RUNS:
		return true;
	case SPINS:
		return cpus[n].seen != changes || (cpus[n].nmi && !cpus[n].in_nmi);
	case SLEEPS:
		return cpus[n].nmi || (cpus[n].word && __atomic_load_n(cpus[n].word, __ATOMIC_RELAXED));
	case LOOPS:
		return cpus[n].nmi;
	default:
		return false;
	}
}

static unsigned list_others(uint8_t *list, unsigned length, unsigned self)
{
	for (unsigned n = 0; n < count; n++)
		if (n != self && can_run(n))
			list[length++] = (uint8_t)n;
	return length;
}

/* ---- NMIs ---- */

static void take_nmi(unsigned self)
{
	cpus[self].nmi = cpus[self].late = false;
	cpus[self].in_nmi = true;
	memory_acquire();
	report_note("NMI");
	machine_nmi_handler();
	cpus[self].in_nmi = false;
	report_note("NMI ends");
}

/* IRET serializes, and so does taking an interrupt: SDM vol. 3, 9.3. */
static bool offer_nmi(unsigned self, bool must)
{
	bool taken = false;

	while (cpus[self].nmi && !cpus[self].in_nmi) {
		uint8_t cost[2] = {0, !cpus[self].late};
		if (!must && explore_choose(2, cost)) {
			cpus[self].late = true;
			return taken;
		}
		memory_drain();
		take_nmi(self);
		memory_drain();
		taken = true;
	}
	return taken;
}

bool machine_nmi_point(void)
{
	return running >= 0 && offer_nmi((unsigned)running, false);
}

void machine_kick(unsigned to)
{
	if (running >= 0)
		memory_release_to(to);
	cpus[to].nmi = true;
	report_kick(to);
}

bool machine_take_nmi(unsigned cpu)
{
	bool was = cpus[cpu].nmi;
	cpus[cpu].nmi = false;
	return was;
}

/* ---- points ---- */

/* Of a run. Those that end have far fewer. */
#define STEPS_MAX 400000
#define ACCESSES_MAX 3000000

static unsigned steps, accesses;

static void count_step(void)
{
	if (explore_truncated() || ++steps > STEPS_MAX)
		report_fail("the run does not come to its end: a livelock, or a scenario that is too long");
}

void machine_count_access(void)
{
	if (++accesses > ACCESSES_MAX)
		report_fail("the kernel's code loops for ever");
}

/*
 * Stores of CPUs that do not run become visible meanwhile, or not. It counts as much as going to that CPU and coming
 * back, which has the same effect where that CPU can run.
 */
static void offer_drain(unsigned self)
{
	static const uint8_t cost[2] = {0, 2};

	for (unsigned n = 0; n < count; n++)
		while (n != self && memory_holds_back(n) && explore_choose(2, cost))
			memory_drain_one(n);
}

void machine_point(void)
{
	unsigned self = (unsigned)running;
	uint8_t list[MACHINE_CPUS] = {(uint8_t)self};

	offer_nmi(self, false);
	offer_drain(self);
	unsigned n = list_others(list, 1, self);
	unsigned chosen = explore_choose_cpu(n, list, false);
	if (chosen)
		go_to(list[chosen]);
	count_step();
}

void machine_hazard_point(void)
{
	if (running < 0 || cpus[running].in_nmi)
		return;
	machine_point();
	machine_nmi_point();
}

/*
 * Some code of the kernel spins a limited number of times. So when only CPUs that spin are left, they get turns
 * although nothing changes, one after the other, and this many in all.
 */
#define LOOKS_MAX 20000

static uint64_t last_change;
static unsigned looks;

static int next_spinner(unsigned self)
{
	if (last_change != changes)
		looks = 0;
	last_change = changes;
	for (unsigned i = 1; looks < LOOKS_MAX && i <= count; i++)
		if (cpus[(self + i) % count].state == SPINS) {
			looks++;
			return (int)((self + i) % count);
		}
	return -1;
}

/* The running CPU cannot go on: another one does, or the run is over. */
static void give_way(void)
{
	unsigned self = (unsigned)running;
	uint8_t list[MACHINE_CPUS];
	unsigned n = list_others(list, 0, MACHINE_CPUS);

	count_step();
	if (!n && memory_drain_all()) {
		machine_changed();
		n = list_others(list, 0, MACHINE_CPUS);
	}
	if (!n) {
		int spinner = next_spinner(self);
		if (spinner != (int)self)
			go_to(spinner);
		return;
	}
	unsigned to = list[explore_choose_cpu(n, list, true)];
	if (to != self)
		go_to((int)to);
}

static void wait_in(enum state state)
{
	unsigned self = (unsigned)running;

	cpus[self].state = state;
	give_way();
	cpus[self].state = RUNS;
	offer_nmi(self, state != SPINS || cpus[self].seen == changes);
}

void machine_spin(void)
{
	if (running < 0)
		return;
	cpus[running].seen = changes;
	explore_yield((unsigned)running);
	machine_nmi_point();
	wait_in(SPINS);
}

void machine_sleep(const uint64_t *word)
{
	memory_drain();
	cpus[running].word = word;
	wait_in(SLEEPS);
}

void machine_user_loop(void)
{
	wait_in(LOOPS);
}

void machine_vanish(void)
{
	memory_drain();
	machine_changed();
	cpus[running].state = OFF;
	for (;;)
		give_way();
}

/* ---- runs ---- */

static void begin(void)
{
	cpu_main((unsigned)running);
	abort(); /* a CPU goes on for ever */
}

static void make_stack(unsigned n)
{
	uint64_t *top = (uint64_t *)(stacks[n] + STACK_SIZE) - 17; /* aligned where functions are called */

	/* As coroutine_switch() leaves it: R15, R14, R13, R12, RBX, RBP, and where to return to. */
	uint64_t frame[] = {0, 0, 0, (uint64_t)begin, 0, 0, (uint64_t)coroutine_start};
	memcpy(top, frame, sizeof(frame));
	cpus[n].sp = (uint64_t)top;
}

void machine_run(unsigned n, void (*main)(unsigned))
{
	uint8_t list[MACHINE_CPUS];

	count = n;
	cpu_main = main;
	changes = last_change = 0;
	looks = 0;
	steps = accesses = 0;
	memory_reset();
	for (unsigned i = 0; i < n; i++) {
		make_stack(i);
		list[i] = (uint8_t)i;
		cpus[i].state = RUNS;
		cpus[i].nmi = cpus[i].late = cpus[i].in_nmi = false;
	}
	go_to(list[explore_choose_cpu(n, list, true)]);
}

bool machine_is_stuck(unsigned cpu)
{
	return cpus[cpu].state == SPINS || cpus[cpu].state == RUNS;
}
