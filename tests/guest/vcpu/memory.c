/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory that changes: delegations count from the next instruction of the guest on, whatever was cached. */
#include "vcpu_test.h"

#include "rt/message.h"
#include "rt/pool.h"

#define R(name) VM_REG(name)

enum { LARGE_PAGES = 512 };
#define LARGE_GPA 0x200000ul

VM_CODE(load, "mov 0xe000, %eax\n");
VM_CODE_ONE(load_at, ".code64", "mov (%rdi), %rax\n vmcall\n");

static uint64_t load_from(struct vm *vm, uint64_t gpa)
{
	vm_start(vm, VM_64, &load_at);
	vm->s->rdi = gpa;
	ASSERT_EXIT(vm, VMX_VMCALL);
	return vm->s->rax;
}

/* Read, replaced, read, taken away, read. */
static void replaced(void)
{
	struct vm *vm = vcpu_vm(0);
	uint32_t *page[] = {rt_pages(1), rt_pages(1)};

	*page[0] = 0x1000;
	*page[1] = 0x2000;
	FOR_MODES(mode)
	for (unsigned i = 0; i < 6; i++) {
		ASSERT_OK(rt_guest_map(vm->vcpu.pd, VM_HOLE, page[i % 2], 1, PERM_MEM_R));
		ASSERT_FIRST_EXIT(vm, mode, load, VMX_VMCALL);
		EXPECT_VM(vm, (uint32_t)vm->s->rax, *page[i % 2]);
		if (i % 3)
			continue;
		ASSERT_OK(rt_guest_unmap(vm->vcpu.pd, VM_HOLE, 1));
		ASSERT_FIRST_EXIT(vm, mode, load, VMX_EPT_VIOLATION);
	}
}

/* The same without anything else happening in between: no TLB bit, no new state. */
static void replaced_between_runs(void)
{
	struct vm *vm = vcpu_vm(0);
	uint32_t *page[] = {rt_pages(1), rt_pages(1)};

	*page[0] = 0x1000;
	*page[1] = 0x2000;
	FOR_MODES(mode)
	{
		ASSERT_OK(rt_guest_map(vm->vcpu.pd, VM_HOLE, page[0], 1, PERM_MEM_R));
		ASSERT_FIRST_EXIT(vm, mode, load, VMX_VMCALL);
		for (unsigned i = 1; i < 6; i++) {
			ASSERT_OK(rt_guest_map(vm->vcpu.pd, VM_HOLE, page[i % 2], 1, PERM_MEM_R));
			vm->s->rip = VM_CODE_AT;
			vm->mtd = MTD_RIP_LEN;
			ASSERT_EXIT(vm, VMX_VMCALL);
			EXPECT_VM(vm, (uint32_t)vm->s->rax, *page[i % 2]);
		}
		ASSERT_OK(rt_guest_unmap(vm->vcpu.pd, VM_HOLE, 1));
		vm->s->rip = VM_CODE_AT;
		vm->mtd = MTD_RIP_LEN;
		ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
	}
}

/* A demand-paging VMM: the violation, the page, the same instruction again. */
static void paged_in(void)
{
	struct vm *vm = vcpu_vm(0);
	uint32_t *page = rt_pages(1);

	*page = 77;
	FOR_MODES(mode)
	{
		ASSERT_FIRST_EXIT(vm, mode, load, VMX_EPT_VIOLATION);
		ASSERT_OK(rt_guest_map(vm->vcpu.pd, vm->s->qual[1] & -RT_PAGE, page, 1, PERM_MEM_R));
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, (uint32_t)vm->s->rax, 77);
		ASSERT_OK(rt_guest_unmap(vm->vcpu.pd, VM_HOLE, 1));
	}
}

/* Large pages, split by taking one page out and joined again. */
static void large_pages(void)
{
	struct vm *vm = vcpu_vm(0);
	uint8_t *ram = rt_pages_aligned(LARGE_PAGES, LARGE_PAGES);

	ASSERT(ram);
	for (unsigned i = 0; i < LARGE_PAGES; i++)
		*(uint64_t *)(ram + i * RT_PAGE) = 1000 + i;
	for (unsigned round = 0; round < 2; round++) {
		ASSERT_OK(rt_guest_map(vm->vcpu.pd, LARGE_GPA, ram, LARGE_PAGES, RT_MEM_RWX));
		for (unsigned i = 0; i < LARGE_PAGES; i += 73)
			EXPECT_EQ(load_from(vm, LARGE_GPA + i * RT_PAGE), 1000 + i);
		ASSERT_OK(rt_guest_unmap(vm->vcpu.pd, LARGE_GPA + 73 * RT_PAGE, 1));
		EXPECT_EQ(load_from(vm, LARGE_GPA + 72 * RT_PAGE), 1072);
		EXPECT_EQ(load_from(vm, LARGE_GPA + 74 * RT_PAGE), 1074);
		vm_start(vm, VM_64, &load_at);
		vm->s->rdi = LARGE_GPA + 73 * RT_PAGE;
		ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
	}
	ASSERT_OK(rt_guest_unmap(vm->vcpu.pd, LARGE_GPA, LARGE_PAGES));
	vm_start(vm, VM_64, &load_at);
	vm->s->rdi = LARGE_GPA;
	ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
}

/* REVOKE takes the guest's side, too. */
static void revoked(void)
{
	struct vm *vm = vcpu_vm(0);
	uint32_t *page = rt_pages(1);

	ASSERT_OK(rt_guest_map(vm->vcpu.pd, VM_HOLE, page, 1, PERM_MEM_R));
	ASSERT_FIRST_EXIT(vm, VM_64, load, VMX_VMCALL);
	ASSERT_OK(hc_revoke(rt_mem(VM_HOLE, 0, PERM_ALL), REVOKE_SELF | REVOKE_REMOTE, vm->vcpu.pd));
	ASSERT_FIRST_EXIT(vm, VM_64, load, VMX_EPT_VIOLATION);
}

/* The guest's own page tables, changed behind its back: the TLB bit makes it look again. */
static void flushed_on_request(void)
{
	enum { TABLE = 0x14000, A = 0x15000, B = 0x16000 };
	struct vm *vm = vcpu_vm(0);
	uint64_t *large;

	vm_start(vm, VM_64, &load_at);
	large = (uint64_t *)(vm->ram + VM_TABLES + 2 * RT_PAGE);
	large[1] = TABLE | 7;
	for (unsigned i = 0; i < 10; i++) {
		uint64_t frame = i % 2 ? B : A;

		*vm_u64(vm, A) = 0xa;
		*vm_u64(vm, B) = 0xb;
		*vm_u64(vm, TABLE) = frame | 7;
		vm->s->rip = VM_CODE_AT;
		vm->s->rdi = 0x200000;
		vm->mtd |= MTD_RIP_LEN | MTD_GPR_BSD | MTD_TLB;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(vm->s->rax, i % 2 ? 0xb : 0xa);
	}
}

/* Two vCPUs of one PD see the same memory, those of different PDs do not. */
static void shared_and_separate(void)
{
	struct vm *a = vcpu_vm(0), *b = vcpu_vm_in(1, a->vcpu.pd), *c = vcpu_vm(2);
	uint32_t *page[] = {rt_pages(1), rt_pages(1)};

	*page[0] = 1;
	*page[1] = 2;
	ASSERT_OK(rt_guest_map(a->vcpu.pd, VM_HOLE, page[0], 1, PERM_MEM_R));
	ASSERT_OK(rt_guest_map(c->vcpu.pd, VM_HOLE, page[1], 1, PERM_MEM_R));
	a->ram = b->ram; /* the later one is what the PD has */
	ASSERT_FIRST_EXIT(a, VM_64, load, VMX_VMCALL);
	ASSERT_FIRST_EXIT(b, VM_64, load, VMX_VMCALL);
	ASSERT_FIRST_EXIT(c, VM_64, load, VMX_VMCALL);
	EXPECT_EQ(a->s->rax, 1);
	EXPECT_EQ(b->s->rax, 1);
	EXPECT_EQ(c->s->rax, 2);
	a->ram = NULL; /* the next test gets RAM of its own again */
}

/* Below 1 MiB, at the edge of what the guest's side can be, and across a wide range without anything. */
static void edges(void)
{
	struct vm *vm = vcpu_vm(0);
	uint32_t *page = rt_pages(1);

	*page = 99;
	ASSERT_OK(rt_guest_map(vm->vcpu.pd, 0x3ffff000, page, 1, PERM_MEM_R));
	EXPECT_EQ(load_from(vm, 0x3ffff000), 99);
	ASSERT_OK(rt_guest_unmap(vm->vcpu.pd, 0x20000000, 0x20000));
	vm_start(vm, VM_64, &load_at);
	vm->s->rdi = 0x3ffff000;
	ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
}

const struct test vcpu_memory_tests[] = {
	TEST(replaced),
	TEST(replaced_between_runs),
	TEST(paged_in),
	TEST(large_pages),
	TEST(revoked),
	TEST(flushed_on_request),
	TEST(shared_and_separate),
	TEST(edges),
	{},
};
