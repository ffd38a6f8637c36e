/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug exceptions. The kernel sees all of them; a VMM that did not ask for them must not notice, and the guest must
 * find what a processor would have left: the frame, DR6, DR7. Nor may a guest keep its CPU with them.
 */
#include "vcpu_test.h"

#define R(name) VM_REG(name)

enum { DB = 1, EVENT_DB = VMX_EVENT_EXCEPTION | DB };
enum { TF = 0x100, RF = 0x10000 };
enum { DR6_B0 = 1, DR6_ACCESS = 0x2000, DR6_STEP = 0x4000, DR6_ALL = 0x600f };
enum { DR7_NONE = 0x400, DR7_EXECUTE = 0x401, DR7_WRITE4 = 0xd0401, DR7_WRITE8 = 0x90401, DR7_DETECT = 0x2400 };

static void *pushed(struct vm *vm, unsigned slot)
{
	return vm->ram + vm->s->rsp + slot * (vm->mode == VM_16 ? 2 : vm->mode == VM_32 ? 4 : 8);
}

static uint32_t pushed_value(struct vm *vm, unsigned slot)
{
	return vm->mode == VM_16 ? *(uint16_t *)pushed(vm, slot) : *(uint32_t *)pushed(vm, slot);
}

enum { RIP, CS, RFLAGS };

static uint64_t end_of(struct vm *vm, const struct vm_code *code)
{
	return VM_CODE_AT + (uint64_t)(code[vm->mode].end - code[vm->mode].start);
}

/* In its handler, with nothing that tells of the exit before. */
static void expect_handler(struct vm *vm, uint64_t rip)
{
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_VM(vm, vm->s->rip, vm_stub(DB));
	EXPECT_VM(vm, pushed_value(vm, RIP), rip);
	EXPECT_VM(vm, vm->s->rflags & (TF | RF), 0);
	EXPECT_VM(vm, vm->s->intr_info | vm->s->vect_info, 0);
	EXPECT_VM(vm, vm->s->intr_state, 0);
}

/* Back from the handler, without single steps, to the end of the code. */
static void finish(struct vm *vm, const struct vm_code *code)
{
	*(uint16_t *)pushed(vm, RFLAGS) &= (uint16_t)~TF;
	vm_skip(vm);
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_VM(vm, vm->s->rip, end_of(vm, code));
}

VM_CODE(step, "nop\n nop\n mov %dr6, " R("ax") "\n");

static void debug_step(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &step[mode]);
		vm->s->rflags |= TF;
		expect_handler(vm, VM_CODE_AT + 1);
		EXPECT_VM(vm, pushed_value(vm, RFLAGS) & TF, TF);
		finish(vm, step);
		EXPECT_VM(vm, vm->s->rax & DR6_ALL, DR6_STEP);
	}
}

/* The VMM asked for them: DR6 is as it was, the qualification tells. What it gives back arrives. */
static void debug_intercepted(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &step[mode]);
		vm->s->rflags |= TF;
		vm->s->exc_bitmap = 1 << DB;
		ASSERT_EXIT(vm, VMX_EXCEPTION);
		EXPECT_VM(vm, vm->s->intr_info, VMX_EVENT_VALID | EVENT_DB);
		EXPECT_VM(vm, vm->s->qual[0] & DR6_ALL, DR6_STEP);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 1);
		vm->mtd |= MTD_INJ;
		expect_handler(vm, VM_CODE_AT + 1);
		finish(vm, step);
		/* It changes its mind: the next one is the guest's. */
		vm->s->exc_bitmap = 0;
		vm->s->rflags |= TF;
		vm->s->rip = VM_CODE_AT;
		vm->mtd |= MTD_CTRL | MTD_RFLAGS | MTD_RIP_LEN;
		expect_handler(vm, VM_CODE_AT + 1);
		finish(vm, step);
		EXPECT_VM(vm, vm->s->rax & DR6_ALL, DR6_STEP);
	}
}

/* The kernel may have done the instruction that is stepped over itself. */
VM_CODE(step_cr4, "mov " R("bx") ", %cr4\n nop\n");

static void debug_intercepted_cr(void)
{
	enum { CR4_DE = 8, LENGTH = 3 };
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &step_cr4[mode]);
		vm->s->rbx = vm->s->cr4 | CR4_DE;
		vm->s->rflags |= TF;
		vm->s->exc_bitmap = 1 << DB;
		ASSERT_EXIT(vm, VMX_EXCEPTION);
		EXPECT_VM(vm, vm->s->intr_info, VMX_EVENT_VALID | EVENT_DB);
		EXPECT_VM(vm, vm->s->qual[0] & DR6_ALL, DR6_STEP);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + LENGTH);
		EXPECT_VM(vm, vm->s->cr4, vm->s->rbx);
	}
}

enum { WATCH_NOP = 6, WATCH_LAST = 7 }; /* from the start, from the end */
VM_CODE(watch, "mov " R("bx") ", %dr0\n mov " R("cx") ", %dr7\n nop\n mov %eax, 0x6000\n"
						      "nop\n mov %dr6, " R("ax") "\n mov %dr7, " R("dx") "\n");

static void start_watch(struct vm *vm, enum vm_mode mode, uint64_t address, uint64_t dr7)
{
	vm_start(vm, mode, &watch[mode]);
	vm->s->rbx = address;
	vm->s->rcx = dr7;
}

/* RFLAGS.RF, which lets the instruction pass after the fault, as the exit has it; 0 in Bochs 2.7. */
static uint32_t resume_flag(struct vm *vm, enum vm_mode mode)
{
	start_watch(vm, mode, VM_CODE_AT + WATCH_NOP, DR7_EXECUTE);
	vm->s->exc_bitmap = 1 << DB;
	ASSERT_EXIT(vm, VMX_EXCEPTION);
	return mode == VM_16 ? 0 : vm->s->rflags & RF;
}

static void debug_code(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("breakpoints are not those of the guest's DR7, or come too early");
	FOR_MODES(mode)
	{
		uint32_t rf = resume_flag(vm, mode);

		start_watch(vm, mode, VM_CODE_AT + WATCH_NOP, DR7_EXECUTE);
		expect_handler(vm, VM_CODE_AT + WATCH_NOP);
		EXPECT_VM(vm, pushed_value(vm, RFLAGS) & RF, rf);
		EXPECT_VM(vm, vm->s->dr7, DR7_EXECUTE);
		if (!rf) {
			vm->s->dr7 = DR7_NONE;
			vm->mtd |= MTD_DR;
		}
		finish(vm, watch);
		EXPECT_VM(vm, vm->s->rax & DR6_ALL, DR6_B0);
	}
}

/* A trap. What DR6 had of another breakpoint goes, the rest stays. */
static void debug_data(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("breakpoints are not those of the guest's DR7, or come too early");
	FOR_MODES(mode)
	{
		start_watch(vm, mode, VM_DATA, DR7_WRITE4);
		expect_handler(vm, end_of(vm, watch) - WATCH_LAST);
		EXPECT_VM(vm, pushed_value(vm, RFLAGS) & RF, 0);
		finish(vm, watch);
		EXPECT_VM(vm, vm->s->rax & DR6_ALL, DR6_B0);
		EXPECT_VM(vm, vm->s->rdx, DR7_WRITE4);
	}
}

/* Any access to a debug register, which DR7.GD forbids; it is clear in the handler, so that the access works then. */
static void debug_access(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("DR7.GD has no effect");
	FOR_MODES(mode)
	{
		start_watch(vm, mode, 0, DR7_DETECT);
		expect_handler(vm, end_of(vm, watch) - WATCH_LAST + 1);
		EXPECT_VM(vm, vm->s->dr7, DR7_NONE);
		finish(vm, watch);
		EXPECT_VM(vm, vm->s->rax & DR6_ALL, DR6_ACCESS);
		EXPECT_VM(vm, vm->s->rdx, DR7_NONE);
	}
}

VM_CODE(int1, ".byte 0xf1\n mov %dr6, " R("ax") "\n");

static void debug_int1(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("INT1 is undefined");
	FOR_MODES(mode)
	{
		vm_start(vm, mode, &int1[mode]);
		expect_handler(vm, VM_CODE_AT + 1);
		finish(vm, int1);
		EXPECT_VM(vm, vm->s->rax & DR6_ALL, 0);
		vm_start(vm, mode, &int1[mode]);
		vm->s->exc_bitmap = 1 << DB;
		ASSERT_EXIT(vm, VMX_EXCEPTION);
		EXPECT_VM(vm, vm->s->intr_info, VMX_EVENT_VALID | VMX_EVENT_PRIVILEGED | DB);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
		EXPECT_VM(vm, vm->s->inst_len, 1);
		vm->mtd |= MTD_INJ | MTD_RIP_LEN;
		expect_handler(vm, VM_CODE_AT + 1);
	}
}

/* Steps where interrupts or the step itself are held back: an entry with that state has to be as VMX wants it. */
VM_CODE(sti, "sti\n nop\n nop\n");
VM_CODE(mov_ss, ".byte 0x8e, 0xd0\n nop\n nop\n");

static void debug_blocked(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("MOV SS blocks nothing");
	FOR_MODES(mode)
	{
		vm_start(vm, mode, &sti[mode]);
		vm->s->rflags |= TF;
		expect_handler(vm, VM_CODE_AT + 1);
		finish(vm, sti);
		vm_start(vm, mode, &mov_ss[mode]);
		vm->s->rflags |= TF;
		vm->s->rax = vm->s->ss.sel;
		expect_handler(vm, VM_CODE_AT + 3);
		finish(vm, mov_ss);
	}
}

/* The delivery itself cannot be finished: the VMM gets to know the event, and gives it back. */
static void debug_delivery(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &step[mode]);
		vm->s->rflags |= TF;
		vm->s->rsp = VM_HOLE + 0x100;
		ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->vect_info, VMX_EVENT_VALID | EVENT_DB);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 1);
		vm->s->intr_info = vm->s->vect_info;
		vm->s->rsp = VM_STACK;
		vm->mtd |= MTD_INJ | MTD_RSP;
		expect_handler(vm, VM_CODE_AT + 1);
		finish(vm, step);
		EXPECT_VM(vm, vm->s->rax & DR6_ALL, DR6_STEP);
	}
}

/* ---- A breakpoint on what the delivery of its own exception writes ---- */

enum { IST_AT = VM_STACK + 0x800, FRAME_RIP = IST_AT - 40, EXTERNAL = 0x41 };

static void use_ist(struct vm *vm, unsigned vector)
{
	vm->ram[VM_IDT + vector * 16 + 4] = 1;
}

static void start_storm(struct vm *vm)
{
	vm_start(vm, VM_64, &watch[VM_64]);
	use_ist(vm, DB);
	use_ist(vm, EXTERNAL);
	*(uint64_t *)(vm->ram + VM_TSS + 36) = IST_AT;
	vm->s->rbx = FRAME_RIP;
	vm->s->rcx = DR7_WRITE8;
	vm->s->tsc_timeout = 30000;
}

/* One after the other, from the same place, with the event still to be delivered. */
static void end_storm(struct vm *vm, uint64_t rip)
{
	EXPECT_VM(vm, vm->s->vect_info, VMX_EVENT_VALID | EVENT_DB);
	EXPECT_VM(vm, vm->s->rip, rip);
	vm->s->dr7 = DR7_NONE;
	vm->s->tsc_timeout = VM_TIMEOUT;
	vm->mtd |= MTD_DR | MTD_TSC_TIMEOUT;
	expect_handler(vm, rip);
}

static void debug_storm_timeout(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("a storm ends the emulator itself");
	start_storm(vm);
	ASSERT_EXIT(vm, VMX_VMCALL);
	vm->s->rip = VM_CODE_AT + WATCH_NOP;
	vm->s->rflags |= TF;
	vm->mtd |= MTD_RFLAGS | MTD_RIP_LEN;
	ASSERT_EXIT(vm, VMX_TIMER);
	end_storm(vm, vm_stub(DB));
}

static void debug_storm_poke(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("a storm ends the emulator itself");
	start_storm(vm);
	ASSERT_EXIT(vm, VMX_VMCALL);
	vm->s->intr_info = VMX_EVENT_VALID | VMX_EVENT_INTR | EXTERNAL;
	vm->s->rflags |= 0x200;
	vm->mtd |= MTD_INJ | MTD_RFLAGS;
	ASSERT_OK(hc_vcpu_poke(vm->vcpu.sel));
	ASSERT_EXIT(vm, VMX_POKED);
	end_storm(vm, vm_stub(EXTERNAL));
}

const struct test vcpu_debug_tests[] = {
	TEST(debug_step),     TEST(debug_intercepted),   TEST(debug_intercepted_cr), TEST(debug_code),
	TEST(debug_data),     TEST(debug_access),        TEST(debug_int1),           TEST(debug_blocked),
	TEST(debug_delivery), TEST(debug_storm_timeout), TEST(debug_storm_poke),     {},
};
