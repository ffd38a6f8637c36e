/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pokes of a vCPU that another CPU runs: what they cost the one who pokes, and how long they take to arrive. */
#include "vmexit.h"

#include "rt/bench/bench.h"
#include "rt/bench/partner.h"
#include "rt/cpu.h"

/* The guest counts, so that one can see it run. */
VM_CODE_ONE(loop_count, ".code64", "1: incl 0x6000\n jmp 1b");

static volatile bool running;     /* the partner is to go on */
static volatile unsigned returns; /* of its runs */
static volatile bool failed;

static void vmm(RT_UNUSED void *unused)
{
	while (running && !failed) {
		if (vm_run(&vmexit_vm) != SUCCESS || vmexit_vm.s->exit_reason != VMX_POKED)
			failed = true;
		returns = returns + 1;
	}
}

const char *vmexit_setup_poke_running(long unused)
{
	const char *why = vmexit_setup_poke_other(unused);

	if (why)
		return why;
	vm_start(&vmexit_vm, VM_64, &loop_count);
	vmexit_vm.s->tsc_timeout = ~0ul;
	returns = 0;
	failed = false;
	running = true;
	return partner_start(rt_cpu_other(), BENCH_PRIO, vmm);
}

/* The counter moves: whatever was before this, the guest is running now. */
static void until_in_guest(void)
{
	volatile uint32_t *counter = vm_u32(&vmexit_vm, VM_DATA);
	uint32_t before = *counter;

	while (*counter == before && !failed)
		rt_pause();
}

static void until_returned(unsigned before)
{
	while (returns == before && !failed)
		rt_pause();
}

static void check(enum status st)
{
	bench_status(st);
	if (failed)
		bench_fail("the run on the other CPU did not end with the poke");
}

void vmexit_unmake_poke_running(void)
{
	if (running) {
		running = false;
		bench_status(hc_vcpu_poke(SEL_VM));
		partner_end();
	}
	vmexit_unmake();
}

uint64_t vmexit_window_poke_running(void)
{
	unsigned before = returns;
	enum status st;
	uint64_t t;

	until_in_guest();
	t = BENCH(st = hc_vcpu_poke(SEL_VM));
	until_returned(before);
	check(st);
	return t;
}

uint64_t vmexit_window_poke_latency(void)
{
	unsigned before = returns;
	enum status st;
	uint64_t t;

	until_in_guest();
	t = BENCH(st = hc_vcpu_poke(SEL_VM); until_returned(before));
	check(st);
	return t;
}
