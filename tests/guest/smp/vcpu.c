/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual CPUs on several CPUs: who may run which, runs that others end, memory that changes under a running guest,
 * and everything that can be revoked while the guest runs.
 *
 * Worker 1's guest is the victim; worker 0, on the boot CPU, does something to it.
 */
#include "vcpu.h"

#include "rt/cpu.h"
#include "rt/exit.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/start.h"
#include "rt/string.h"

VM_CODE(count, "1: incl 0x6000\n jmp 1b\n");
VM_CODE(leaf, "1: cpuid\n jmp 1b\n");

struct vm vms[SMP_MAX];
unsigned long phase, over;

/* ---- Making them, in main() ---- */

static sel_t new_pd(void)
{
	sel_t pd = smp_sel();

	RT_MUST(hc_create_pd(pd, RT_SEL_PD, 0, 0));
	return pd;
}

static struct vm *vm_in(unsigned n, unsigned worker, sel_t pd)
{
	struct vm *vm = &vms[n];

	RT_MUST(rt_mask_interrupts());
	vm->vcpu.pd = pd;
	vm->vcpu.cpu = smp_cpu(worker);
	vm->vcpu.sel = smp_sel();
	for (unsigned i = 1; i < RT_VCPU_SELS; i++)
		rt_assert(smp_sel() == vm->vcpu.sel + i);
	RT_MUST(vm_make(vm));
	return vm;
}

struct vm *vm_on(unsigned n, unsigned worker)
{
	return vm_in(n, worker, new_pd());
}

static unsigned long counter(struct vm *vm)
{
	return *vm_u32(vm, COUNTER);
}

void vm_begin(struct vm *vm, const struct vm_code *code)
{
	vm_start(vm, VM_64, &code[VM_64]);
	if (rt_has_svm())
		vm->s->tsc_timeout = ~0ul; /* in QEMU the longest one is a second or two of the host's */
	*vm_u32(vm, COUNTER) = 0;
}

enum status vm_run_on(struct vm *vm)
{
	enum status st = vm_run(vm);

	while (st == SUCCESS && vm->s->exit_reason == VMX_TIMER && !smp_load(&over))
		st = vm_run(vm);
	return st;
}

/* ---- Arguments ---- */

static void create_everywhere(void)
{
	struct rt_vcpu v = {.sel = smp_sel()};

	for (unsigned i = 1; i < RT_VCPU_SELS; i++)
		smp_sel();
	ASSERT_OK(rt_vcpu_pages(&v));
	for (unsigned cpu = 0; cpu < 4096; cpu++) {
		enum status st = hc_create_vcpu(v.sel, cpu, RT_SEL_PD, v.sel + RT_VCPU_SEL_STATE,
						v.sel + RT_VCPU_SEL_VLAPIC, v.sel + RT_VCPU_SEL_FPU);

		ASSERT_ST(st, !rt_cpu_enabled(cpu) ? BAD_CPU : rt_has_vcpus() ? SUCCESS : BAD_FTR);
		if (st == SUCCESS)
			ASSERT_OK(rt_revoke(v.sel));
	}
}

/* Run here only, poke from everywhere. */
static void wrong_cpu(unsigned self)
{
	for (unsigned i = 0; i < smp_count; i++)
		if (i != self) {
			EXPECT_ST(hc_vcpu_run(vms[i].vcpu.sel, 0), BAD_CPU);
			EXPECT_ST(hc_vcpu_run_partial(vms[i].vcpu.sel, 0, 0), BAD_CPU);
		}
	smp_barrier();
	EXPECT_OK(hc_vcpu_poke(vms[(self + 1) % smp_count].vcpu.sel));
	smp_barrier();
	EXPECT_OK(vm_run(&vms[self]));
	EXPECT_EQ(vms[self].s->exit_reason, VMX_POKED);
	EXPECT_OK(vm_run(&vms[self]));
	EXPECT_EQ(vms[self].s->exit_reason, VMX_CPUID);
}

static void run_here_poke_there(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	for (unsigned i = 0; i < smp_count; i++)
		vm_begin(vm_on(i, i), leaf);
	smp_run(smp_count, wrong_cpu);
}

/* ---- All at once ---- */

static void exits(unsigned self)
{
	struct vm *vm = &vms[self];

	for (unsigned long i = 0; i < smp_rounds(2000) && !test_failed(); i++) {
		EXPECT_OK(vm_run(vm));
		EXPECT_EQ(vm->s->exit_reason, VMX_CPUID);
		EXPECT_EQ(vm->s->rax, i ? self * 0x10000 + i : 0);
		vm->s->rax = self * 0x10000 + i + 1;
		vm->mtd = MTD_GPR_ACDB;
		vm_skip(vm);
		smp_progress(self);
	}
}

static void guests_on_all_cpus(void)
{
	NEED_VCPUS;
	for (unsigned i = 0; i < smp_count; i++)
		vm_begin(vm_on(i, i), leaf);
	smp_run(smp_count, exits);
}

/* One machine with a processor on each CPU: they share the memory. */
VM_CODE(add, "mov $3000, %ecx\n 1: lock incl 0x6000\n dec %ecx\n jnz 1b\n");

static void add_up(unsigned self)
{
	EXPECT_OK(vm_run_on(&vms[self]));
	EXPECT_EQ(vms[self].s->exit_reason, VMX_VMCALL);
}

static void processors_of_one_guest(void)
{
	sel_t pd = new_pd();

	NEED_VCPUS;
	for (unsigned i = 0; i < smp_count; i++) {
		uint8_t *own = vms[i].ram;

		vms[i].ram = i ? vms[0].ram : own;
		vm_begin(vm_in(i, i, pd), add);
		if (i)
			vms[i].ram = own; /* for other tests */
	}
	smp_run(smp_count, add_up);
	EXPECT_EQ(counter(&vms[0]), smp_count * 3000);
}

/* Born on one CPU, run on another, buried on a third: again and again, all of them. */
static void life(unsigned self)
{
	uint64_t seed = smp_seed(self + 1);

	for (unsigned long i = 0; i < smp_rounds(200); i++) {
		struct vm *vm = &vms[self];

		if (self == 0) {
			for (unsigned n = 0; n < smp_count; n++) {
				RT_MUST(rt_revoke(vms[n].vcpu.sel));
				RT_MUST(hc_create_vcpu(vms[n].vcpu.sel, smp_cpu((unsigned)(n + i) % smp_count),
						       vms[n].vcpu.pd, vms[n].vcpu.sel + RT_VCPU_SEL_STATE,
						       vms[n].vcpu.sel + RT_VCPU_SEL_VLAPIC,
						       vms[n].vcpu.sel + RT_VCPU_SEL_FPU));
			}
		}
		if (!smp_barrier())
			return;
		vm = &vms[(self + smp_count - i % smp_count) % smp_count];
		vm_begin(vm, leaf);
		EXPECT_OK(vm_run(vm));
		EXPECT_EQ(vm->s->exit_reason, VMX_CPUID);
		smp_delay(&seed, 20);
		smp_progress(self);
		if (!smp_barrier())
			return;
	}
}

static void created_here_run_there(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	for (unsigned i = 0; i < smp_count; i++)
		vm_on(i, i);
	smp_run(smp_count, life);
}

/* ---- Runs that others end ---- */

static unsigned inactive; /* state in which the guest is to wait; 0: it runs */

static void put_to_sleep(struct vm *vm)
{
	if (!inactive)
		return;
	vm->s->actv_state = inactive;
	vm->mtd |= MTD_STA;
}

/* Each poke ends a run: the one in progress or the next. */
static void poke_rounds(unsigned self)
{
	struct vm *vm = &vms[1];
	uint64_t seed = smp_seed(77);

	for (unsigned long i = 1; i <= smp_rounds(1000); i++) {
		if (self == 1) {
			put_to_sleep(vm);
			EXPECT_OK(vm_run_on(vm));
			EXPECT_EQ(vm->s->exit_reason, VMX_POKED);
			smp_set(&phase, i);
		} else {
			smp_delay(&seed, 1000);
			EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
			if (!SMP_WAIT(smp_load(&phase) == i))
				return;
		}
		smp_progress(self);
	}
}

static void poked_while_running(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	vm_begin(vm_on(1, 1), count);
	smp_run(2, poke_rounds);
	EXPECT(counter(&vms[1]));
}

/* Also one that sleeps: halted, shut down, waiting for the start signal. */
static void poked_while_inactive(void)
{
	static const unsigned states[] = {VMX_HALTED, VMX_SHUTDOWN, VMX_WAIT_SIPI};

	NEED_CPUS(2);
	NEED_VCPUS;
	vm_on(1, 1);
	for (unsigned i = 0; i < RT_ARRAY(states); i++) {
		smp_set(&phase, 0);
		vm_start(&vms[1], VM_16, &count[VM_16]);
		*vm_u32(&vms[1], COUNTER) = 0;
		inactive = states[i];
		smp_run(2, poke_rounds);
		EXPECT_EQ(vms[1].s->rip, VM_CODE_AT);
		EXPECT_EQ(counter(&vms[1]), 0);
	}
	inactive = 0;
}

/* ---- Traced: an exit's time is not that of what comes after, even if a poke ends the run ---- */

enum { PAUSE = 1000000 }; /* ticks between runs */

const struct trace_path *vm_trace_path(unsigned path)
{
	struct hc_regs r = {HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SETUP, 0), TRACE_ORDER_MIN, 0, 0, 0};

	RT_MUST(hc_raw(&r));
	uintptr_t va = rt_va(r.rsi, 1);
	RT_MUST(hc_3(HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_MAP, 0), smp_cpu(1), va));
	RT_MUST(hc_3(HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SWITCH, 0), 0, 1ul << path));
	return (const struct trace_path *)(va + ((const struct trace_head *)va)->path_offset) + path;
}

void vm_trace_off(void)
{
	RT_MUST(hc_3(HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SWITCH, 0), 0, 0));
}

static void poke_and_pause(unsigned self)
{
	struct vm *vm = &vms[1];

	for (unsigned long i = 1; i <= 10; i++) {
		unsigned long before = counter(vm);

		if (self == 1) {
			EXPECT_OK(vm_run_on(vm));
			EXPECT_EQ(vm->s->exit_reason, VMX_POKED);
			for (uint64_t end = rt_rdtsc() + PAUSE; rt_rdtsc() < end;)
				rt_pause();
			smp_set(&phase, i);
		} else {
			if (!SMP_WAIT(counter(vm) != before))
				return;
			EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
			if (!SMP_WAIT(smp_load(&phase) == i))
				return;
		}
		smp_progress(self);
	}
}

static void times_of_poked_runs(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	const struct trace_path *exits = vm_trace_path(TRACE_PATH_VM_EXIT);
	vm_begin(vm_on(1, 1), count);
	smp_run(2, poke_and_pause);
	EXPECT(exits->sum < PAUSE);
	vm_trace_off();
}

/* ---- Preemption by a more important thread, woken from the other CPU ---- */

static sel_t wake;
static unsigned long seen_busy, woken;

static void intruder(RT_UNUSED void *unused)
{
	while (hc_sm_down(wake) == SUCCESS) {
		seen_busy += hc_vcpu_run(vms[1].vcpu.sel, 0) == BUSY;
		smp_inc(&woken);
	}
}

static void wake_rounds(unsigned self)
{
	struct vm *vm = &vms[1];

	if (self == 1) {
		EXPECT_OK(vm_run_on(vm));
		EXPECT_EQ(vm->s->exit_reason, VMX_POKED);
		return;
	}
	for (unsigned long i = 1; i <= smp_rounds(200); i++) {
		unsigned long before = counter(vm);

		if (!SMP_WAIT(counter(vm) != before)) /* it runs (again) */
			return;
		EXPECT_OK(hc_sm_up(wake));
		if (!SMP_WAIT(smp_load(&woken) == i))
			return;
		smp_progress(self);
	}
	EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
}

static void preempted_by_a_wake_up(void)
{
	struct rt_ec ec = {0};

	NEED_CPUS(2);
	NEED_VCPUS;
	wake = smp_sm(0);
	seen_busy = 0;
	smp_set(&woken, 0);
	smp_thread(&ec, 1, SMP_PRIO + 1, intruder, NULL);
	vm_begin(vm_on(1, 1), count);
	smp_run(2, wake_rounds);
	EXPECT_EQ(seen_busy, smp_load(&woken));
}

/* What is less important waits: the guest goes on, and nobody ends its run. */
static void bystander(RT_UNUSED void *unused)
{
	while (hc_sm_down(wake) == SUCCESS)
		smp_inc(&woken);
}

static void disturb_rounds(unsigned self)
{
	struct vm *vm = &vms[1];
	static uint64_t page[512] __attribute__((aligned(4096)));
	unsigned long va = RT_VA - 16 * RT_PAGE;

	if (self == 1) {
		EXPECT_OK(vm_run_on(vm));
		EXPECT_EQ(vm->s->exit_reason, VMX_POKED);
		EXPECT_EQ(smp_load(&woken), 0);
		return;
	}
	for (unsigned long i = 1; i <= smp_rounds(200); i++) {
		unsigned long before = counter(vm);

		EXPECT_OK(hc_sm_up(wake)); /* a work item for that CPU */
		RT_MUST(rt_mem_delegate(RT_SEL_PD, (unsigned long)page, RT_SEL_PD, va, 1, RT_MEM_RW, 0));
		RT_MUST(rt_mem_revoke(va, 1)); /* a TLB shootdown */
		if (!SMP_WAIT(counter(vm) != before))
			return;
		smp_progress(self);
	}
	EXPECT_EQ(smp_load(&woken), 0);
	EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
}

static void signals_of_the_kernel(void)
{
	struct rt_ec ec = {0};

	NEED_CPUS(2);
	NEED_VCPUS;
	wake = smp_sm(0);
	smp_set(&woken, 0);
	smp_thread(&ec, 1, SMP_PRIO - 1, bystander, NULL);
	vm_begin(vm_on(1, 1), count);
	smp_run(2, disturb_rounds);
}

/* ---- Revocation ---- */

enum { REVOKE_VCPU, REVOKE_PAGES, REVOKE_PD, REVOKE_RUNNER };
static unsigned what;
static enum status ended;
static struct rt_ec runner;

/* A thread of its own on worker 1's CPU, which the test may kill. */
static void run_guest(RT_UNUSED void *unused)
{
	ended = vm_run_on(&vms[1]);
	smp_set(&phase, 1);
	rt_block();
}

static void revoke_it(struct vm *vm)
{
	if (what == REVOKE_VCPU)
		RT_MUST(rt_revoke(vm->vcpu.sel));
	if (what == REVOKE_PD)
		RT_MUST(rt_revoke(vm->vcpu.pd));
	if (what == REVOKE_RUNNER) {
		RT_MUST(rt_revoke(runner.sc));
		RT_MUST(rt_revoke(runner.sel));
	}
	for (unsigned i = 1; what == REVOKE_PAGES && i < RT_VCPU_SELS; i++)
		RT_MUST(rt_revoke(vm->vcpu.sel + i));
}

static void goes_on(struct vm *vm)
{
	unsigned long was = counter(vm);

	for (unsigned i = 0; i < 20; i++) {
		if (!SMP_WAIT(counter(vm) != was))
			return;
		was = counter(vm);
	}
}

static bool stands_still(struct vm *vm)
{
	unsigned long was = counter(vm);

	for (unsigned i = 0; i < 2000; i++)
		rt_pause();
	return counter(vm) == was;
}

/* The thread is gone: the guest stops, and another one may run it. */
static void taken_over(unsigned self)
{
	struct vm *vm = &vms[1];

	if (self == 0)
		return;
	EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
	EXPECT_OK(vm_run(vm));
	EXPECT_EQ(vm->s->exit_reason, VMX_POKED);
}

static void forget(struct vm *vm)
{
	for (unsigned i = 0; i < RT_VCPU_SELS; i++)
		RT_MUST(rt_revoke(vm->vcpu.sel + i));
	RT_MUST(rt_revoke(vm->vcpu.pd));
	RT_MUST(rt_revoke(runner.sc));
	RT_MUST(rt_revoke(runner.sel));
}

/* The vCPU's own end, or its thread's, ends the run. Its parts are kept by it: the guest goes on until it is poked.
 */
static void revoked_while_running(unsigned kind)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	for (unsigned long i = 0; i < smp_rounds(30) && !test_failed(); i++) {
		struct vm *vm = vm_on(1, 1);
		struct smp_wait p = {0};

		what = kind;
		runner = (struct rt_ec){.stack = runner.stack, .utcb = runner.utcb};
		smp_set(&phase, 0);
		vm_begin(vm, count);
		smp_thread(&runner, 1, SMP_PRIO, run_guest, NULL);
		while (!counter(vm) && smp_keep_waiting(&p))
			;
		revoke_it(vm);
		if (kind == REVOKE_PAGES || kind == REVOKE_PD) {
			goes_on(vm);
			EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
		}
		if (kind != REVOKE_RUNNER)
			ASSERT(SMP_WAIT(smp_load(&phase) == 1));
		if (kind == REVOKE_VCPU)
			EXPECT(ended != SUCCESS);
		else if (kind != REVOKE_RUNNER)
			EXPECT_OK(ended);
		if (kind == REVOKE_RUNNER) {
			ASSERT(SMP_WAIT(stands_still(vm)));
			smp_run(2, taken_over);
		}
		forget(vm);
	}
}

static void vcpu_revoked(void)
{
	revoked_while_running(REVOKE_VCPU);
}
static void pages_revoked(void)
{
	revoked_while_running(REVOKE_PAGES);
}
static void pd_revoked(void)
{
	revoked_while_running(REVOKE_PD);
}
static void runner_revoked(void)
{
	revoked_while_running(REVOKE_RUNNER);
}

/* ---- Anything at any time ---- */

/* Words of the page that worker 0 may spoil: not those with which Bochs 2.7 gives up (long mode without paging). */
static bool spoilable(unsigned offset)
{
	return offset - offsetof(struct utcb_state, cr0) >= 8 && offset - offsetof(struct utcb_state, efer) >= 8;
}

static void spoil_rounds(unsigned self)
{
	struct vm *vm = &vms[1];
	uint64_t seed = smp_seed(4711 + self);

	for (unsigned long i = 1; i <= smp_rounds(3000) && !test_failed(); i++) {
		uint64_t r = smp_random(&seed);
		unsigned offset = (unsigned)(r >> 40) % sizeof(*vm->s) & ~3u;

		if (self == 1) {
			vm->s->exit_reason = ~0u;
			vm->s->tsc_timeout = 2000;
			vm->mtd = (r & RT_VCPU_ALL & ~(uint64_t)(MTD_CR | MTD_EFER_PAT)) | MTD_TSC_TIMEOUT;
			EXPECT_OK(vm_run(vm));
		} else if (r % 16 == 0) {
			EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
		} else if (r % 16 < 4) {
			((volatile uint64_t *)vm->vcpu.fpu)[r >> 33 & 127] = smp_random(&seed);
		} else if (r % 16 < 6) {
			((volatile uint64_t *)vm->vcpu.vlapic)[r >> 33 & 511] = smp_random(&seed);
		} else if (spoilable(offset)) {
			*(volatile uint32_t *)((uint8_t *)vm->s + offset) = (uint32_t)smp_random(&seed);
		}
		smp_progress(self);
	}
}

/* The state page changes while the kernel reads and writes it: the kernel lives, every run ends. */
static void spoiled_while_running(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	vm_begin(vm_on(1, 1), count);
	smp_run(2, spoil_rounds);
	memset(vms[1].vcpu.fpu, 0, 1024);
	*(uint32_t *)(vms[1].vcpu.fpu + 24) = 0x1f80;
	memset(vms[1].vcpu.vlapic, 0, RT_PAGE);
	vm_begin(&vms[1], count);
	vms[1].mtd |= MTD_TPR | MTD_VINTR;
	smp_set(&phase, 0);
	smp_run(2, poke_rounds);
	EXPECT(counter(&vms[1]));
}

bool main(void)
{
	static const struct test tests[] = {
		TEST(create_everywhere),      TEST(run_here_poke_there),
		TEST(guests_on_all_cpus),     TEST(processors_of_one_guest),
		TEST(created_here_run_there), TEST(poked_while_running),
		TEST(poked_while_inactive),   TEST(preempted_by_a_wake_up),
		TEST(signals_of_the_kernel),  TEST(remapped_while_running),
		TEST(unmapped_while_running), TEST(vcpu_revoked),
		TEST(pages_revoked),          TEST(pd_revoked),
		TEST(runner_revoked),         TEST(spoiled_while_running),
		TEST(times_of_poked_runs),    TEST(remapped_while_not_running),
		TEST(ports_while_running),    TEST(interrupts_while_running),
	};

	return smp_test_run("smp_vcpu", tests, RT_ARRAY(tests));
}
