/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Birth and death of vCPUs on one CPU: nothing is lost, nothing is left, whatever goes first. */
#include "vcpu_test.h"

#include "rt/message.h"
#include "rt/object.h"

VM_CODE(nothing, "");
VM_CODE(forever, "1: jmp 1b");

/* Many more than the kernel's memory could hold if one of them stayed. */
static void created_and_revoked(void)
{
	struct vm *vm = vcpu_vm(0);
	sel_t kps = vm->vcpu.sel;

	for (unsigned i = 0; i < 3000; i++) {
		sel_t sel = vm->vcpu.sel;

		ASSERT_OK(rt_revoke(sel));
		ASSERT_OK(hc_create_vcpu(sel, rt_cpu, vm->vcpu.pd, kps + RT_VCPU_SEL_STATE, kps + RT_VCPU_SEL_VLAPIC,
					 kps + RT_VCPU_SEL_FPU));
		if (i % 64)
			continue;
		guest_alive();
		ASSERT_FIRST_EXIT(vm, VM_64, nothing, VMX_VMCALL);
	}
}

/* With all that belongs to it: PD, kernel pages, nested tables, port bitmap. */
static void whole_machines(void)
{
	for (unsigned i = 0; i < 300; i++) {
		struct vm *vm = vcpu_vm(0);

		ASSERT_OK(rt_guest_ports(vm->vcpu.pd, 0x80, 0));
		vm_start(vm, VM_64, &nothing[VM_64]);
		vm->s->ctrl[0] = VMX_CTRL0_IO_BITMAPS | VMX_CTRL0_MSR_BITMAPS;
		ASSERT_EXIT(vm, VMX_VMCALL);
		guest_clean();
		guest_alive();
	}
}

/* As many as there is memory for: then OOM, and after the end of them there is as much as before. */
static void until_nothing_is_left(void)
{
	struct vm *vm = vcpu_vm(0);
	sel_t first = sel_block(14), kps = vm->vcpu.sel;
	unsigned long counts[2];

	for (unsigned round = 0; round < 2; round++) {
		unsigned long n = 0;
		enum status st = SUCCESS;

		for (; n < 1u << 14 && st == SUCCESS; n += st == SUCCESS)
			st = hc_create_vcpu(first + n, rt_cpu, vm->vcpu.pd, kps + RT_VCPU_SEL_STATE,
					    kps + RT_VCPU_SEL_VLAPIC, kps + RT_VCPU_SEL_FPU);
		EXPECT(st == SUCCESS || st == OOM);
		EXPECT(n > 100);
		counts[round] = n;
		ASSERT_OK(hc_vcpu_run(first + n - 1, 0));
		EXPECT_EQ(vm->s->exit_reason, VMX_BAD_STATE);
		ASSERT_OK(hc_revoke(rt_obj(first, 14, PERM_ALL), REVOKE_SELF, 0));
		guest_alive();
	}
	EXPECT(counts[1] >= counts[0] - counts[0] / 16);
}

/* A vCPU keeps its PD and its pages: their capabilities may go first, and the page stays mapped. */
static void parts_go_first(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &nothing[VM_64]);
	for (unsigned i = RT_VCPU_SEL_STATE; i < RT_VCPU_SELS; i++)
		ASSERT_OK(rt_revoke(vm->vcpu.sel + i));
	ASSERT_EXIT(vm, VMX_VMCALL);
	ASSERT_OK(rt_revoke(vm->vcpu.pd));
	ASSERT_EXIT(vm, VMX_VMCALL);
	ASSERT_OK(rt_revoke(vm->vcpu.sel));
	EXPECT(!can_read((unsigned long)vm->s));
	EXPECT(!can_read((unsigned long)vm->vcpu.fpu));
}

/* State page unmapped: the run works all the same, and a later mapping shows what came. */
static void page_unmapped(void)
{
	struct vm *vm = vcpu_vm(0);
	unsigned long va = (unsigned long)vm->s & -RT_PAGE;

	vm_start(vm, VM_64, &nothing[VM_64]);
	ASSERT_OK(hc_kp_unmap(vm->vcpu.sel + RT_VCPU_SEL_STATE));
	ASSERT_OK(hc_vcpu_run(vm->vcpu.sel, vm->mtd));
	ASSERT_OK(hc_kp_map(vm->vcpu.sel + RT_VCPU_SEL_STATE, RT_SEL_PD, va));
	EXPECT_EQ(vm->s->exit_reason, VMX_VMCALL);
	EXPECT_EQ(vm->s->rip, VM_CODE_AT);
}

/* ---- Preemption: a run in progress is taken up again later, and nobody else can have the vCPU meanwhile ---- */

static struct vm *shared;
static enum status other_status;
static volatile unsigned long ran;

static void interferes(void *sm)
{
	while (hc_sm_down((sel_t)sm) == SUCCESS) {
		other_status = hc_vcpu_run(shared->vcpu.sel, 0);
		ran++;
	}
}

/* A run keeps its CPU: on one CPU nobody is woken in the middle of it, so the other finds the vCPU free. */
static void two_users(void)
{
	struct rt_ec ec;
	sel_t sm = sm_make(0);

	shared = vcpu_vm(0);
	ran = 0;
	thread_make(&ec, 10, interferes, (void *)sm);
	ASSERT_FIRST_EXIT(shared, VM_64, nothing, VMX_VMCALL);
	ASSERT_OK(hc_sm_up(sm));
	EXPECT_EQ(ran, 1);
	EXPECT_EQ(other_status, SUCCESS);
	ASSERT_EXIT(shared, VMX_VMCALL);
}

/* Revoked by another EC before its run: gone for good. */
static void revoked_before_run(void)
{
	struct vm *vm = vcpu_vm(0);

	ASSERT_FIRST_EXIT(vm, VM_64, nothing, VMX_VMCALL);
	ASSERT_OK(rt_revoke(vm->vcpu.sel));
	EXPECT_ST(hc_vcpu_run(vm->vcpu.sel, 0), BAD_CAP);
	EXPECT_ST(hc_vcpu_poke(vm->vcpu.sel), BAD_CAP);
}

/* In an EC of another PD, with its selectors. */
static unsigned long run_there(unsigned long sel, unsigned long mtd, RT_UNUSED unsigned long z)
{
	return hc_vcpu_run(sel, mtd);
}

static void run_by_another_pd(void)
{
	struct vm *vm = vcpu_vm(0);
	struct agent a;

	agent_make(&a);
	ASSERT_OK(delegate_obj(vm->vcpu.sel, a.pd, 1000, PERM_VCPU_CTRL));
	FOR_MODES(mode)
	{
		vm_start(vm, mode, &nothing[mode]);
		EXPECT_EQ(agent_do(&a, run_there, 1000, vm->mtd, 0), SUCCESS);
		EXPECT_VM(vm, vm->s->exit_reason, VMX_VMCALL);
		vm_start(vm, mode, &forever[mode]);
		vm->s->tsc_timeout = 50000;
		EXPECT_EQ(agent_do(&a, run_there, 1000, vm->mtd, 0), SUCCESS);
		EXPECT_VM(vm, vm->s->exit_reason, VMX_TIMER);
	}
	EXPECT_EQ(agent_do(&a, run_there, 1001, 0, 0), BAD_CAP);
}

const struct test vcpu_life_tests[] = {
	TEST(parts_go_first),     TEST(page_unmapped),         TEST(two_users),
	TEST(revoked_before_run), TEST(run_by_another_pd),     TEST(created_and_revoked),
	TEST(whole_machines),     TEST(until_nothing_is_left), {},
};
