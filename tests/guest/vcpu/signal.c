/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NMIs that nobody in the kernel sent. The guests get the machine's local APIC mapped and send them to their own CPU,
 * which no VMM would let them do. (INIT cannot be tried: it stays pending in Bochs 2.7 after its exit.)
 */
#include "vcpu_test.h"

#include "rt/map.h"
#include "rt/message.h"

#define APIC_PHYS 0xfee00000ul
#define APIC_GPA 0x3ff00000ul

/* Interrupt command register: the target first, then the command in EAX. */
VM_CODE_ONE(send, ".code64",
	    "mov $0x3ff00000, %edi\n mov %ebx, 0x310(%rdi)\n mov %eax, 0x300(%rdi)\n"
	    "mov $200, %ecx\n 1: dec %ecx\n jnz 1b\n vmcall");

enum { COMMAND_NMI = 0x4400 };

static void give_apic(struct vm *vm)
{
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, APIC_PHYS, vm->vcpu.pd, APIC_GPA, 1, RT_MEM_RW,
				  ITEM_NO_HOST | ITEM_GUEST | ITEM_HYPERVISOR));
}

static void start(struct vm *vm)
{
	vm_start(vm, VM_64, &send);
	vm->s->rax = COMMAND_NMI;
	vm->s->rbx = (uint64_t)rt_hip->cpu[rt_cpu].apic_id << 24;
	vm->s->tsc_timeout = 100000;
}

static bool x2apic(void)
{
	unsigned long base;

	ASSERT_OK(hc_msr_read(0x1b, &base));
	return base & 0x400;
}

VM_CODE(nothing, "");

/* An NMI from outside is kept for the next passthrough guest; others go on as if nothing had been. */
static void nmi_of_the_machine(void)
{
	struct vm *vm = vcpu_vm(0), *passthrough = vcpu_vm_passthrough(1);

	if (x2apic())
		SKIP("the local APIC is in x2APIC mode");
	give_apic(vm);
	for (unsigned i = 0; i < 3; i++) {
		start(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(vm->s->exit_flags & 1, 0);
		ASSERT_FIRST_EXIT(vm, VM_64, nothing, VMX_VMCALL);
		vm_start(passthrough, VM_64, &nothing[VM_64]);
		ASSERT_EXIT(passthrough, VMX_POKED);
		EXPECT_EQ(passthrough->s->exit_flags & 1, 1);
		passthrough->s->exit_flags = 0;
		passthrough->mtd |= RT_VCPU_ALL;
		ASSERT_EXIT(passthrough, VMX_VMCALL);
		EXPECT_EQ(passthrough->s->exit_flags & 1, 0);
	}
}

/* One that came when there was no passthrough guest is for none that is made later. */
static void nmi_for_nobody(void)
{
	struct vm *vm = vcpu_vm(0), *passthrough;

	if (x2apic())
		SKIP("the local APIC is in x2APIC mode");
	give_apic(vm);
	start(vm);
	ASSERT_EXIT(vm, VMX_VMCALL);
	passthrough = vcpu_vm_passthrough(1);
	ASSERT_FIRST_EXIT(passthrough, VM_64, nothing, VMX_VMCALL);
	EXPECT_EQ(passthrough->s->exit_flags & 1, 0);
}

/* A passthrough guest that is hit itself. */
static void nmi_of_its_own(void)
{
	struct vm *vm = vcpu_vm_passthrough(0);

	if (x2apic())
		SKIP("the local APIC is in x2APIC mode");
	give_apic(vm);
	start(vm);
	ASSERT_EXIT(vm, VMX_POKED);
	EXPECT_EQ(vm->s->exit_flags & 1, 1);
	vm->s->exit_flags = 0;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->exit_flags & 1, 0);
}

/*
 * A device's interrupt, which the guest sends itself while it takes none. Who waits for SIPI does not take it either,
 * be there a timeout or not; afterwards it is still there. The handler acknowledges it.
 */
VM_CODE_ONE(send_interrupt, ".code64",
	    "mov $0x3ff00000, %edi\n movl $0x1ff, 0xf0(%rdi)\n mov %ebx, 0x310(%rdi)\n mov %eax, 0x300(%rdi)\n"
	    "vmcall\n movl $0, 0xb0(%rdi)\n vmcall");

static void interrupt_while_waiting(void)
{
	enum { VECTOR = 0x71, COMMAND_FIXED = 0x4000 | VECTOR, IF = 0x200 };
	struct vm *vm = vcpu_vm_passthrough(0);
	uint64_t at;

	if (x2apic())
		SKIP("the local APIC is in x2APIC mode");
	give_apic(vm);
	vm_start(vm, VM_64, &send_interrupt);
	vm->s->rax = COMMAND_FIXED;
	vm->s->rbx = (uint64_t)rt_hip->cpu[rt_cpu].apic_id << 24;
	ASSERT_EXIT(vm, VMX_VMCALL);
	at = vm->s->rip;
	for (unsigned i = 0; i < 3; i++) {
		vm->s->actv_state = VMX_WAIT_SIPI;
		vm->s->rflags |= IF;
		vm->s->tsc_timeout = 50000;
		vm->mtd = MTD_STA | MTD_RFLAGS | MTD_TSC_TIMEOUT;
		ASSERT_EXIT(vm, VMX_TIMER);
		EXPECT_EQ(vm->s->actv_state, VMX_WAIT_SIPI);
		EXPECT_EQ(vm->s->rip, at);
		EXPECT_EQ(vm->s->rflags & IF, IF);
	}
	vm->s->actv_state = VMX_ACTIVE;
	vm->mtd = MTD_STA;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rip, vm_stub(VECTOR));
	vm->s->rip = at + vm->s->inst_len;
	vm->mtd = MTD_RIP_LEN;
	ASSERT_EXIT(vm, VMX_VMCALL);
}

const struct test vcpu_signal_tests[] = {
	TEST(nmi_of_the_machine), TEST(nmi_for_nobody), TEST(nmi_of_its_own), TEST(interrupt_while_waiting), {}};
