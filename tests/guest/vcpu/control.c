/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of CREATE_VCPU and VCPU_CTRL, and their order. Without VMX everything is checked all the same, and then
 * the answer is BAD_FTR.
 */
#include "vcpu_test.h"

#include "rt/message.h"
#include "rt/object.h"
#include "rt/string.h"

VM_CODE(nothing, "");

/* What creation says when nothing is wrong, or before an occupied selector is noticed. */
static enum status created(void)
{
	return rt_has_vcpus() ? SUCCESS : BAD_FTR;
}

static struct rt_vcpu pages(void)
{
	static struct rt_vcpu v;

	v.cpu = rt_cpu;
	v.sel = sel_block(2);
	ASSERT_OK(rt_vcpu_pages(&v));
	return v;
}

static enum status create(const struct rt_vcpu *v, sel_t sel, unsigned cpu, sel_t pd)
{
	return hc_create_vcpu(sel, cpu, pd, v->sel + RT_VCPU_SEL_STATE, v->sel + RT_VCPU_SEL_VLAPIC,
			      v->sel + RT_VCPU_SEL_FPU);
}

static void create_order(void)
{
	struct rt_vcpu v = pages();
	sel_t kp = v.sel + RT_VCPU_SEL_STATE, sm = sm_make(0), none = GUEST_NOTHING;

	/* Each call has one error more than what it is to be refused for. */
	for (unsigned cpu = 0; cpu < 4096; cpu += cpu < HEDRON_CPU_MAX ? 1 : 331)
		if (!rt_cpu_enabled(cpu))
			ASSERT_ST(hc_create_vcpu(v.sel, cpu, none, none, none, none), BAD_CPU);
	EXPECT_ST(hc_create_vcpu(v.sel, rt_cpu, none, none, kp, kp), BAD_CAP);
	EXPECT_ST(hc_create_vcpu(v.sel, rt_cpu, sm, kp, kp, kp), BAD_CAP);
	for (unsigned wrong = 0; wrong < 3; wrong++) {
		sel_t bad[] = {none, sm, RT_SEL_PD, HEDRON_SEL_NUM + kp};

		for (unsigned i = 0; i < RT_ARRAY(bad); i++)
			EXPECT_ST(hc_create_vcpu(sm, rt_cpu, RT_SEL_PD, wrong == 0 ? bad[i] : kp,
						 wrong == 1 ? bad[i] : kp, wrong == 2 ? bad[i] : kp),
				  BAD_CAP);
	}
	EXPECT(sel_empty(v.sel));
}

static void create_occupied(void)
{
	struct rt_vcpu v = pages();
	sel_t sm = sm_make(0);

	EXPECT_ST(create(&v, sm, rt_cpu, RT_SEL_PD), rt_has_vcpus() ? BAD_CAP : BAD_FTR);
	EXPECT_EQ(sel_perm(sm), PERM_SM_ALL);
	EXPECT_ST(create(&v, HEDRON_SEL_NUM, rt_cpu, RT_SEL_PD), rt_has_vcpus() ? BAD_PAR : BAD_FTR);
	EXPECT_ST(create(&v, ~0ul >> 12, rt_cpu, RT_SEL_PD), rt_has_vcpus() ? BAD_PAR : BAD_FTR);
	EXPECT_ST(create(&v, v.sel, rt_cpu, RT_SEL_PD), created());
}

/* The parent needs `create`; kernel pages need no permission. */
static void create_permissions(void)
{
	struct rt_vcpu v = pages();
	sel_t weak_pd = sel_new(), weak_kp = sel_new();

	ASSERT_OK(rt_delegate(RT_SEL_PD, RT_SEL_PD, weak_pd, PERM_PD_CREATE));
	ASSERT_OK(hc_revoke(rt_obj(weak_pd, 0, PERM_PD_CREATE), REVOKE_SELF, 0));
	EXPECT_ST(create(&v, v.sel, rt_cpu, weak_pd), BAD_CAP);
	ASSERT_OK(rt_delegate(v.sel + RT_VCPU_SEL_STATE, RT_SEL_PD, weak_kp, PERM_KP_CTRL));
	EXPECT_ST(hc_create_vcpu(v.sel, rt_cpu, RT_SEL_PD, weak_kp, v.sel + RT_VCPU_SEL_VLAPIC,
				 v.sel + RT_VCPU_SEL_FPU),
		  created());
}

/* The capability is the caller's, whoever the parent is. */
static void create_result(void)
{
	struct rt_vcpu v = pages();
	struct agent a;

	if (!rt_has_vcpus())
		SKIP("this machine has no virtualization");
	agent_make(&a);
	EXPECT_OK(create(&v, v.sel, rt_cpu, a.pd));
	EXPECT_EQ(sel_perm(v.sel), PERM_VCPU_ALL);
	EXPECT_EQ(agent_lookup(&a, rt_obj(v.sel, 0, 0)), 0);
}

/* An initial FCW and MXCSR are written to the FPU page, nothing else to any page. */
static void create_writes(void)
{
	struct rt_vcpu v = pages();

	if (!rt_has_vcpus())
		SKIP("this machine has no virtualization");
	memset((void *)((unsigned long)v.state & -RT_PAGE), 0x5a, RT_PAGE);
	memset(v.vlapic, 0x5a, RT_PAGE);
	memset(v.fpu, 0x5a, RT_PAGE);
	EXPECT_OK(create(&v, v.sel, rt_cpu, RT_SEL_PD));
	EXPECT_EQ(*(uint16_t *)v.fpu, 0x37f);
	EXPECT_EQ(*(uint32_t *)(v.fpu + 24), 0x1f80);
	for (size_t i = 0; i < RT_PAGE; i++) {
		ASSERT_EQ(((uint8_t *)((unsigned long)v.state & -RT_PAGE))[i], 0x5a);
		ASSERT_EQ(v.vlapic[i], 0x5a);
		if (i >= 2 && i - 24 >= 4)
			ASSERT_EQ(v.fpu[i], 0x5a);
	}
}

static void ctrl_arguments(void)
{
	sel_t sm = sm_make(0), bad[] = {GUEST_NOTHING, sm, RT_SEL_PD, HEDRON_SEL_NUM, ~0ul >> 12};

	for (unsigned op = 2; op < 4; op++) /* before any capability is looked at */
		for (unsigned i = 0; i < RT_ARRAY(bad); i++)
			EXPECT_ST(hc_2(HC_ARG1(HC_VCPU_CTRL, op, bad[i]), 0), BAD_PAR);
	for (unsigned op = 0; op < 2; op++)
		for (unsigned i = 0; i < RT_ARRAY(bad); i++)
			EXPECT_ST(hc_2(HC_ARG1(HC_VCPU_CTRL, op, bad[i]), 0), BAD_CAP);
	EXPECT_ST(hc_vcpu_run_partial(GUEST_NOTHING, 0, 0), BAD_CAP);
	EXPECT_ST(hc_vcpu_run_partial(sm, ~0ul, ~0ul), BAD_CAP);
}

/* A capability without `ctrl` cannot be had by delegation: no permission, no capability. */
static void ctrl_permission(void)
{
	struct vm *vm = vcpu_vm(0);
	sel_t copy = sel_new();

	ASSERT_OK(rt_delegate(vm->vcpu.sel, RT_SEL_PD, copy, PERM_VCPU_CTRL));
	EXPECT_OK(hc_vcpu_poke(copy));
	EXPECT_OK(hc_vcpu_run(copy, 0));
	EXPECT_EQ(vm->s->exit_reason, VMX_POKED);
	ASSERT_OK(hc_revoke(rt_obj(vm->vcpu.sel, 0, PERM_VCPU_CTRL), 0, 0));
	EXPECT_ST(hc_vcpu_poke(copy), BAD_CAP);
	EXPECT_ST(hc_vcpu_run(copy, 0), BAD_CAP);
	EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
}

/* Bits of ARG1 without a meaning are ignored, and so are undefined bits of the MTD. */
static void ctrl_ignores(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &nothing[VM_64]);
	EXPECT_OK(hc_2(HC_ARG1(HC_VCPU_CTRL, VCPU_CTRL_RUN | 8, vm->vcpu.sel),
		       vm->mtd | ~0ul << 32 | 1ul << 25 | 1ul << 29));
	EXPECT_EQ(vm->s->exit_reason, VMX_VMCALL);
	EXPECT_OK(hc_2(HC_ARG1(HC_VCPU_CTRL, VCPU_CTRL_POKE | 12, vm->vcpu.sel), ~0ul));
}

/* Registers other than OUT1 stay as they are: the guest's are not the VMM's. */
VM_CODE_ONE(clobber_all, ".code64",
	    "mov $-1, %rax\n mov %rax, %rbx\n mov %rax, %rcx\n mov %rax, %rdx\n mov %rax, %rsi\n mov %rax, %rdi\n"
	    "mov %rax, %rbp\n mov %rax, %rsp\n mov %rax, %r8\n mov %rax, %r9\n mov %rax, %r10\n mov %rax, %r11\n"
	    "mov %rax, %r12\n mov %rax, %r13\n mov %rax, %r14\n mov %rax, %r15\n vmcall");

/* RBX, RBP, R12 to R15, R8, R9, R10: set, and as they are afterwards. RSI, RDX, RAX are in `r`. */
static void run_with(struct hc_regs *r, uint64_t kept[9])
{
	__asm__ volatile("push %%rbp\n\tpush %%rbx\n\tpush %[kept]\n\tmov %[kept], %%r11\n\t"
			 "mov (%%r11), %%rbx\n\tmov 8(%%r11), %%rbp\n\tmov 16(%%r11), %%r12\n\tmov 24(%%r11), "
			 "%%r13\n\tmov 32(%%r11), %%r14\n\tmov 40(%%r11), %%r15\n\tmov 48(%%r11), %%r8\n\t"
			 "mov 56(%%r11), %%r9\n\tmov 64(%%r11), %%r10\n\tsyscall\n\tpop %%r11\n\t"
			 "mov %%rbx, (%%r11)\n\tmov %%rbp, 8(%%r11)\n\tmov %%r12, 16(%%r11)\n\tmov %%r13, "
			 "24(%%r11)\n\tmov %%r14, 32(%%r11)\n\tmov %%r15, 40(%%r11)\n\tmov %%r8, 48(%%r11)\n\t"
			 "mov %%r9, 56(%%r11)\n\tmov %%r10, 64(%%r11)\n\tpop %%rbx\n\tpop %%rbp"
			 : "+D"(r->rdi), "+S"(r->rsi), "+d"(r->rdx), "+a"(r->rax)
			 : [kept] "r"(kept)
			 : "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
}

static void run_keeps_registers(void)
{
	struct vm *vm = vcpu_vm(0);
	struct hc_regs r = {HC_ARG1(HC_VCPU_CTRL, VCPU_CTRL_RUN, vm->vcpu.sel), 0, 0x1111, 0x2222, 0};
	uint64_t kept[9];

	vm_start(vm, VM_64, &clobber_all);
	r.rsi = vm->mtd;
	for (unsigned i = 0; i < RT_ARRAY(kept); i++)
		kept[i] = 0x3000 + i;
	run_with(&r, kept);
	EXPECT_EQ(r.rdi & 0xff, SUCCESS);
	EXPECT_EQ(r.rsi, vm->mtd);
	EXPECT_EQ(r.rdx, 0x1111);
	EXPECT_EQ(r.rax, 0x2222);
	for (unsigned i = 0; i < RT_ARRAY(kept); i++)
		EXPECT_EQ(kept[i], 0x3000 + i);
	EXPECT_EQ(vm->s->exit_reason, VMX_VMCALL);
	EXPECT_EQ(vm->s->rbx, ~0ul);
	EXPECT_EQ(vm->s->r15, ~0ul);
}

/* With virtual machines or without: the information page is consistent. */
static void announced(void)
{
	uint32_t must = (uint32_t)rt_hip->cap_vmx_sec_exec, may = rt_vmx_ctrl1();

	if (!rt_has_vcpus()) {
		EXPECT_EQ(rt_hip->cap_vmx_sec_exec, 0);
		EXPECT(!rt_has_vcpu_partial());
		return;
	}
	EXPECT(rt_has_vcpu_partial());
	if (rt_has_svm()) { /* the controls are Intel's */
		EXPECT_EQ(rt_hip->cap_vmx_sec_exec, 0);
		return;
	}
	EXPECT_EQ(must & ~may, 0);
	EXPECT(may & VMX_CTRL1_EPT);
	EXPECT(may & VMX_CTRL1_UNRESTRICTED);
}

const struct test vcpu_control_tests[] = {
	TEST(announced),
	TEST(create_order),
	TEST(create_occupied),
	TEST(create_permissions),
	TEST(create_result),
	TEST(create_writes),
	TEST(ctrl_arguments),
	TEST(ctrl_permission),
	TEST(ctrl_ignores),
	TEST(run_keeps_registers),
	{},
};
