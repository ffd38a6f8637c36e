/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries that fail: reported as exits, harmless for the kernel, and the vCPU is as usable as before. */
#include "vcpu_test.h"

#include "rt/object.h"
#include "rt/size.h"
#include "rt/string.h"

VM_CODE(fine, "");
VM_CODE(forever, "1: jmp 1b");

static void first_run_without_state(void)
{
	struct vm *vm = vcpu_vm(0);

	EXPECT_OK(hc_vcpu_run(vm->vcpu.sel, 0));
	EXPECT_EQ(vm->s->exit_reason, VMX_BAD_STATE);
	EXPECT_OK(hc_vcpu_run(vm->vcpu.sel, 0));
	EXPECT_EQ(vm->s->exit_reason, VMX_BAD_STATE);
	ASSERT_FIRST_EXIT(vm, VM_64, fine, VMX_VMCALL);
}

/* One wrong field at a time. */
static void spoil(struct utcb_state *s, unsigned n)
{
	switch (n) {
	case 0:
		s->rflags = 0;
		break;
	case 1:
		s->rflags = ~0ul;
		break;
	case 2:
		s->rip = 1ul << 63;
		break;
	case 3:
		s->cr0 = 0x80000020;
		break; /* paging without protection */
	case 4:
		s->cr3 = ~0ul;
		break;
	case 5:
		s->cr4 &= ~0x20ul;
		break; /* 64-bit mode without PAE */
	case 6:
		s->dr7 = 1ul << 32 | 0x400;
		break;
	case 7:
		s->cs.ar = 0x093;
		break; /* data */
	case 8:
		s->ss.ar = VMX_AR_CODE32; /* code */
		break;
	case 9:
		s->tr.ar = 0x1000;
		break;
	case 10:
		s->ldtr.ar = 0x093;
		break;
	case 11:
		s->gdtr.base = 1ul << 62;
		break;
	case 12:
		s->idtr.limit = 0x10000;
		break;
	case 13:
		s->actv_state = 4;
		break;
	case 14:
		s->intr_state = 3;
		break; /* blocking by STI and by MOV SS */
	case 15:
		s->intr_state = 0x80000000;
		break;
	case 16:
		s->sysenter_rip = 1ul << 63;
		break;
	case 17:
		s->pat = 0x0202020202020202;
		break;
	case 18:
		s->efer = ~0ul;
		break;
	default:
		break;
	}
}
enum { NON_CANONICAL_RIP = 2, SPOILS = 19 };

static void invalid_state(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned n = 0; n < SPOILS; n++) {
		vm_start(vm, VM_64, &fine[VM_64]);
		spoil(vm->s, n);
		EXPECT_OK(vm_run(vm));
		if (n == NON_CANONICAL_RIP && vm->s->exit_reason == VMX_VMCALL && vm->s->rip == vm_stub(13))
			continue; /* an emulator that finds out when the guest runs */
		if (vm->s->exit_reason != VMX_BAD_STATE)
			test_fail(__FILE__, __LINE__, "spoiled field %u: exit %#x", n, vm->s->exit_reason);
		ASSERT_FIRST_EXIT(vm, VM_64, fine, VMX_VMCALL);
		EXPECT_EQ(vm->s->rip, VM_CODE_AT);
	}
}

/* Only what the VMM repairs has to be written again: the other state went to the hardware with the failed entry. */
static void repaired(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &fine[mode]);
		vm->s->rflags = 0;
		vm->s->rbx = 0x1234;
		ASSERT_EXIT(vm, VMX_BAD_STATE);
		memset(vm->s, 0, sizeof(*vm->s));
		vm->s->rflags = 2;
		vm->mtd = MTD_RFLAGS;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rbx, 0x1234);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
	}
}

/* Events that cannot be injected. (What newer processors do not care about is not among them.) The
 * pending entry fields are what intr_info then says. */
static void invalid_events(void)
{
	static const struct {
		enum vm_mode mode;
		uint32_t info;
		const char *why;
	} bad[] = {
		{VM_64, VMX_EVENT_VALID | 1 << 8 | 3, "reserved type"},
		{VM_64, VMX_EVENT_VALID | VMX_EVENT_NMI | 3, "an NMI of another vector"},
		{VM_64, VMX_EVENT_VALID | VMX_EVENT_EXCEPTION | 32, "an exception above 31"},
		{VM_64, VMX_EVENT_VALID | VMX_EVENT_INTR | 0x40, "an interrupt while they are disabled"},
	};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(bad); i++) {
		vm_start(vm, bad[i].mode, &fine[bad[i].mode]);
		vm->s->intr_info = bad[i].info;
		vm->s->inst_len = 0;
		EXPECT_OK(vm_run(vm));
		if (vm->s->exit_reason != VMX_BAD_STATE && vm->s->exit_reason != VMX_NO_ENTRY)
			test_fail(__FILE__, __LINE__, "%s: exit %#x", bad[i].why, vm->s->exit_reason);
		ASSERT_FIRST_EXIT(vm, VM_64, fine, VMX_VMCALL);
	}
}

/* The VMM does not get controls that the kernel has not got: random ones neither crash nor fail for ever. */
static void any_controls(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < 64; i++) {
		vm_start(vm, VM_64, &forever[VM_64]);
		vm->s->ctrl[i / 32] = 1u << i % 32;
		vm->s->tsc_timeout = 20000;
		EXPECT_OK(vm_run(vm));
		guest_alive();
		if (vm->s->exit_reason == VMX_VMCALL)
			test_fail(__FILE__, __LINE__, "control %u: the guest left its loop", i);
		ASSERT_FIRST_EXIT(vm, VM_64, fine, VMX_VMCALL);
	}
}

static void all_controls(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &forever[mode]);
		vm->s->ctrl[0] = vm->s->ctrl[1] = ~0u;
		vm->s->tsc_timeout = 20000;
		EXPECT_OK(vm_run(vm));
		ASSERT_FIRST_EXIT(vm, mode, fine, VMX_VMCALL);
	}
}

/* Kernel pages may be shared, even all three roles by one; that helps nobody and harms nobody else. */
static void one_page_for_all(void)
{
	struct vm *vm = vcpu_vm(0);
	sel_t sel = sel_new(), kp = vm->vcpu.sel + RT_VCPU_SEL_STATE;

	ASSERT_OK(hc_create_vcpu(sel, rt_cpu, vm->vcpu.pd, kp, kp, kp));
	for (unsigned i = 0; i < 20; i++) {
		vm_start(vm, VM_64, &forever[VM_64]);
		vm->s->tsc_timeout = 20000;
		EXPECT_OK(hc_vcpu_run(sel, vm->mtd));
	}
	ASSERT_OK(rt_revoke(sel));
	ASSERT_FIRST_EXIT(vm, VM_64, fine, VMX_VMCALL);
}

const struct test vcpu_entry_tests[] = {
	TEST(first_run_without_state),
	TEST(invalid_state),
	TEST(repaired),
	TEST(invalid_events),
	TEST(any_controls),
	TEST(all_controls),
	TEST(one_page_for_all),
	{},
};
