/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest can get at: memory and ports that were delegated to its PD's guest side, and nothing else. Every
 * attempt at more is an exit, and changes nothing.
 */
#include "vcpu_test.h"

#include "rt/map.h"
#include "rt/message.h"
#include "rt/pool.h"
#include "rt/string.h"

#define R(name) VM_REG(name)

/* Qualification of EPT violations: the access in 2:0, the rights in 5:3. */
enum { READ = 1, WRITE = 2, FETCH = 4, CAN_READ = 8, CAN_WRITE = 16, CAN_FETCH = 32, LINEAR_VALID = 128 };

VM_CODE(load, "mov $0xe004, %edi\n mov (" R("di") "), %eax");
VM_CODE(store, "mov $0xe004, %edi\n movl $0x12345678, (" R("di") ")");
VM_CODE(jump, "mov $0xe000, %edi\n jmp *" R("di"));

static void not_there(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		ASSERT_FIRST_EXIT(vm, mode, load, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->qual[0] & 0x3f, READ);
		EXPECT_VM(vm, vm->s->qual[0] & LINEAR_VALID, LINEAR_VALID);
		EXPECT_VM(vm, vm->s->qual[1], VM_HOLE + 4);
		EXPECT_VM(vm, vm->s->rip,
			  VM_CODE_AT + (uint64_t)(load[mode].end - load[mode].start) -
				  (mode == VM_64   ? 2
				   : mode == VM_32 ? 2
						   : 4));
		ASSERT_FIRST_EXIT(vm, mode, store, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->qual[0] & 0x3f & ~READ, WRITE);
		EXPECT_VM(vm, vm->s->qual[1], VM_HOLE + 4);
		ASSERT_FIRST_EXIT(vm, mode, jump, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->qual[0] & 0x3f, FETCH);
		EXPECT_VM(vm, vm->s->qual[1], VM_HOLE);
	}
}

/* The rights of the delegation, one by one. */
static void rights(void)
{
	struct vm *vm = vcpu_vm(0);
	uint32_t *page = rt_pages(1);

	page[0] = 0x90c1010f; /* VMCALL */
	page[1] = 0x1111;
	FOR_MODES(mode)
	{
		ASSERT_OK(rt_guest_map(vm->vcpu.pd, VM_HOLE, page, 1, PERM_MEM_R));
		ASSERT_FIRST_EXIT(vm, mode, load, VMX_VMCALL);
		EXPECT_VM(vm, (uint32_t)vm->s->rax, 0x1111);
		ASSERT_FIRST_EXIT(vm, mode, store, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->qual[0] & (WRITE | CAN_READ | CAN_WRITE | CAN_FETCH), WRITE | CAN_READ);
		EXPECT_VM(vm, page[1], 0x1111);
		ASSERT_FIRST_EXIT(vm, mode, jump, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->qual[0] & (FETCH | CAN_READ | CAN_WRITE | CAN_FETCH), FETCH | CAN_READ);
		ASSERT_OK(rt_guest_map(vm->vcpu.pd, VM_HOLE, page, 1, RT_MEM_RW));
		ASSERT_FIRST_EXIT(vm, mode, store, VMX_VMCALL);
		EXPECT_VM(vm, page[1], 0x12345678);
		ASSERT_FIRST_EXIT(vm, mode, jump, VMX_EPT_VIOLATION);
		ASSERT_OK(rt_guest_map(vm->vcpu.pd, VM_HOLE, page, 1, PERM_MEM_R | PERM_MEM_X));
		ASSERT_FIRST_EXIT(vm, mode, jump, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, VM_HOLE);
		ASSERT_FIRST_EXIT(vm, mode, store, VMX_EPT_VIOLATION);
		page[1] = 0x1111;
		ASSERT_OK(rt_guest_unmap(vm->vcpu.pd, VM_HOLE, 1));
		ASSERT_FIRST_EXIT(vm, mode, load, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->qual[0] & (CAN_READ | CAN_WRITE | CAN_FETCH), 0);
	}
}

/* Beyond all RAM, beyond what page tables of the guest can be: everything the guest points at is looked up the same.
 */
VM_CODE_ONE(far_load, ".code64", "mov (%rdi), %rax");
VM_CODE_ONE(far_store, ".code64", "mov %rax, (%rdi)");

static void outside(void)
{
	static const uint64_t at[] = {VM_RAM_PAGES * RT_PAGE, 0x100000, 0xfee00000 & 0x3fffffff, 0x3ffff000,
				      0x200000};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(at); i++) {
		vm_start(vm, VM_64, &far_load);
		vm->s->rdi = at[i];
		ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
		EXPECT_EQ(vm->s->qual[1], at[i]);
		vm_start(vm, VM_64, &far_store);
		vm->s->rdi = at[i];
		ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
		EXPECT_EQ(vm->s->qual[1], at[i]);
	}
}

/* Page tables of the guest that are not there: the violation names the table. */
static void table_not_there(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &far_load);
	vm->s->cr3 = 0x800000;
	ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
	EXPECT_EQ(vm->s->qual[1] & ~0xffful, 0x800000);
	EXPECT_EQ(vm->s->qual[0] & (LINEAR_VALID | 256), LINEAR_VALID); /* a walk, not the final address */
	/* The last byte of an instruction may be missing, too. */
	vm_start(vm, VM_64, &far_load);
	memcpy(vm->ram + VM_HOLE - 2, "\x48\x8b", 2);
	vm->s->rip = VM_HOLE - 2;
	ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
	EXPECT_EQ(vm->s->qual[1], VM_HOLE);
	EXPECT_EQ(vm->s->rip, VM_HOLE - 2);
}

/* ---- Ports ---- */

VM_CODE(out_byte, "mov %ebx, %edx\n out %al, %dx");
VM_CODE(in_word, "mov %ebx, %edx\n in %dx, %ax");
VM_CODE(in_long, "mov %ebx, %edx\n in %dx, %eax");

static unsigned port(struct vm *vm, enum vm_mode mode, const struct vm_code *code, unsigned number)
{
	vm_start(vm, mode, &code[mode]);
	vm->s->ctrl[0] = VMX_CTRL0_IO_BITMAPS;
	vm->s->rbx = number;
	ASSERT_OK(vm_run(vm));
	return vm->s->exit_reason;
}

static void no_ports(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	for (unsigned n = 0; n < 0x10000; n += n < 0x400 ? 0x10 : 0xff1)
		ASSERT_EQ(port(vm, mode, out_byte, n), VMX_IO);
	EXPECT_EQ(port(vm, VM_64, in_word, 0xffff), VMX_IO);
	EXPECT_EQ(port(vm, VM_64, in_long, 0xfffe), VMX_IO);
}

/* Exactly the ports that were given, every byte of a wide access; without the control not even these. */
static void granted_ports(void)
{
	struct vm *vm = vcpu_vm(0);

	ASSERT_OK(rt_guest_ports(vm->vcpu.pd, 0x84, 1));
	FOR_MODES(mode)
	{
		EXPECT_VM(vm, port(vm, mode, out_byte, 0x83), VMX_IO);
		EXPECT_VM(vm, port(vm, mode, out_byte, 0x84), VMX_VMCALL);
		EXPECT_VM(vm, port(vm, mode, out_byte, 0x85), VMX_VMCALL);
		EXPECT_VM(vm, port(vm, mode, out_byte, 0x86), VMX_IO);
		EXPECT_VM(vm, port(vm, mode, in_word, 0x84), VMX_VMCALL);
		EXPECT_VM(vm, port(vm, mode, in_word, 0x85), VMX_IO);
		EXPECT_VM(vm, port(vm, mode, in_word, 0x83), VMX_IO);
		EXPECT_VM(vm, port(vm, mode, in_long, 0x84), VMX_IO);
		vm_start(vm, mode, &out_byte[mode]);
		vm->s->rbx = 0x84;
		ASSERT_EXIT(vm, VMX_IO);
	}
	ASSERT_OK(hc_revoke(rt_pio(0x85, 0), REVOKE_SELF | REVOKE_REMOTE, vm->vcpu.pd));
	EXPECT_EQ(port(vm, VM_64, out_byte, 0x84), VMX_VMCALL);
	EXPECT_EQ(port(vm, VM_64, out_byte, 0x85), VMX_IO);
}

/* Ports of the host side are not the guest's. */
static void host_ports(void)
{
	struct vm *vm = vcpu_vm(0);

	ASSERT_OK(hc_delegate(RT_SEL_PD, vm->vcpu.pd, rt_pio(0x84, 0), ITEM_DELEGATE | ITEM_HYPERVISOR,
			      rt_pio(0x84, 0), NULL));
	EXPECT_EQ(port(vm, VM_64, out_byte, 0x84), VMX_IO);
}

/* Memory of the host side is not the guest's, and the guest's is not the host's. */
static void host_memory(void)
{
	struct vm *vm = vcpu_vm(0);
	uint32_t *page = rt_pages(1);
	struct agent a;

	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, (uint64_t)page, vm->vcpu.pd, VM_HOLE, 1, RT_MEM_RW, 0));
	ASSERT_FIRST_EXIT(vm, VM_64, load, VMX_EPT_VIOLATION);
	agent_make(&a);
	vm = vcpu_vm_in(1, a.pd);
	ASSERT_FIRST_EXIT(vm, VM_64, load, VMX_EPT_VIOLATION);
	EXPECT(!agent_can_read(&a, VM_CODE_AT));
	ASSERT_OK(rt_guest_map(a.pd, VM_HOLE, page, 1, RT_MEM_RWX));
	ASSERT_FIRST_EXIT(vm, VM_64, load, VMX_VMCALL);
	EXPECT(!agent_can_read(&a, VM_HOLE));
}

/* Kernel memory can be delegated to guests no more than to anybody. */
static void kernel_memory(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type != (uint32_t)HIP_MEM_HYPERVISOR)
			continue;
		ASSERT_OK(rt_mem_delegate(RT_SEL_PD, m->addr, vm->vcpu.pd, VM_HOLE, 1, RT_MEM_RWX,
					  ITEM_NO_HOST | ITEM_GUEST | ITEM_HYPERVISOR));
		ASSERT_FIRST_EXIT(vm, VM_64, load, VMX_EPT_VIOLATION);
	}
	/* Nor the kernel pages of the vCPU itself. */
	ASSERT_OK(rt_mem_delegate(RT_SEL_PD, (uint64_t)vm->vcpu.vlapic, vm->vcpu.pd, VM_HOLE, 1, RT_MEM_RW,
				  ITEM_NO_HOST | ITEM_GUEST));
	ASSERT_FIRST_EXIT(vm, VM_64, load, VMX_EPT_VIOLATION);
}

/* A guest in privilege 3 stays there. */
VM_CODE(ring3, "cli");

static void user_mode(void)
{
	struct vm *vm = vcpu_vm(0);

	for (enum vm_mode mode = VM_32; mode <= VM_64; mode++) {
		vm_start(vm, mode, &ring3[mode]);
		vm->s->cs.sel |= 3;
		vm->s->ss.sel |= 3;
		vm->s->cs.ar |= VMX_AR_RING3;
		vm->s->ss.ar |= VMX_AR_RING3;
		vm->s->ds.ar |= VMX_AR_RING3;
		vm->s->es.ar |= VMX_AR_RING3;
		vm->s->fs.ar |= VMX_AR_RING3;
		vm->s->gs.ar |= VMX_AR_RING3;
		vm->s->exc_bitmap = 1 << 13;
		ASSERT_EXIT(vm, VMX_EXCEPTION);
		EXPECT_VM(vm, vm->s->intr_info & 0xff, 13);
		EXPECT_VM(vm, vm->s->cs.ar & VMX_AR_RING3, VMX_AR_RING3);
		EXPECT_VM(vm, vm->s->cs.sel & 3, 3);
	}
}

const struct test vcpu_access_tests[] = {
	TEST(not_there),
	TEST(rights),
	TEST(outside),
	TEST(table_not_there),
	TEST(host_memory),
	TEST(kernel_memory),
	TEST(no_ports),
	TEST(granted_ports),
	TEST(host_ports),
	TEST(user_mode),
	{},
};
