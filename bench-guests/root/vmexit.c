/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmexit.h"

#include "rt/bench/bench.h"
#include "rt/message.h"
#include "rt/start.h"

#define STATES BENCH_TEXTS("whole", "minimal")

static inline void check(enum status st)
{
	bench_status(st);
	if (vmexit_vm.s->exit_reason != vmexit_reason)
		bench_fail("the guest exited for another reason");
}

/* ---- Windows ---- */

/*
 * The VMM's side of an exit: it writes to the state page, names what it has changed (mtd), and runs the guest until
 * the next exit. `back` is what it needs of the state then, where that can be chosen.
 */
#define ROUND_TRIP(mtd, back, write)                                                                      \
	({                                                                                                \
		struct utcb_state *s = vmexit_vm.s;                                                       \
		enum status st_;                                                                          \
		uint64_t t_;                                                                              \
		if (vmexit_minimal)                                                                       \
			t_ = BENCH(write; st_ = hc_vcpu_run_partial(SEL_VM, mtd, back); look_at_exit(s)); \
		else                                                                                      \
			t_ = BENCH(write; st_ = hc_vcpu_run(SEL_VM, mtd); look_at_exit(s));               \
		check(st_);                                                                               \
		t_;                                                                                       \
	})

/* Every VMM looks why the guest exited, so this is part of the round trip: a compare and a branch that is not taken.
 */
static inline __attribute__((always_inline)) void look_at_exit(const struct utcb_state *s)
{
	if (__builtin_expect(*(const volatile uint32_t *)&s->exit_reason != vmexit_reason, 0))
		bench_fail("the guest exited for another reason");
}

static uint64_t window_again(void)
{
	return ROUND_TRIP(0, 0, (void)s);
}

static uint64_t window_skip(void)
{
	return ROUND_TRIP(MTD_RIP_LEN, 0, s->rip += s->inst_len);
}

static uint64_t window_cpuid(void)
{
	return ROUND_TRIP(MTD_RIP_LEN | MTD_GPR_ACDB, MTD_GPR_ACDB,
			  (s->rip += s->inst_len, s->rax = 1, s->rbx = 2, s->rcx = 3, s->rdx = 4));
}

static uint64_t window_in(void)
{
	return ROUND_TRIP(MTD_RIP_LEN | MTD_GPR_ACDB, MTD_GPR_ACDB, (s->rip += s->inst_len, s->rax = 0xff));
}

static uint64_t window_out(void)
{
	return ROUND_TRIP(MTD_RIP_LEN, MTD_GPR_ACDB, s->rip += s->inst_len);
}

/* A VMM that says everything has changed. */
static uint64_t window_all(void)
{
	return ROUND_TRIP(RT_VCPU_ALL & ~(uint64_t)MTD_TSC_TIMEOUT, 0, s->rip += s->inst_len);
}

/* An interrupt that the guest's handler answers with a VMCALL. */
static uint64_t window_inject(void)
{
	return ROUND_TRIP(MTD_RIP_LEN | MTD_INJ | MTD_RFLAGS | MTD_RSP, 0,
			  (s->rip = VM_CODE_AT, s->rflags = 0x202, s->rsp = VM_STACK,
			   s->intr_info = VMX_EVENT_VALID | VMX_EVENT_INTR | 0x40));
}

static uint64_t window_timer(void)
{
	return ROUND_TRIP(MTD_TSC_TIMEOUT, 0, s->tsc_timeout = 0);
}

static uint64_t window_poke(void)
{
	enum status st;
	uint64_t t = BENCH(st = hc_vcpu_poke(SEL_VM));

	bench_status(st);
	return t;
}

static uint64_t window_run_poked(void)
{
	uint64_t t;

	bench_status(hc_vcpu_poke(SEL_VM));
	t = ROUND_TRIP(0, 0, (void)s);
	return t;
}

/* One exit of each of two vCPUs: half of it is a switch. */
static uint64_t window_switch(void)
{
	struct utcb_state *s = vmexit_vm.s, *o = vmexit_other.s;
	enum status st, st2;
	uint64_t t;

	if (vmexit_minimal)
		t = BENCH(s->rip += s->inst_len; st = hc_vcpu_run_partial(SEL_VM, MTD_RIP_LEN, 0); look_at_exit(s);
			  o->rip += o->inst_len; st2 = hc_vcpu_run_partial(SEL_OTHER, MTD_RIP_LEN, 0);
			  look_at_exit(o));
	else
		t = BENCH(s->rip += s->inst_len; st = hc_vcpu_run(SEL_VM, MTD_RIP_LEN); look_at_exit(s);
			  o->rip += o->inst_len; st2 = hc_vcpu_run(SEL_OTHER, MTD_RIP_LEN); look_at_exit(o));
	check(st);
	bench_status(st2);
	return t;
}

/*
 * Entry and exit are measured apart: the guest reads the counter first and last, and leaves both values in its
 * memory.
 */
static uint64_t guest_time(unsigned offset)
{
	return *vm_u64(&vmexit_vm, VM_DATA + offset);
}

static uint64_t window_entry(void)
{
	struct utcb_state *s = vmexit_vm.s;
	uint64_t t;

	s->rip += s->inst_len;
	t = bench_start();
	bench_status(vmexit_minimal ? hc_vcpu_run_partial(SEL_VM, MTD_RIP_LEN, 0) : hc_vcpu_run(SEL_VM, MTD_RIP_LEN));
	check(SUCCESS);
	return guest_time(0) - t;
}

static uint64_t window_exit(void)
{
	struct utcb_state *s = vmexit_vm.s;
	enum status st;
	uint64_t t;

	s->rip += s->inst_len;
	if (vmexit_minimal) {
		st = hc_vcpu_run_partial(SEL_VM, MTD_RIP_LEN, 0);
		t = bench_ticks(guest_time(8));
	} else {
		st = hc_vcpu_run(SEL_VM, MTD_RIP_LEN);
		t = bench_ticks(guest_time(8));
	}
	check(st);
	return t;
}

/* An exit that the kernel handles by itself: what the guest loses, the store that sends the NMI included. */
static uint64_t window_reentry(void)
{
	vm_skip(&vmexit_vm);
	check(vm_run(&vmexit_vm));
	return guest_time(8) - guest_time(0);
}

static uint64_t window_create(void)
{
	enum status made, gone;
	uint64_t t = BENCH(made = hc_create_vcpu(SEL_NEW, rt_cpu, SEL_PD, SEL_VM + RT_VCPU_SEL_STATE,
						 SEL_VM + RT_VCPU_SEL_VLAPIC, SEL_VM + RT_VCPU_SEL_FPU);
			   gone = hc_revoke(rt_obj(SEL_NEW, 0, PERM_ALL), REVOKE_SELF, 0));

	bench_status(made);
	bench_status(gone);
	return t;
}

/* Pokes do not add up: after all those of the windows one run ends at once, and the next does not. */
static const char *valid_poke(void)
{
	bench_status(vm_run(&vmexit_vm));
	if (vmexit_vm.s->exit_reason != VMX_POKED)
		return "the run after the pokes did not end at once";
	bench_status(vm_run(&vmexit_vm));
	return vmexit_vm.s->exit_reason == VMX_VMCALL ? NULL : "the poke outlived its run";
}

#define CASE(n, before, measure)                                                                                   \
	{                                                                                                          \
		.name = n, .param = "state", STATES, .setup = before, .window = measure, .teardown = vmexit_unmake \
	}

static const struct bench_case vmexit_cases[] = {
	CASE("cpuid", vmexit_setup_cpuid, window_cpuid),
	CASE("hlt", vmexit_setup_hlt, window_skip),
	CASE("vmcall", vmexit_setup_vmcall, window_skip),
	CASE("vmcall_syscall", vmexit_setup_syscall, window_skip),
	CASE("io_in", vmexit_setup_in, window_in),
	CASE("io_out", vmexit_setup_out, window_out),
	CASE("rdmsr", vmexit_setup_rdmsr, window_cpuid),
	CASE("wrmsr", vmexit_setup_wrmsr, window_skip),
	CASE("cr0_write", vmexit_setup_cr0, window_skip),
	CASE("cr4_write", vmexit_setup_cr4, window_skip),
	CASE("cr8_read", vmexit_setup_cr8, window_skip),
	CASE("ept_violation", vmexit_setup_ept, window_again),
	CASE("exception", vmexit_setup_exception, window_skip),
	CASE("interrupt_window", vmexit_setup_window, window_again),
	CASE("timer", vmexit_setup_timer, window_timer),
	{.name = "apic_access",
	 .param = "state",
	 STATES,
	 .setup = vmexit_setup_apic,
	 .window = window_skip,
	 .teardown = vmexit_unmake_apic},
	CASE("all_written", vmexit_setup_vmcall, window_all),
	CASE("inject", vmexit_setup_vmcall, window_inject),
	CASE("entry", vmexit_setup_rdtsc, window_entry),
	CASE("exit", vmexit_setup_rdtsc, window_exit),
	CASE("switch", vmexit_setup_switch, window_switch),
	CASE("run_poked", vmexit_setup_poked, window_run_poked),
	{.name = "reentry", .setup = vmexit_setup_reentry, .window = window_reentry, .teardown = vmexit_unmake},
	{.name = "poke",
	 .setup = vmexit_setup_plain,
	 .window = window_poke,
	 .valid = valid_poke,
	 .teardown = vmexit_unmake},
	{.name = "poke_other_cpu",
	 .setup = vmexit_setup_poke_other,
	 .window = window_poke,
	 .teardown = vmexit_unmake},
	{.name = "poke_running",
	 .setup = vmexit_setup_poke_running,
	 .window = vmexit_window_poke_running,
	 .teardown = vmexit_unmake_poke_running},
	{.name = "poke_latency",
	 .setup = vmexit_setup_poke_running,
	 .window = vmexit_window_poke_latency,
	 .teardown = vmexit_unmake_poke_running},
	{.name = "create_delete_vcpu",
	 .setup = vmexit_setup_plain,
	 .window = window_create,
	 .teardown = vmexit_unmake},
	{},
};

bool main(void)
{
	static const struct bench_case *const tables[] = {vmexit_cases, NULL};

	return bench_run("vmexit", tables);
}
