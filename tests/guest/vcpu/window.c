/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits when the guest can take an interrupt or an NMI again, and the activity states in which it waits for one. */
#include "vcpu_test.h"

#include "rt/port.h"
#include "rt/size.h"

enum { NMI = 2 };
#define IF 0x200ul

VM_CODE(enable, "nop\n sti\n nop\n nop\n");
VM_CODE(forever, "1: jmp 1b");
VM_CODE(halt, "hlt\n nop\n");

static void want(struct vm *vm, uint32_t window)
{
	vm->s->intr_info = window;
	vm->mtd |= MTD_INJ;
}

/* At once if interrupts are on, else behind STI and the instruction it protects. */
static void interrupt_window(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &enable[mode]);
		want(vm, VMX_EVENT_WANT_INTR_WINDOW);
		ASSERT_EXIT(vm, VMX_INTR_WINDOW);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 3);
		ASSERT_EXIT(vm, VMX_INTR_WINDOW); /* the request stands until it is taken back */
		want(vm, 0);
		ASSERT_EXIT(vm, VMX_VMCALL);
		vm_start(vm, mode, &enable[mode]);
		vm->s->rflags |= IF;
		want(vm, VMX_EVENT_WANT_INTR_WINDOW);
		ASSERT_EXIT(vm, VMX_INTR_WINDOW);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
	}
}

static void nmi_window(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &enable[mode]);
		want(vm, VMX_EVENT_WANT_NMI_WINDOW);
		ASSERT_EXIT(vm, VMX_NMI_WINDOW);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
		/* An NMI first: the window opens when the guest has returned from it. */
		vm_start(vm, mode, &enable[mode]);
		want(vm, VMX_EVENT_VALID | VMX_EVENT_NMI | VMX_EVENT_WANT_NMI_WINDOW | NMI);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, vm_stub(NMI));
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_NMI_WINDOW);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
		want(vm, 0);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 4);
	}
}

/* Bits for other things in ctrl[0] do not ask for windows by themselves staying on. */
static void taken_back(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &forever[mode]);
		vm->s->rflags |= IF;
		want(vm, VMX_EVENT_WANT_INTR_WINDOW | VMX_EVENT_WANT_NMI_WINDOW);
		ASSERT_OK(vm_run(vm));
		EXPECT(vm->s->exit_reason == VMX_INTR_WINDOW || vm->s->exit_reason == VMX_NMI_WINDOW);
		want(vm, 0);
		vm->s->tsc_timeout = 20000;
		vm->mtd |= MTD_TSC_TIMEOUT;
		ASSERT_EXIT(vm, VMX_TIMER);
	}
}

/* Blocking by STI and by MOV SS is part of the state, in and out. */
static void shadows(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("the entry does not load the interrupt shadow");
	FOR_MODES(mode)
	{
		vm_start(vm, mode, &enable[mode]);
		vm->s->rflags |= IF;
		vm->s->intr_state = VMX_BLOCKED_STI;
		want(vm, VMX_EVENT_WANT_INTR_WINDOW);
		ASSERT_EXIT(vm, VMX_INTR_WINDOW);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 1); /* one instruction later */
		vm_start(vm, mode, &enable[mode]);
		vm->s->rflags |= IF;
		vm->s->intr_state = VMX_BLOCKED_SS;
		want(vm, VMX_EVENT_WANT_INTR_WINDOW);
		ASSERT_EXIT(vm, VMX_INTR_WINDOW);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 1);
	}
}

VM_CODE(sti_exit, "sti\n hlt\n");

static void shadow_at_exit(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		ASSERT_FIRST_EXIT(vm, mode, sti_exit, VMX_HLT);
		EXPECT_VM(vm, vm->s->intr_state & 3, VMX_BLOCKED_STI);
		EXPECT_VM(vm, vm->s->rflags & IF, IF);
		/* What a VMM does with a halted guest: past the instruction, no shadow, then the interrupt. */
		vm->s->intr_state = 0;
		vm->s->intr_info = VMX_EVENT_VALID | VMX_EVENT_INTR | 0x60;
		vm->mtd = MTD_STA | MTD_INJ;
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, vm_stub(0x60));
	}
}

/* ---- Interrupts of devices: the firmware's timer, which rt_mask_interrupts() keeps silent otherwise ---- */

enum { PIC = 0x20, PIC_MASK = 0x21, ALL_BUT_TIMER = 0xfe, EOI = 0x20, TIMER_VECTOR = 8 };

/* Each run ends with it, at once, until the VMM has dealt with the device: it is not acknowledged. */
static void device_interrupt(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &forever[mode]);
		vm->s->rflags |= IF; /* Bochs 2.7 waits for it, which other processors do not */
		rt_out8(PIC_MASK, ALL_BUT_TIMER);
		ASSERT_EXIT(vm, VMX_INTERRUPT);
		ASSERT_EXIT(vm, VMX_INTERRUPT);
		rt_out8(PIC_MASK, 0xff);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
		EXPECT_VM(vm, vm->s->intr_info & VMX_EVENT_VALID, 0);
		vm->s->tsc_timeout = 20000;
		vm->mtd = MTD_TSC_TIMEOUT;
		ASSERT_EXIT(vm, VMX_TIMER);
	}
}

/* A passthrough VM takes it itself, through its own table. */
static void device_interrupt_passthrough(void)
{
	struct vm *vm = vcpu_vm_passthrough(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &forever[mode]);
		vm->s->rflags |= IF;
		rt_out8(PIC_MASK, ALL_BUT_TIMER);
		ASSERT_OK(vm_run(vm));
		rt_out8(PIC, EOI);
		rt_out8(PIC_MASK, 0xff);
		EXPECT_VM(vm, vm->s->exit_reason, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, vm_stub(TIMER_VECTOR));
	}
}

/* HLT in a passthrough VM halts the CPU; timeout and events end that. */
static void halted(void)
{
	struct vm *vm = vcpu_vm_passthrough(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &halt[mode]);
		vm->s->tsc_timeout = 50000;
		ASSERT_EXIT(vm, VMX_TIMER);
		EXPECT_VM(vm, vm->s->actv_state, VMX_HALTED);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 1);
		vm->s->tsc_timeout = 50000; /* halted it stays */
		vm->mtd = MTD_TSC_TIMEOUT;
		ASSERT_EXIT(vm, VMX_TIMER);
		EXPECT_VM(vm, vm->s->actv_state, VMX_HALTED);
		vm->s->rflags |= IF;
		vm->s->intr_info = VMX_EVENT_VALID | VMX_EVENT_INTR | 0x61;
		vm->mtd = MTD_RFLAGS | MTD_INJ;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, vm_stub(0x61));
		EXPECT_VM(vm, vm->s->actv_state, VMX_ACTIVE);
	}
}

/* Unless the VMM asks for the exit. */
static void halt_exits_on_request(void)
{
	struct vm *vm = vcpu_vm_passthrough(0);

	vm_start(vm, VM_64, &halt[VM_64]);
	vm->s->ctrl[0] = VMX_CTRL0_HLT;
	ASSERT_EXIT(vm, VMX_HLT);
}

/* The state the VMM puts it into: the guest does not move, and the run ends by the timeout, by a poke, not never. */
static void inactive(void)
{
	static const unsigned states[] = {VMX_HALTED, VMX_SHUTDOWN, VMX_WAIT_SIPI};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(states); i++) {
		vm_start(vm, VM_16, &halt[VM_16]);
		vm->s->actv_state = states[i];
		vm->s->tsc_timeout = 50000;
		ASSERT_EXIT(vm, VMX_TIMER);
		EXPECT_EQ(vm->s->actv_state, states[i]);
		EXPECT_EQ(vm->s->rip, VM_CODE_AT);
		ASSERT_OK(hc_vcpu_poke(vm->vcpu.sel));
		ASSERT_EXIT(vm, VMX_POKED);
		vm->s->actv_state = VMX_ACTIVE;
		vm->mtd = MTD_STA;
		ASSERT_EXIT(vm, VMX_HLT);
	}
}

const struct test vcpu_window_tests[] = {
	TEST(interrupt_window),
	TEST(nmi_window),
	TEST(taken_back),
	TEST(shadows),
	TEST(shadow_at_exit),
	TEST(halted),
	TEST(halt_exits_on_request),
	TEST(inactive),
	TEST(device_interrupt),
	TEST(device_interrupt_passthrough),
	{},
};
