/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which MSRs a guest gets at without an exit: none at first, a short list with the MSR bitmaps. */
#include "vcpu_test.h"

#include "rt/cmdline.h"
#include "rt/cpu.h"
#include "rt/size.h"
#include "rt/string.h"

enum { GP = 13 };
enum {
	TSC = 0x10,
	APIC_BASE = 0x1b,
	TSC_ADJUST = 0x3b,
	SPEC_CTRL = 0x48,
	PRED_CMD = 0x49,
	MPERF = 0xe7,
	APERF = 0xe8,
	ARCH_CAPABILITIES = 0x10a,
	FLUSH_CMD = 0x10b,
	SYSENTER_CS = 0x174,
	PAT = 0x277,
	TSC_DEADLINE = 0x6e0,
	CPUID_7_SPEC_CTRL = 1 << 26,
};
#define EFER 0xc0000080u
#define STAR 0xc0000081u
#define LSTAR 0xc0000082u
#define FMASK 0xc0000084u
#define FS_BASE 0xc0000100u
#define GS_BASE 0xc0000101u
#define KERNEL_GS_BASE 0xc0000102u
#define TSC_AUX 0xc0000103u

VM_CODE(read_msr, "rdmsr\n");
VM_CODE(write_msr, "wrmsr\n");

/* One access by the guest; what it exits with. Where the MSR does not exist, the guest's #GP exits. */
static unsigned access(struct vm *vm, bool write, uint32_t msr, uint64_t value, uint32_t ctrl0)
{
	vm_start(vm, VM_64, write ? &write_msr[VM_64] : &read_msr[VM_64]);
	vm->s->ctrl[0] = ctrl0;
	vm->s->exc_bitmap = 1 << GP;
	vm->s->rcx = msr;
	vm->s->rax = (uint32_t)value;
	vm->s->rdx = value >> 32;
	ASSERT_OK(vm_run(vm));
	guest_alive();
	return vm->s->exit_reason;
}

static uint64_t result(const struct vm *vm)
{
	return vm->s->rdx << 32 | (uint32_t)vm->s->rax;
}

static bool free_to_read(uint32_t msr, bool passthrough)
{
	switch (msr) {
	case FS_BASE:
	case GS_BASE:
	case KERNEL_GS_BASE:
	case TSC_AUX:
	case ARCH_CAPABILITIES:
	case SPEC_CTRL:
	case PRED_CMD:
	case FLUSH_CMD:
		return true;
	case APERF:
	case MPERF:
	case TSC_DEADLINE:
	case APIC_BASE:
	case TSC:
	case TSC_ADJUST:
		return passthrough;
	default:
		return false;
	}
}

/* A range of MSRs, by one guest that tries them all; the VMM counts. */
VM_CODE_ONE(scan, ".code64", "1: rdmsr\n 2: inc %rcx\n cmp %rbx, %rcx\n jb 1b\n vmcall\n");

static void scan_range(struct vm *vm, uint32_t from, uint32_t to, bool passthrough)
{
	uint32_t expected = from;

	vm_start(vm, VM_64, &scan);
	vm->s->ctrl[0] = VMX_CTRL0_MSR_BITMAPS;
	vm->s->exc_bitmap = 1 << GP;
	vm->s->rcx = from;
	vm->s->rbx = to;
	for (;;) {
		ASSERT_OK(vm_run(vm));
		guest_alive();
		while (expected < to && free_to_read(expected, passthrough))
			expected++;
		if (vm->s->exit_reason == VMX_EXCEPTION && free_to_read((uint32_t)vm->s->rcx, passthrough)) {
			vm->s->inst_len = 2; /* it does not exist here */
		} else if (vm->s->exit_reason == VMX_VMCALL) {
			ASSERT_EQ(expected, to);
			return;
		} else {
			ASSERT_EQ(vm->s->exit_reason, VMX_RDMSR);
			ASSERT_EQ(vm->s->rcx, expected);
			expected++;
		}
		vm_skip(vm);
		vm->mtd |= MTD_TSC_TIMEOUT;
		vm->s->tsc_timeout = VM_TIMEOUT;
	}
}

static void all_reads(void)
{
	struct vm *vm = vcpu_vm(0);

	scan_range(vm, 0, 0x2000, false);
	scan_range(vm, 0xc0000000, 0xc0002000, false);
	scan_range(vm, 0x40000000, 0x40000010, false);
	scan_range(vm, 0xfffffff0, 0xffffffff, false);
}

static void all_reads_passthrough(void)
{
	struct vm *vm = vcpu_vm_passthrough(0);

	scan_range(vm, 0, 0x2000, true);
	scan_range(vm, 0xc0000000, 0xc0002000, true);
}

/* Without the control every access exits. */
static void without_bitmaps(void)
{
	static const uint32_t msrs[] = {FS_BASE, KERNEL_GS_BASE, TSC_AUX, SPEC_CTRL, TSC, EFER, 0x12345678};
	struct vm *vm = vcpu_vm_passthrough(0);

	for (unsigned i = 0; i < RT_ARRAY(msrs); i++) {
		EXPECT_EQ(access(vm, false, msrs[i], 0, 0), VMX_RDMSR);
		EXPECT_EQ(vm->s->inst_len, 2);
		EXPECT_EQ(access(vm, true, msrs[i], 0, 0), VMX_WRMSR);
		EXPECT_EQ(vm->s->rip, VM_CODE_AT);
	}
}

/* Writes that always exit, among them everything the kernel or other guests depend on. */
static void forbidden_writes(void)
{
	static const uint32_t msrs[] = {EFER,
					STAR,
					LSTAR,
					0xc0000083u,
					FMASK,
					SYSENTER_CS,
					0x175,
					0x176,
					PAT,
					0x1d9,
					0x2ff,
					0x200,
					0x3a,
					0x79,
					0x480,
					0x600,
					0x800,
					0x830,
					ARCH_CAPABILITIES,
					0x8b,
					0x122,
					0xda0};
	struct vm *vm[] = {vcpu_vm(0), vcpu_vm_passthrough(1)};

	for (unsigned i = 0; i < RT_ARRAY(msrs); i++)
		for (unsigned n = 0; n < 2; n++) {
			unsigned reason = access(vm[n], true, msrs[i], 0, VMX_CTRL0_MSR_BITMAPS);

			if (reason != VMX_WRMSR)
				test_fail(__FILE__, __LINE__, "writing MSR %#x: exit %u", msrs[i], reason);
		}
	EXPECT_EQ(access(vm[0], true, TSC, 0, VMX_CTRL0_MSR_BITMAPS), VMX_WRMSR);
	EXPECT_EQ(access(vm[0], true, APIC_BASE, 0, VMX_CTRL0_MSR_BITMAPS), VMX_WRMSR);
	EXPECT_EQ(access(vm[0], true, TSC_DEADLINE, 0, VMX_CTRL0_MSR_BITMAPS), VMX_WRMSR);
}

/* Free ones hold what they were given, from both sides. */
static void free_writes(void)
{
	static const struct {
		uint32_t msr;
		uint64_t value;
		size_t offset;
	} msrs[] = {{FS_BASE, 0xffff812345678000, offsetof(struct utcb_state, fs.base)},
		    {GS_BASE, 0x712345678000, offsetof(struct utcb_state, gs.base)},
		    {KERNEL_GS_BASE, 0xffff800012345000, offsetof(struct utcb_state, kernel_gs_base)},
		    {TSC_AUX, 0x76543210, offsetof(struct utcb_state, tsc_aux)}};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(msrs); i++) {
		EXPECT_EQ(access(vm, true, msrs[i].msr, msrs[i].value, VMX_CTRL0_MSR_BITMAPS), VMX_VMCALL);
		if (msrs[i].msr == TSC_AUX)
			EXPECT_EQ(vm->s->tsc_aux, msrs[i].value);
		else
			EXPECT_EQ(*(uint64_t *)((uint8_t *)vm->s + msrs[i].offset), msrs[i].value);
		memcpy(vm->ram + VM_CODE_AT, read_msr[VM_64].start, 2);
		vm->s->rip = VM_CODE_AT;
		vm->s->rax = vm->s->rdx = 0;
		vm->mtd = MTD_RIP_LEN | MTD_GPR_ACDB;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(result(vm), msrs[i].value);
	}
}

static uint64_t host_spec_ctrl(void)
{
	unsigned long value = 0;

	EXPECT_OK(hc_msr_read(SPEC_CTRL, &value));
	return value;
}

/*
 * What firmware has switched on stays on outside of guests ("spec_ctrl=N" says what that is), and no guest sees it:
 * neither one that looks first, nor one that writes first, nor one whose VMM sets it. And in the page it is the
 * guest's.
 */
static void spec_ctrl_of_the_host(void)
{
	static const uint64_t set[] = {2, 0, 4, 1, 5};
	const uint64_t host = rt_arg("spec_ctrl", 0);
	struct vm *vm = vcpu_vm(0), *writer = vcpu_vm(1);

	if (!(rt_cpuid(7, 0).edx & CPUID_7_SPEC_CTRL))
		SKIP("this CPU has no SPEC_CTRL");
	EXPECT_EQ(host_spec_ctrl(), host);
	EXPECT_EQ(access(vm, false, 0x12345678, 0, VMX_CTRL0_MSR_BITMAPS), VMX_RDMSR); /* it has not touched it yet */
	EXPECT_EQ(vm->s->spec_ctrl, 0);
	EXPECT_EQ(host_spec_ctrl(), host);
	for (unsigned i = 0; i < RT_ARRAY(set); i++) {
		vm_start(vm, VM_64, &read_msr[VM_64]);
		vm->s->ctrl[0] = VMX_CTRL0_MSR_BITMAPS;
		vm->s->rcx = SPEC_CTRL;
		vm->s->spec_ctrl = set[i];
		vm->mtd |= MTD_CR;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(result(vm), set[i]);
		EXPECT_EQ(vm->s->spec_ctrl, set[i]);
		EXPECT_EQ(host_spec_ctrl(), host);
		EXPECT_EQ(access(writer, true, SPEC_CTRL, set[i], VMX_CTRL0_MSR_BITMAPS), VMX_VMCALL);
		EXPECT_EQ(writer->s->spec_ctrl, set[i]);
		EXPECT_EQ(host_spec_ctrl(), host);
	}
	vm->s->spec_ctrl = 1ull << 60;
	vm->mtd = MTD_CR;
	ASSERT_EXIT(vm, 0x80000022);
	EXPECT_EQ(host_spec_ctrl(), host);
}

/* SPEC_CTRL is switched: the guest's own, in the state page and back. Where the CPU has none, the guest faults. */
static void spec_ctrl(void)
{
	struct vm *a = vcpu_vm(0), *b = vcpu_vm(1);

	if (!(rt_cpuid(7, 0).edx & CPUID_7_SPEC_CTRL))
		SKIP("this CPU has no SPEC_CTRL");
	EXPECT_EQ(access(a, false, SPEC_CTRL, 0, VMX_CTRL0_MSR_BITMAPS), VMX_VMCALL);
	EXPECT_EQ(result(a), 0);
	EXPECT_EQ(access(a, true, SPEC_CTRL, 1, VMX_CTRL0_MSR_BITMAPS), VMX_VMCALL);
	EXPECT_EQ(a->s->spec_ctrl, 1);
	EXPECT_EQ(access(b, false, SPEC_CTRL, 0, VMX_CTRL0_MSR_BITMAPS), VMX_VMCALL);
	EXPECT_EQ(result(b), 0);
	EXPECT_EQ(b->s->spec_ctrl, 0);
	memcpy(a->ram + VM_CODE_AT, read_msr[VM_64].start, 2);
	a->s->rip = VM_CODE_AT;
	a->mtd = MTD_RIP_LEN;
	ASSERT_EXIT(a, VMX_VMCALL);
	EXPECT_EQ(result(a), 1);
	a->s->spec_ctrl = 0;
	a->s->rip = VM_CODE_AT;
	a->mtd = MTD_RIP_LEN | MTD_CR;
	ASSERT_EXIT(a, VMX_VMCALL);
	EXPECT_EQ(result(a), 0);
}

/* Passthrough: the machine's TSC; for others it exits. */
static void passthrough_tsc(void)
{
	struct vm *vm = vcpu_vm_passthrough(0);
	uint64_t before = rt_rdtsc();

	NEED_BETTER_SVM("its MSR of the TSC is 0");
	EXPECT_EQ(access(vm, false, TSC, 0, VMX_CTRL0_MSR_BITMAPS), VMX_VMCALL);
	EXPECT(result(vm) > before && result(vm) < rt_rdtsc());
	EXPECT_EQ(access(vm, false, APIC_BASE, 0, VMX_CTRL0_MSR_BITMAPS), VMX_VMCALL);
	EXPECT(result(vm) & 0x800); /* enabled */
}

/* The qualification-free exits tell the MSR in RCX in all modes. */
static void in_all_modes(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &read_msr[mode]);
		vm->s->rcx = PAT;
		ASSERT_EXIT(vm, VMX_RDMSR);
		EXPECT_VM(vm, vm->s->rcx, PAT);
		vm->s->rax = 0x1234;
		vm->s->rdx = 0x5678;
		vm->mtd = MTD_GPR_ACDB;
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax, 0x1234);
		EXPECT_VM(vm, vm->s->rdx, 0x5678);
		vm_start(vm, mode, &write_msr[mode]);
		vm->s->rcx = PAT;
		ASSERT_EXIT(vm, VMX_WRMSR);
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
	}
}

const struct test vcpu_msr_tests[] = {
	TEST(in_all_modes),     TEST(without_bitmaps),
	TEST(all_reads),        TEST(all_reads_passthrough),
	TEST(forbidden_writes), TEST(free_writes),
	TEST(spec_ctrl),        TEST(spec_ctrl_of_the_host),
	TEST(passthrough_tsc),  {},
};
