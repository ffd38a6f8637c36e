/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite "vmexit": what running a guest costs. Names and parameters of the cases are fixed: results are compared
 * over time. A window is one round trip guest -> VMM -> guest with the least a VMM has to do: it writes the state it
 * changes, makes the hypercall and looks at the exit. "state" says what comes back: everything, as in API 13.2, or
 * only what this VMM needs (the extension; the case is skipped on kernels without it).
 */
#include "bench.h"
#include "vm.h"

enum {
	SEL_VM = RT_SEL_PROGRAM,
	SEL_OTHER = RT_SEL_PROGRAM + 4,
	SEL_PD = RT_SEL_PROGRAM + 8,
	SEL_NEW,
	SEL_APIC = RT_SEL_PROGRAM + 16
};

#define APIC_AT 0x3fe00000ul /* where the guest's paging reaches */
#define WHOLE 0
#define MINIMAL 1
#define STATES BENCH_TEXTS("whole", "minimal")

static struct vm vm = {.vcpu = {.pd = SEL_PD, .sel = SEL_VM}};
static struct vm other = {.vcpu = {.pd = SEL_PD, .sel = SEL_OTHER}};
static bool minimal;
static unsigned reason; /* what every window of the running case has to end with */

/* ---- Guests: endless loops around the instruction that exits ---- */

VM_CODE_ONE(loop_cpuid, ".code64", "1: cpuid\n jmp 1b");
VM_CODE_ONE(loop_hlt, ".code64", "1: hlt\n jmp 1b");
VM_CODE_ONE(loop_vmcall, ".code64", "1: vmcall\n jmp 1b");
VM_CODE_ONE(loop_in, ".code64", "mov $0x2f8, %edx\n 1: in %dx, %al\n jmp 1b");
VM_CODE_ONE(loop_out, ".code64", "mov $0x2f8, %edx\n 1: out %al, %dx\n jmp 1b");
VM_CODE_ONE(loop_rdmsr, ".code64", "mov $0x1b, %ecx\n 1: rdmsr\n jmp 1b");
VM_CODE_ONE(loop_wrmsr, ".code64", "mov $0x1b, %ecx\n 1: wrmsr\n jmp 1b");
VM_CODE_ONE(loop_cr0, ".code64", "mov %cr0, %rax\n xor $8, %rax\n 1: mov %rax, %cr0\n jmp 1b");
VM_CODE_ONE(loop_cr4, ".code64", "mov %cr4, %rax\n xor $4, %rax\n 1: mov %rax, %cr4\n jmp 1b");
VM_CODE_ONE(loop_cr8, ".code64", "1: mov %cr8, %rax\n jmp 1b");
VM_CODE_ONE(loop_ept, ".code64", "1: mov %eax, 0xe000\n jmp 1b");
VM_CODE_ONE(loop_ud, ".code64", "1: ud2\n jmp 1b");
VM_CODE_ONE(loop_apic, ".code64", "mov $0x3fe00020, %ebx\n 1: mov (%rbx), %eax\n jmp 1b");
VM_CODE_ONE(loop_nop, ".code64", "1: jmp 1b");
VM_CODE_ONE(loop_rdtsc, ".code64",
	    "1: rdtsc\n mov %eax, 0x6000\n mov %edx, 0x6004\n rdtsc\n mov %eax, 0x6008\n mov %edx, 0x600c\n vmcall\n "
	    "jmp 1b");

/* The guest sends an NMI to its own CPU, with the machine's APIC at 0x3ff00000, and takes the time. */
VM_CODE_ONE(loop_nmi, ".code64",
	    "mov $0x3ff00000, %edi\n mov %ebx, 0x310(%rdi)\n mov %eax, %esi\n"
	    "1: rdtsc\n mov %eax, 0x6000\n mov %edx, 0x6004\n mov %esi, 0x300(%rdi)\n"
	    "rdtsc\n mov %eax, 0x6008\n mov %edx, 0x600c\n vmcall\n jmp 1b");

/* ---- Making machines ---- */

static uint64_t own_xcr0(void)
{
	uint32_t low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* The guest has switched on what the CPU has, as operating systems do: XCR0 is that of the VMM. */
static const char *prepare(struct vm *m, const struct vm_code *code, unsigned exit)
{
	m->vcpu.cpu = rt_cpu;
	vm_start(m, VM_64, code);
	m->s->tsc_timeout = ~0ul;
	m->s->xcr0 = own_xcr0();
	reason = exit;
	return NULL;
}

/* To the first exit, from which on each window is like the one before. */
static const char *first_exit(struct vm *m)
{
	BENCH_NEED(vm_run(m));
	if (m->s->exit_reason != reason)
		return bench_fail("the guest did not come to its first exit"), "wrong exit";
	return NULL;
}

static const char *make(long state)
{
	minimal = state == MINIMAL;
	if (!rt_has_vmx())
		return "this machine has no VMX";
	if (minimal && !rt_has_vcpu_partial())
		return "the kernel has no runs with partial state";
	BENCH_NEED(rt_mask_interrupts());
	vm.vcpu.cpu = rt_cpu;
	BENCH_NEED(hc_create_pd(SEL_PD, RT_SEL_PD, 0, 0));
	BENCH_NEED(vm_make(&vm));
	return NULL;
}

static void unmake(void)
{
	bench_status(hc_revoke(rt_obj(RT_SEL_PROGRAM, 5, PERM_ALL), REVOKE_SELF, 0));
}

static const char *setup(long state, const struct vm_code *code, unsigned exit)
{
	const char *why = make(state);

	if (!why)
		why = prepare(&vm, code, exit);
	return why ? why : first_exit(&vm);
}

static inline void check(enum status st)
{
	bench_status(st);
	if (vm.s->exit_reason != reason)
		bench_fail("the guest exited for another reason");
}

/* ---- Windows ---- */

/* The VMM's side: what is written, what changed, and what has to come back if that can be chosen. */
#define ROUND_TRIP(mtd, back, write)                                                                        \
	({                                                                                                  \
		struct utcb_state *s = vm.s;                                                                \
		enum status st_;                                                                            \
		uint64_t t_;                                                                                \
		if (minimal)                                                                                \
			t_ = BENCH(write; st_ = hc_vcpu_run_partial(SEL_VM, mtd, back); rt_assert_exit(s)); \
		else                                                                                        \
			t_ = BENCH(write; st_ = hc_vcpu_run(SEL_VM, mtd); rt_assert_exit(s));               \
		check(st_);                                                                                 \
		t_;                                                                                         \
	})

/* The look at the exit, which is part of the round trip: a compare and a branch that is not taken. */
static inline __attribute__((always_inline)) void rt_assert_exit(const struct utcb_state *s)
{
	if (__builtin_expect(*(const volatile uint32_t *)&s->exit_reason != reason, 0))
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
	struct utcb_state *s = vm.s, *o = other.s;
	enum status st, st2;
	uint64_t t;

	if (minimal)
		t = BENCH(s->rip += s->inst_len; st = hc_vcpu_run_partial(SEL_VM, MTD_RIP_LEN, 0); rt_assert_exit(s);
			  o->rip += o->inst_len; st2 = hc_vcpu_run_partial(SEL_OTHER, MTD_RIP_LEN, 0);
			  rt_assert_exit(o));
	else
		t = BENCH(s->rip += s->inst_len; st = hc_vcpu_run(SEL_VM, MTD_RIP_LEN); rt_assert_exit(s);
			  o->rip += o->inst_len; st2 = hc_vcpu_run(SEL_OTHER, MTD_RIP_LEN); rt_assert_exit(o));
	check(st);
	bench_status(st2);
	return t;
}

/* Entry and exit apart: the guest reads the counter first and last. */
static uint64_t guest_time(unsigned offset)
{
	return *vm_u64(&vm, VM_DATA + offset);
}

static uint64_t window_entry(void)
{
	struct utcb_state *s = vm.s;
	uint64_t t;

	s->rip += s->inst_len;
	t = bench_start();
	bench_status(minimal ? hc_vcpu_run_partial(SEL_VM, MTD_RIP_LEN, 0) : hc_vcpu_run(SEL_VM, MTD_RIP_LEN));
	check(SUCCESS);
	return guest_time(0) - t;
}

static uint64_t window_exit(void)
{
	struct utcb_state *s = vm.s;
	enum status st;
	uint64_t t;

	s->rip += s->inst_len;
	if (minimal) {
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
	vm_skip(&vm);
	check(vm_run(&vm));
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

/* ---- Setups ---- */

#define SETUP(name, code, exit)                       \
	static const char *setup_##name(long state)   \
	{                                             \
		return setup(state, &(code), (exit)); \
	}

SETUP(cpuid, loop_cpuid, VMX_CPUID)
SETUP(hlt, loop_hlt, VMX_HLT)
SETUP(vmcall, loop_vmcall, VMX_VMCALL)
SETUP(in, loop_in, VMX_IO)
SETUP(out, loop_out, VMX_IO)
SETUP(rdmsr, loop_rdmsr, VMX_RDMSR)
SETUP(wrmsr, loop_wrmsr, VMX_WRMSR)
SETUP(cr8, loop_cr8, VMX_CR)
SETUP(ept, loop_ept, VMX_EPT_VIOLATION)
SETUP(rdtsc, loop_rdtsc, VMX_VMCALL)

static const char *setup_masked(long state, const struct vm_code *code)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vm, code, VMX_CR);
	vm.s->cr0_mon = 8;
	vm.s->cr4_mon = 4;
	return first_exit(&vm);
}

static const char *setup_cr0(long state)
{
	return setup_masked(state, &loop_cr0);
}
static const char *setup_cr4(long state)
{
	return setup_masked(state, &loop_cr4);
}

/* A guest that uses SYSCALL: three more registers to switch. */
static const char *setup_syscall(long state)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vm, &loop_vmcall, VMX_VMCALL);
	vm.s->efer |= 1;
	return first_exit(&vm);
}

static const char *setup_exception(long state)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vm, &loop_ud, VMX_EXCEPTION);
	vm.s->exc_bitmap = 1 << 6;
	return first_exit(&vm);
}

static const char *setup_window(long state)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vm, &loop_nop, VMX_INTR_WINDOW);
	vm.s->rflags |= 0x200;
	vm.s->intr_info = VMX_EVENT_WANT_INTR_WINDOW;
	return first_exit(&vm);
}

static const char *setup_timer(long state)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vm, &loop_nop, VMX_TIMER);
	vm.s->tsc_timeout = 0;
	return first_exit(&vm);
}

/* The access page is mapped into the caller's own domain, so this machine is in the roottask's. */
static const char *setup_apic(long state)
{
	const char *why;

	if (rt_has_vmx() && !(rt_vmx_ctrl1() & VMX_CTRL1_APIC_ACCESS))
		return "this CPU has no access page";
	why = make(state);
	if (why)
		return why;
	bench_status(rt_revoke(SEL_PD));
	bench_status(hc_revoke(rt_obj(SEL_VM, 2, PERM_ALL), REVOKE_SELF, 0));
	vm.vcpu.pd = RT_SEL_PD;
	BENCH_NEED(vm_make(&vm));
	BENCH_NEED(hc_pd_access_page(rt_mem(APIC_AT, 0, RT_MEM_RW)));
	prepare(&vm, &loop_apic, VMX_APIC_ACCESS);
	vm.s->ctrl[0] = VMX_CTRL0_TPR_SHADOW;
	vm.s->ctrl[1] = VMX_CTRL1_APIC_ACCESS;
	return first_exit(&vm);
}

static void teardown_apic(void)
{
	vm.vcpu.pd = SEL_PD;
	unmake();
	bench_status(rt_guest_unmap(RT_SEL_PD, 0, VM_RAM_PAGES));
	bench_status(rt_guest_unmap(RT_SEL_PD, APIC_AT, 1));
}

static const char *setup_reentry(long unused)
{
	enum { APIC_BASE = 0x1b, X2APIC = 0x400, COMMAND_NMI = 0x4400 };
	const char *why = make(WHOLE);
	unsigned long base;

	(void)unused;
	if (why)
		return why;
	BENCH_NEED(hc_msr_read(APIC_BASE, &base));
	if (base & X2APIC)
		return "the local APIC is in x2APIC mode";
	BENCH_NEED(rt_mem_delegate(RT_SEL_PD, base & -RT_PAGE & 0xfffffffff000, SEL_PD, 0x3ff00000, 1, RT_MEM_RW,
				   ITEM_NO_HOST | ITEM_GUEST | ITEM_HYPERVISOR));
	prepare(&vm, &loop_nmi, VMX_VMCALL);
	vm.s->rax = COMMAND_NMI;
	vm.s->rbx = (uint64_t)rt_hip->cpu[rt_cpu].apic_id << 24;
	return first_exit(&vm);
}

static const char *setup_poked(long state)
{
	const char *why = setup(state, &loop_vmcall, VMX_VMCALL);

	reason = VMX_POKED;
	return why;
}

static const char *setup_plain(long unused)
{
	(void)unused;
	return setup(WHOLE, &loop_vmcall, VMX_VMCALL);
}

static const char *setup_switch(long state)
{
	const char *why = setup(state, &loop_vmcall, VMX_VMCALL);

	if (why)
		return why;
	other.ram = vm.ram; /* two processors of one machine */
	BENCH_NEED(vm_make(&other));
	prepare(&other, &loop_vmcall, VMX_VMCALL);
	return first_exit(&other);
}

/* A vCPU of another CPU, which does not run: the flag is set, and nobody needs to be told. */
static const char *setup_poke_other(long unused)
{
	unsigned cpu = rt_cpu_other();
	const char *why = make(WHOLE);

	(void)unused;
	if (why)
		return why;
	if (cpu == HEDRON_CPU_MAX)
		return "one CPU only";
	bench_status(rt_revoke(SEL_VM));
	BENCH_NEED(hc_create_vcpu(SEL_VM, cpu, SEL_PD, SEL_VM + RT_VCPU_SEL_STATE, SEL_VM + RT_VCPU_SEL_VLAPIC,
				  SEL_VM + RT_VCPU_SEL_FPU));
	return NULL;
}

/* The flag is one: after all these pokes one run is cut short, and the next is not. */
static const char *valid_poke(void)
{
	bench_status(vm_run(&vm));
	if (vm.s->exit_reason != VMX_POKED)
		return "the run after the pokes was not cut short";
	bench_status(vm_run(&vm));
	return vm.s->exit_reason == VMX_VMCALL ? NULL : "the poke outlived its run";
}

#define CASE(n, before, measure)                                                                            \
	{                                                                                                   \
		.name = n, .param = "state", STATES, .setup = before, .window = measure, .teardown = unmake \
	}

static const struct bench_case vmexit_cases[] = {
	CASE("cpuid", setup_cpuid, window_cpuid),
	CASE("hlt", setup_hlt, window_skip),
	CASE("vmcall", setup_vmcall, window_skip),
	CASE("vmcall_syscall", setup_syscall, window_skip),
	CASE("io_in", setup_in, window_in),
	CASE("io_out", setup_out, window_out),
	CASE("rdmsr", setup_rdmsr, window_cpuid),
	CASE("wrmsr", setup_wrmsr, window_skip),
	CASE("cr0_write", setup_cr0, window_skip),
	CASE("cr4_write", setup_cr4, window_skip),
	CASE("cr8_read", setup_cr8, window_skip),
	CASE("ept_violation", setup_ept, window_again),
	CASE("exception", setup_exception, window_skip),
	CASE("interrupt_window", setup_window, window_again),
	CASE("timer", setup_timer, window_timer),
	{.name = "apic_access",
	 .param = "state",
	 STATES,
	 .setup = setup_apic,
	 .window = window_skip,
	 .teardown = teardown_apic},
	CASE("all_written", setup_vmcall, window_all),
	CASE("inject", setup_vmcall, window_inject),
	CASE("entry", setup_rdtsc, window_entry),
	CASE("exit", setup_rdtsc, window_exit),
	CASE("switch", setup_switch, window_switch),
	CASE("run_poked", setup_poked, window_run_poked),
	{.name = "reentry", .setup = setup_reentry, .window = window_reentry, .teardown = unmake},
	{.name = "poke", .setup = setup_plain, .window = window_poke, .valid = valid_poke, .teardown = unmake},
	{.name = "poke_other_cpu", .setup = setup_poke_other, .window = window_poke, .teardown = unmake},
	{.name = "create_delete_vcpu", .setup = setup_plain, .window = window_create, .teardown = unmake},
	{},
};

bool main(void)
{
	static const struct bench_case *const tables[] = {vmexit_cases, NULL};

	return bench_run("vmexit", tables);
}
