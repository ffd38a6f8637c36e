/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events the VMM injects, and exceptions of the guest that the VMM wants to see. */
#include "vcpu_test.h"

#include "rt/size.h"

#define R(name) VM_REG(name)

enum { DE = 0, DB = 1, NMI = 2, BP = 3, UD = 6, SS = 12, GP = 13, PF = 14, AC = 17 };
#define IF 0x200ul

VM_CODE(nops, "nop\n nop\n nop\n nop\n nop\n nop\n");
VM_CODE(nothing, "");

static void inject(struct vm *vm, uint32_t info, uint32_t error)
{
	vm->s->intr_info = VMX_EVENT_VALID | info;
	vm->s->intr_error = error;
	vm->mtd |= MTD_INJ;
}

/* RIP as the processor pushed it, `skip` stack slots above RSP. */
static uint64_t pushed(struct vm *vm, unsigned slot)
{
	const uint8_t *sp = vm->ram + vm->s->rsp;

	switch (vm->mode) {
	case VM_16:
		return ((const uint16_t *)sp)[slot];
	case VM_32:
		return ((const uint32_t *)sp)[slot];
	default:
		return ((const uint64_t *)sp)[slot];
	}
}

static void expect_delivered(struct vm *vm, unsigned vector, uint64_t rip)
{
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_VM(vm, vm->s->rip, vm_stub(vector));
	EXPECT_VM(vm, pushed(vm, 0), rip);
	EXPECT_VM(vm, vm->s->rflags & IF, 0);
}

/* Delivered once: neither the next run nor the one after it delivers it again, and the guest returns from it. */
static void interrupt(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	for (unsigned vector = 32; vector < 256; vector += 37) {
		vm_start(vm, mode, &nops[mode]);
		vm->s->rflags |= IF;
		inject(vm, VMX_EVENT_INTR | vector, 0);
		expect_delivered(vm, vector, VM_CODE_AT);
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 6);
		EXPECT_VM(vm, vm->s->rflags & IF, IF);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 6);
	}
}

static void nmi(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &nops[mode]);
		inject(vm, VMX_EVENT_NMI | NMI, 0);
		expect_delivered(vm, NMI, VM_CODE_AT);
		EXPECT_VM(vm, vm->s->intr_state & VMX_BLOCKED_NMI, VMX_BLOCKED_NMI);
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 6);
		EXPECT_VM(vm, vm->s->intr_state & VMX_BLOCKED_NMI, 0);
	}
}

static void exceptions(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &nops[mode]);
		inject(vm, VMX_EVENT_EXCEPTION | UD, 0);
		expect_delivered(vm, UD, VM_CODE_AT);
		if (mode == VM_16)
			continue;
		vm_start(vm, mode, &nops[mode]);
		inject(vm, VMX_EVENT_EXCEPTION | VMX_EVENT_ERROR | GP, 0x1234);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, vm_stub(GP));
		EXPECT_VM(vm, pushed(vm, 0), 0x1234);
		EXPECT_VM(vm, pushed(vm, 1), VM_CODE_AT);
		/* A page fault: CR2 is the VMM's to set. */
		vm_start(vm, mode, &nops[mode]);
		vm->s->cr2 = 0x7654000;
		inject(vm, VMX_EVENT_EXCEPTION | VMX_EVENT_ERROR | PF, 2);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, vm_stub(PF));
		EXPECT_VM(vm, pushed(vm, 0), 2);
		EXPECT_VM(vm, vm->s->cr2, 0x7654000);
	}
}

/* Software interrupts push the address behind an instruction of inst_len bytes. */
static void software_interrupts(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &nops[mode]);
		vm->s->inst_len = 2;
		inject(vm, VMX_EVENT_SOFT_INTR | 0x80, 0);
		expect_delivered(vm, 0x80, VM_CODE_AT + 2);
		vm_start(vm, mode, &nops[mode]);
		vm->s->inst_len = 1;
		inject(vm, VMX_EVENT_SOFT_EXCEPTION | BP, 0);
		expect_delivered(vm, BP, VM_CODE_AT + 1);
	}
}

/* CTRL is applied before INJ, and an event is delivered although the run was poked before. */
static void order(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &nothing[mode]);
		vm->s->rflags |= IF;
		vm->s->ctrl[0] = 0;
		inject(vm, VMX_EVENT_INTR | VMX_EVENT_WANT_INTR_WINDOW | 0x41, 0);
		expect_delivered(vm, 0x41, VM_CODE_AT);
		vm_start(vm, mode, &nothing[mode]);
		ASSERT_EXIT(vm, VMX_VMCALL);
		vm->s->rflags |= IF;
		vm->mtd = MTD_RFLAGS;
		inject(vm, VMX_EVENT_INTR | 0x42, 0);
		ASSERT_OK(hc_vcpu_poke(vm->vcpu.sel));
		ASSERT_OK(vm_run(vm));
		EXPECT_VM(vm, vm->s->exit_reason, VMX_POKED);
		EXPECT_VM(vm, vm->s->rip, vm_stub(0x42));
		ASSERT_EXIT(vm, VMX_VMCALL);
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
	}
}

/* ---- Exceptions of the guest ---- */

VM_CODE(raise_ud, "ud2");
VM_CODE(raise_bp, "int3");
VM_CODE(raise_de, "xor %edx, %edx\n xor %ecx, %ecx\n div %ecx");

static void intercepted(void)
{
	static const struct {
		const struct vm_code *code;
		unsigned vector, type, length;
	} cases[] = {{raise_ud, UD, VMX_EVENT_EXCEPTION, 2},
		     {raise_bp, BP, VMX_EVENT_SOFT_EXCEPTION, 1},
		     {raise_de, DE, VMX_EVENT_EXCEPTION, 2}};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(cases); i++)
		FOR_MODES(mode)
		{
			if (cases[i].vector == BP && vcpu_svm_of_qemu())
				continue; /* it does not exit there */
			const struct vm_code *c = &cases[i].code[mode];
			uint64_t at = VM_CODE_AT + (uint64_t)(c->end - c->start);

			vm_start(vm, mode, c);
			vm->s->exc_bitmap = 1u << cases[i].vector;
			ASSERT_EXIT(vm, VMX_EXCEPTION);
			EXPECT_VM(vm, vm->s->intr_info, VMX_EVENT_VALID | cases[i].type | cases[i].vector);
			EXPECT(vm->s->rip < at && vm->s->rip >= at - 3);
			EXPECT_VM(vm, vm->s->vect_info & VMX_EVENT_VALID, 0);
			/* Given back to the guest as it came. */
			inject(vm, vm->s->intr_info, 0);
			vm->mtd |= MTD_RIP_LEN;
			ASSERT_EXIT(vm, VMX_VMCALL);
			EXPECT_VM(vm, vm->s->rip, vm_stub(cases[i].vector));
			/* Without the bit the guest handles it alone. */
			vm_start(vm, mode, c);
			ASSERT_EXIT(vm, VMX_VMCALL);
			EXPECT_VM(vm, vm->s->rip, vm_stub(cases[i].vector));
		}
}

VM_CODE(load_far, "mov $0x50000000, %ebx\n mov 4(" R("bx") "), %eax");

static void page_fault(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &load_far[VM_64]);
	vm->s->exc_bitmap = 1 << PF;
	vm->s->cr2 = 0x1111;
	ASSERT_EXIT(vm, VMX_EXCEPTION);
	EXPECT_EQ(vm->s->intr_info, VMX_EVENT_VALID | VMX_EVENT_EXCEPTION | VMX_EVENT_ERROR | PF);
	EXPECT_EQ(vm->s->intr_error, 0);
	EXPECT_EQ(vm->s->qual[0], 0x50000004);
	EXPECT_EQ(vm->s->cr2, 0x1111); /* the processor leaves it alone if it exits */
	vm_start(vm, VM_64, &load_far[VM_64]);
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rip, vm_stub(PF));
	EXPECT_EQ(vm->s->cr2, 0x50000004);
}

VM_CODE(unaligned, "mov $0x6001, %ebx\n mov (" R("bx") "), %eax");

/* Always intercepted, so that a guest cannot keep the CPU in an endless delivery of it. */
static void alignment_check(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("it does not check alignment");
	for (enum vm_mode mode = VM_32; mode <= VM_64; mode++) {
		vm_start(vm, mode, &unaligned[mode]);
		vm->s->cr0 |= 0x40000;
		vm->s->rflags |= 0x40000;
		vm->s->cs.sel |= 3;
		vm->s->ss.sel |= 3;
		vm->s->cs.ar |= VMX_AR_RING3;
		vm->s->ss.ar |= VMX_AR_RING3;
		vm->s->ds.ar |= VMX_AR_RING3;
		vm->s->es.ar |= VMX_AR_RING3;
		vm->s->fs.ar |= VMX_AR_RING3;
		vm->s->gs.ar |= VMX_AR_RING3;
		ASSERT_EXIT(vm, VMX_EXCEPTION);
		EXPECT_VM(vm, vm->s->intr_info & 0xff, AC);
	}
}

VM_CODE(trapped, "nop\n nop\n");

static void single_step(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &trapped[mode]);
		vm->s->rflags |= 0x100;
		vm->s->exc_bitmap = 1 << DB;
		ASSERT_EXIT(vm, VMX_EXCEPTION);
		EXPECT_VM(vm, vm->s->intr_info & 0xff, DB);
		EXPECT_VM(vm, vm->s->qual[0] & 0x4000, 0x4000);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 1);
	}
}

/* An exit in the middle of a delivery: vect_info is the event, and what the VMM injects to go on. */
static void interrupted_delivery(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &nops[mode]);
		vm->s->rflags |= IF;
		vm->s->rsp = VM_HOLE + 0x100;
		inject(vm, VMX_EVENT_INTR | 0x55, 0);
		ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->vect_info, VMX_EVENT_VALID | VMX_EVENT_INTR | 0x55);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
		inject(vm, vm->s->vect_info, vm->s->vect_error);
		vm->s->rsp = VM_STACK;
		vm->mtd |= MTD_RSP;
		expect_delivered(vm, 0x55, VM_CODE_AT);
		EXPECT_VM(vm, vm->s->vect_info & VMX_EVENT_VALID, 0);
	}
}

/* One that is left out is gone: the kernel does not inject it by itself. */
static void lost_delivery(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &nops[VM_64]);
	vm->s->rflags |= IF;
	vm->s->rsp = VM_HOLE + 0x100;
	inject(vm, VMX_EVENT_INTR | 0x55, 0);
	ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
	vm->s->rsp = VM_STACK;
	vm->mtd = MTD_RSP;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rip, VM_CODE_AT + 6);
}

const struct test vcpu_event_tests[] = {
	TEST(interrupt),     TEST(nmi),
	TEST(exceptions),    TEST(software_interrupts),
	TEST(order),         TEST(intercepted),
	TEST(page_fault),    TEST(alignment_check),
	TEST(single_step),   TEST(interrupted_delivery),
	TEST(lost_delivery), {},
};
