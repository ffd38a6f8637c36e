/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guests of the suite "vmexit" and their machines. */
#include "vmexit.h"

#include "rt/bench/bench.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/object.h"
#include "rt/string.h"

#define APIC_AT 0x3fe00000ul   /* where the guest's paging reaches */
#define EXIT_TICKS (1ul << 22) /* much more than an entry and an exit take */

enum { WHOLE, MINIMAL };

struct vm vmexit_vm = {.vcpu = {.pd = SEL_PD, .sel = SEL_VM}};
struct vm vmexit_other = {.vcpu = {.pd = SEL_PD, .sel = SEL_OTHER}};
bool vmexit_minimal;
unsigned vmexit_reason;

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

/*
 * VMCALL is an undefined instruction to AMD's processors, which the kernel finds out after a detour through the
 * guest's memory. Guests that were written for them say VMMCALL, which exits at once.
 */
static void use_own_hypercall(uint8_t *code, const uint8_t *end)
{
	static const uint8_t vmcall[] = {0x0f, 0x01, 0xc1};
	enum { VMMCALL_LAST = 0xd9 };

	for (; code + sizeof(vmcall) <= end; code++)
		if (!memcmp(code, vmcall, sizeof(vmcall)))
			code[2] = VMMCALL_LAST;
}

/* The guest has switched on what the CPU has, as operating systems do: XCR0 is that of the VMM. */
static const char *prepare(struct vm *m, const struct vm_code *code, unsigned exit)
{
	m->vcpu.cpu = rt_cpu;
	vm_start(m, VM_64, code);
	if (rt_has_svm())
		use_own_hypercall(m->ram + VM_CODE_AT, m->ram + VM_TSS);
	m->s->tsc_timeout = ~0ul;
	m->s->xcr0 = own_xcr0();
	vmexit_reason = exit;
	return NULL;
}

/* To the first exit, from which on each window is like the one before. */
static const char *first_exit(struct vm *m)
{
	BENCH_NEED(vm_run(m));
	if (m->s->exit_reason != vmexit_reason)
		return bench_fail("the guest did not come to its first exit"), "wrong exit";
	return NULL;
}

/* For exits that an emulator may not have: the guest loops, and would for ever. The timeout is then used up. */
static const char *first_exit_or_timeout(struct vm *m)
{
	BENCH_NEED(vm_run(m));
	return m->s->exit_reason == VMX_TIMER ? "this machine has no such exit" : NULL;
}

static const char *make(long state)
{
	vmexit_minimal = state == MINIMAL;
	if (!rt_has_vcpus())
		return "this machine has no virtualization";
	if (vmexit_minimal && !rt_has_vcpu_partial())
		return "the kernel has no runs with partial state";
	BENCH_NEED(rt_mask_interrupts());
	vmexit_vm.vcpu.cpu = rt_cpu;
	BENCH_NEED(hc_create_pd(SEL_PD, RT_SEL_PD, 0, 0));
	BENCH_NEED(vm_make(&vmexit_vm));
	return NULL;
}

void vmexit_unmake(void)
{
	bench_status(hc_revoke(rt_obj(RT_SEL_PROGRAM, 5, PERM_ALL), REVOKE_SELF, 0));
}

static const char *setup(long state, const struct vm_code *code, unsigned exit)
{
	const char *why = make(state);

	if (!why)
		why = prepare(&vmexit_vm, code, exit);
	return why ? why : first_exit(&vmexit_vm);
}

/* ---- Setups ---- */

#define SETUP(name, code, exit)                       \
	const char *vmexit_setup_##name(long state)   \
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
	prepare(&vmexit_vm, code, VMX_CR);
	vmexit_vm.s->cr0_mon = 8;
	vmexit_vm.s->cr4_mon = 4;
	return first_exit(&vmexit_vm);
}

const char *vmexit_setup_cr0(long state)
{
	return setup_masked(state, &loop_cr0);
}
const char *vmexit_setup_cr4(long state)
{
	return setup_masked(state, &loop_cr4);
}

/* A guest that uses SYSCALL: three more registers to switch. */
const char *vmexit_setup_syscall(long state)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vmexit_vm, &loop_vmcall, VMX_VMCALL);
	vmexit_vm.s->efer |= 1;
	return first_exit(&vmexit_vm);
}

const char *vmexit_setup_exception(long state)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vmexit_vm, &loop_ud, VMX_EXCEPTION);
	vmexit_vm.s->exc_bitmap = 1 << 6;
	return first_exit(&vmexit_vm);
}

const char *vmexit_setup_window(long state)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vmexit_vm, &loop_nop, VMX_INTR_WINDOW);
	vmexit_vm.s->rflags |= 0x200;
	vmexit_vm.s->intr_info = VMX_EVENT_WANT_INTR_WINDOW;
	vmexit_vm.s->tsc_timeout = EXIT_TICKS;
	why = first_exit_or_timeout(&vmexit_vm);
	if (why)
		return why;
	vmexit_vm.s->tsc_timeout = ~0ul;
	vmexit_vm.mtd = MTD_TSC_TIMEOUT;
	return first_exit(&vmexit_vm);
}

const char *vmexit_setup_timer(long state)
{
	const char *why = make(state);

	if (why)
		return why;
	prepare(&vmexit_vm, &loop_nop, VMX_TIMER);
	vmexit_vm.s->tsc_timeout = 0;
	return first_exit(&vmexit_vm);
}

/* The access page is mapped into the caller's own domain, so this machine is in the roottask's. */
const char *vmexit_setup_apic(long state)
{
	const char *why;

	if (rt_has_vcpus() && !(rt_vmx_ctrl1() & VMX_CTRL1_APIC_ACCESS))
		return "this CPU has no access page";
	why = make(state);
	if (why)
		return why;
	bench_status(rt_revoke(SEL_PD));
	bench_status(hc_revoke(rt_obj(SEL_VM, 2, PERM_ALL), REVOKE_SELF, 0));
	vmexit_vm.vcpu.pd = RT_SEL_PD;
	BENCH_NEED(vm_make(&vmexit_vm));
	BENCH_NEED(hc_pd_access_page(rt_mem(APIC_AT, 0, RT_MEM_RW)));
	prepare(&vmexit_vm, &loop_apic, VMX_APIC_ACCESS);
	vmexit_vm.s->ctrl[0] = VMX_CTRL0_TPR_SHADOW;
	vmexit_vm.s->ctrl[1] = VMX_CTRL1_APIC_ACCESS;
	return first_exit(&vmexit_vm);
}

void vmexit_unmake_apic(void)
{
	vmexit_vm.vcpu.pd = SEL_PD;
	vmexit_unmake();
	bench_status(rt_guest_unmap(RT_SEL_PD, 0, VM_RAM_PAGES));
	bench_status(rt_guest_unmap(RT_SEL_PD, APIC_AT, 1));
}

const char *vmexit_setup_reentry(RT_UNUSED long unused)
{
	enum { APIC_BASE = 0x1b, X2APIC = 0x400, COMMAND_NMI = 0x4400 };
	const char *why = make(WHOLE);
	unsigned long base;

	if (why)
		return why;
	BENCH_NEED(hc_msr_read(APIC_BASE, &base));
	if (base & X2APIC)
		return "the local APIC is in x2APIC mode";
	BENCH_NEED(rt_mem_delegate(RT_SEL_PD, base & -RT_PAGE & 0xfffffffff000, SEL_PD, 0x3ff00000, 1, RT_MEM_RW,
				   ITEM_NO_HOST | ITEM_GUEST | ITEM_HYPERVISOR));
	prepare(&vmexit_vm, &loop_nmi, VMX_VMCALL);
	vmexit_vm.s->rax = COMMAND_NMI;
	vmexit_vm.s->rbx = (uint64_t)rt_hip->cpu[rt_cpu].apic_id << 24;
	return first_exit(&vmexit_vm);
}

const char *vmexit_setup_poked(long state)
{
	const char *why = setup(state, &loop_vmcall, VMX_VMCALL);

	vmexit_reason = VMX_POKED;
	return why;
}

const char *vmexit_setup_plain(RT_UNUSED long unused)
{
	return setup(WHOLE, &loop_vmcall, VMX_VMCALL);
}

const char *vmexit_setup_switch(long state)
{
	const char *why = setup(state, &loop_vmcall, VMX_VMCALL);

	if (why)
		return why;
	vmexit_other.ram = vmexit_vm.ram; /* two processors of one machine */
	BENCH_NEED(vm_make(&vmexit_other));
	prepare(&vmexit_other, &loop_vmcall, VMX_VMCALL);
	return first_exit(&vmexit_other);
}

/* A vCPU of another CPU, which does not run: the flag is set, and nobody needs to be told. */
const char *vmexit_setup_poke_other(RT_UNUSED long unused)
{
	unsigned cpu = rt_cpu_other();
	const char *why = make(WHOLE);

	if (why)
		return why;
	if (cpu == HEDRON_CPU_MAX)
		return "one CPU only";
	bench_status(rt_revoke(SEL_VM));
	BENCH_NEED(hc_create_vcpu(SEL_VM, cpu, SEL_PD, SEL_VM + RT_VCPU_SEL_STATE, SEL_VM + RT_VCPU_SEL_VLAPIC,
				  SEL_VM + RT_VCPU_SEL_FPU));
	return NULL;
}
