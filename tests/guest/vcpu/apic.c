/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual APIC: CR8 and the task priority with a TPR shadow, the access page in guest-physical space, the
 * virtual-APIC page behind both, virtual interrupts where the CPU delivers them.
 */
#include "vcpu_test.h"

#include "rt/message.h"
#include "rt/string.h"

enum { TPR = 0x80, PPR = 0xa0, EOI = 0xb0, ICR = 0x300, SVR = 0xf0 };
enum { ACCESS_READ = 0 << 12, ACCESS_WRITE = 1 << 12, ACCESS_FETCH = 2 << 12 };
#define APIC_LOW 0x3fe00000ul /* where identity paging reaches */

static volatile uint32_t *vlapic(struct vm *vm, unsigned offset)
{
	return (volatile uint32_t *)(vm->vcpu.vlapic + offset);
}

VM_CODE_ONE(use_cr8, ".code64", "mov %cr8, %rax\n mov %rbx, %cr8\n mov %cr8, %rcx\n vmcall");

static void cr8_shadow(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_VMX("the kernel has no TPR shadow on AMD");
	vm_start(vm, VM_64, &use_cr8);
	vm->s->ctrl[0] = VMX_CTRL0_TPR_SHADOW;
	vm->s->tpr_threshold = 0;
	vm->s->rbx = 9;
	*vlapic(vm, TPR) = 0x50;
	vm->mtd |= MTD_TPR;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rax, 5);
	EXPECT_EQ(vm->s->rcx, 9);
	EXPECT_EQ(*vlapic(vm, TPR), 0x90);
}

/* Falling below the threshold exits, behind the instruction. */
VM_CODE_ONE(lower_cr8, ".code64", "mov %rbx, %cr8\n vmcall");

static void threshold(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_VMX("the kernel has no TPR shadow on AMD");
	for (unsigned to = 0; to < 16; to++) {
		vm_start(vm, VM_64, &lower_cr8);
		vm->s->ctrl[0] = VMX_CTRL0_TPR_SHADOW;
		vm->s->tpr_threshold = 6;
		vm->s->rbx = to;
		*vlapic(vm, TPR) = 0x80;
		vm->mtd |= MTD_TPR;
		ASSERT_EXIT(vm, to < 6 ? VMX_TPR : VMX_VMCALL);
		EXPECT_EQ(vm->s->rip, VM_CODE_AT + (uint64_t)(lower_cr8.end - lower_cr8.start) - 3);
		EXPECT_EQ(vm->s->tpr_threshold, 6);
	}
}

/* A threshold above the task priority: without access page the entry fails at once, and the vCPU can be used again.
 */
static void threshold_too_high(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_VMX("the kernel has no TPR shadow on AMD");
	vm_start(vm, VM_64, &lower_cr8);
	vm->s->ctrl[0] = VMX_CTRL0_TPR_SHADOW;
	vm->s->tpr_threshold = 6;
	*vlapic(vm, TPR) = 0x10;
	vm->mtd |= MTD_TPR;
	ASSERT_EXIT(vm, VMX_NO_ENTRY);
	vm->s->tpr_threshold = 0;
	vm->mtd = MTD_TPR;
	ASSERT_EXIT(vm, VMX_VMCALL);
}

/* Taking the shadow off again makes CR8 exit again. */
static void shadow_off(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_VMX("the kernel has no TPR shadow on AMD");
	vm_start(vm, VM_64, &use_cr8);
	vm->s->ctrl[0] = VMX_CTRL0_TPR_SHADOW;
	vm->s->rbx = 3;
	vm->mtd |= MTD_TPR;
	ASSERT_EXIT(vm, VMX_VMCALL);
	vm->s->ctrl[0] = 0;
	vm->s->rip = VM_CODE_AT;
	vm->mtd = MTD_CTRL | MTD_RIP_LEN;
	ASSERT_EXIT(vm, VMX_CR);
}

/* ---- The access page. It is mapped into the caller's own PD, so an agent in the VM's PD asks for it. ---- */

VM_CODE_ONE(read_apic, ".code64", "mov (%rdi), %eax\n vmcall");
VM_CODE_ONE(write_apic, ".code64", "mov %eax, (%rdi)\n vmcall");

static unsigned long map_access_page(unsigned long crd, RT_UNUSED unsigned long y, RT_UNUSED unsigned long z)
{
	return hc_pd_access_page(crd);
}

static struct vm *vm_with_access_page(void)
{
	struct agent a;

	agent_make(&a);
	EXPECT_EQ(agent_do(&a, map_access_page, rt_mem(APIC_LOW, 0, RT_MEM_RW), 0, 0), SUCCESS);
	return vcpu_vm_in(0, a.pd);
}

static void start_apic(struct vm *vm, const struct vm_code *code, unsigned offset, uint32_t value, uint32_t ctrl1)
{
	vm_start(vm, VM_64, code);
	vm->s->ctrl[0] = VMX_CTRL0_TPR_SHADOW;
	vm->s->ctrl[1] = VMX_CTRL1_APIC_ACCESS | ctrl1;
	vm->s->rdi = APIC_LOW + offset;
	vm->s->rax = value;
	vm->mtd |= MTD_TPR;
}

/* Accesses exit with offset and kind, but for the TPR, which is in the virtual-APIC page. */
static void access_exits(void)
{
	struct vm *vm;

	NEED_CTRL1(VMX_CTRL1_APIC_ACCESS);
	vm = vm_with_access_page();
	for (unsigned offset = 0; offset < RT_PAGE; offset += 0x10) {
		bool virtualized = offset == TPR;

		start_apic(vm, &read_apic, offset, 0, 0);
		*vlapic(vm, TPR) = 0x70;
		ASSERT_EXIT(vm, virtualized ? VMX_VMCALL : VMX_APIC_ACCESS);
		if (virtualized)
			EXPECT_EQ(vm->s->rax, 0x70);
		else
			EXPECT_EQ(vm->s->qual[0], ACCESS_READ | offset);
		start_apic(vm, &write_apic, offset, 0x30, 0);
		ASSERT_EXIT(vm, virtualized ? VMX_VMCALL : VMX_APIC_ACCESS);
		if (virtualized)
			EXPECT_EQ(*vlapic(vm, TPR), 0x30);
		else
			EXPECT_EQ(vm->s->qual[0], ACCESS_WRITE | offset);
	}
}

VM_CODE_ONE(fetch_apic, ".code64", "jmp *%rdi");

static void access_by_fetch(void)
{
	struct vm *vm;

	NEED_CTRL1(VMX_CTRL1_APIC_ACCESS);
	vm = vm_with_access_page();
	start_apic(vm, &fetch_apic, 0x200, 0, 0);
	ASSERT_OK(vm_run(vm));
	if (vm->s->exit_reason != VMX_EPT_VIOLATION) { /* the page has no execute right */
		EXPECT_EQ(vm->s->exit_reason, VMX_APIC_ACCESS);
		EXPECT_EQ(vm->s->qual[0], ACCESS_FETCH | 0x200);
	}
}

/* With register virtualization most reads come from the virtual-APIC page, and writes land there and exit behind. */
static void registers(void)
{
	struct vm *vm;

	NEED_CTRL1(VMX_CTRL1_APIC_ACCESS | VMX_CTRL1_APIC_REGISTERS);
	vm = vm_with_access_page();
	start_apic(vm, &read_apic, SVR, 0, VMX_CTRL1_APIC_REGISTERS);
	*vlapic(vm, SVR) = 0x1ff;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rax, 0x1ff);
	start_apic(vm, &write_apic, SVR, 0x123, VMX_CTRL1_APIC_REGISTERS);
	ASSERT_EXIT(vm, VMX_APIC_WRITE);
	EXPECT_EQ(vm->s->qual[0], SVR);
	EXPECT_EQ(*vlapic(vm, SVR), 0x123);
	EXPECT_EQ(vm->s->rip, VM_CODE_AT + (uint64_t)(write_apic.end - write_apic.start) - 3);
}

/* The page itself holds nothing a guest could see: without the control it is memory like any other, or not there. */
static void page_without_control(void)
{
	struct vm *vm;

	NEED_CTRL1(VMX_CTRL1_APIC_ACCESS);
	vm = vm_with_access_page();
	vm_start(vm, VM_64, &read_apic);
	vm->s->rdi = APIC_LOW + 0x20;
	ASSERT_OK(vm_run(vm));
	EXPECT(vm->s->exit_reason == VMX_VMCALL || vm->s->exit_reason == VMX_EPT_VIOLATION);
	if (vm->s->exit_reason == VMX_VMCALL)
		EXPECT_EQ(vm->s->rax, 0);
}

/* ---- Virtual interrupts ---- */

VM_CODE_ONE(wait_virtual, ".code64", "sti\n nop\n nop\n 1: jmp 1b");
VM_CODE_ONE(end_of_interrupt, ".code64", "movl $0, (%rdi)\n vmcall");

static void virtual_interrupts(void)
{
	enum { VECTOR = 0x51, IRR = 0x200, ISR = 0x100 };
	const uint32_t ctrl1 = VMX_CTRL1_APIC_REGISTERS | VMX_CTRL1_VINTR;
	struct vm *vm;

	NEED_CTRL1(VMX_CTRL1_APIC_ACCESS | VMX_CTRL1_APIC_REGISTERS | VMX_CTRL1_VINTR);
	vm = vm_with_access_page();
	for (unsigned want_exit = 0; want_exit < 2; want_exit++) {
		memset(vm->vcpu.vlapic, 0, RT_PAGE);
		start_apic(vm, &wait_virtual, EOI, 0, ctrl1);
		*vlapic(vm, IRR + VECTOR / 32 * 16) = 1u << VECTOR % 32;
		vm->s->vintr_status = VECTOR; /* highest requested */
		memset(vm->s->eoi_bitmap, 0, sizeof(vm->s->eoi_bitmap));
		vm->s->eoi_bitmap[VECTOR / 64] = want_exit ? 1ul << VECTOR % 64 : 0;
		vm->mtd |= MTD_VINTR | MTD_EOI;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(vm->s->rip, vm_stub(VECTOR));
		EXPECT_EQ(vm->s->vintr_status, VECTOR << 8); /* in service */
		EXPECT_EQ(*vlapic(vm, ISR + VECTOR / 32 * 16), 1u << VECTOR % 32);
		memcpy(vm->ram + VM_CODE_AT, end_of_interrupt.start,
		       (size_t)(end_of_interrupt.end - end_of_interrupt.start));
		vm->s->rip = VM_CODE_AT;
		vm->mtd = MTD_RIP_LEN;
		ASSERT_EXIT(vm, want_exit ? VMX_EOI : VMX_VMCALL);
		if (want_exit)
			EXPECT_EQ(vm->s->qual[0], VECTOR);
		EXPECT_EQ(vm->s->vintr_status, 0);
	}
}

const struct test vcpu_apic_tests[] = {
	TEST(cr8_shadow),         TEST(threshold),
	TEST(threshold_too_high), TEST(shadow_off),
	TEST(access_exits),       TEST(access_by_fetch),
	TEST(registers),          TEST(page_without_control),
	TEST(virtual_interrupts), {},
};
