/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One instruction for each kind of exit, in each mode that has it. It is the last of its code: where RIP and inst_len
 * point is thereby known. The guest then goes on to a VMCALL, if the exit is one of an instruction that can be
 * skipped.
 */
#include "vcpu_test.h"

#include "rt/size.h"
#include "rt/string.h"

enum { IN_16 = 1, IN_32 = 2, IN_64 = 4, PROTECTED = IN_32 | IN_64, EVERYWHERE = 7 };
enum { NO_QUAL = 0, QUAL = 1, QUAL_LOW = 2 };

struct exit_case {
	const struct vm_code *code;
	unsigned modes, reason;
	uint32_t ctrl0, ctrl1;
	bool has_qual;
	uint64_t qual;
	bool without; /* without the controls there is no exit */
};

static void expect_at_end(struct vm *vm, const struct vm_code *code)
{
	EXPECT_VM(vm, vm->s->rip + vm->s->inst_len, VM_CODE_AT + (uint64_t)(code->end - code->start));
	EXPECT(vm->s->inst_len >= 1 && vm->s->inst_len <= 15);
}

static void one_mode(struct vm *vm, const struct exit_case *c, enum vm_mode mode)
{
	vm_start(vm, mode, &c->code[mode]);
	vm->s->ctrl[0] = c->ctrl0;
	vm->s->ctrl[1] = c->ctrl1;
	ASSERT_EXIT(vm, c->reason);
	expect_at_end(vm, &c->code[mode]);
	if (c->has_qual)
		EXPECT_VM(vm, vm->s->qual[0], c->qual);
	/* Again without a change: RIP was not advanced. */
	ASSERT_EXIT(vm, c->reason);
	expect_at_end(vm, &c->code[mode]);
	vm_skip(vm);
	ASSERT_EXIT(vm, VMX_VMCALL);
	if (!c->without)
		return;
	vm_start(vm, mode, &c->code[mode]);
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + (uint64_t)(c->code[mode].end - c->code[mode].start));
}

static void exit_test(const struct exit_case *c)
{
	struct vm *vm = vcpu_vm(0);
	bool of_vmx = c->reason >= VMX_VMCLEAR && c->reason <= VMX_VMXON;

	NEED_CTRL1(c->ctrl1);
	if (of_vmx || c->reason == VMX_INVEPT || c->reason == VMX_INVVPID)
		NEED_VMX("AMD has no such instruction, it is undefined");
	if (c->reason == VMX_INVD || c->reason == VMX_XSETBV)
		NEED_BETTER_SVM("this instruction does not exit");
	FOR_MODES(mode)
	if (c->modes & 1u << mode)
		one_mode(vm, c, mode);
}

/* Defines the test `name` and its guest code. */
#define EXIT(name, text, ...)                                                         \
	VM_CODE(name##_code, text);                                                   \
	static void name(void)                                                        \
	{                                                                             \
		static const struct exit_case c = {.code = name##_code, __VA_ARGS__}; \
		exit_test(&c);                                                        \
	}

/* ---- Always ---- */

EXIT(cpuid, "xor %eax, %eax\n cpuid", .modes = EVERYWHERE, .reason = VMX_CPUID)
EXIT(hlt, "hlt", .modes = EVERYWHERE, .reason = VMX_HLT)
EXIT(invd, "invd", .modes = EVERYWHERE, .reason = VMX_INVD)
EXIT(vmcall, "vmcall", .modes = EVERYWHERE, .reason = VMX_VMCALL)
EXIT(xsetbv, "xor %ecx, %ecx\n mov $3, %eax\n xor %edx, %edx\n xsetbv", .modes = EVERYWHERE, .reason = VMX_XSETBV)
EXIT(vmlaunch, "vmlaunch", .modes = PROTECTED, .reason = VMX_VMLAUNCH)
EXIT(vmresume, "vmresume", .modes = PROTECTED, .reason = VMX_VMRESUME)
EXIT(vmxoff, "vmxoff", .modes = PROTECTED, .reason = VMX_VMXOFF)
EXIT(vmxon, "mov $0x6000, %edi\n vmxon (" VM_REG("di") ")", .modes = PROTECTED, .reason = VMX_VMXON)
EXIT(vmclear, "mov $0x6000, %edi\n vmclear (" VM_REG("di") ")", .modes = PROTECTED, .reason = VMX_VMCLEAR)
EXIT(vmptrld, "mov $0x6000, %edi\n vmptrld (" VM_REG("di") ")", .modes = PROTECTED, .reason = VMX_VMPTRLD)
EXIT(vmptrst, "mov $0x6000, %edi\n vmptrst (" VM_REG("di") ")", .modes = PROTECTED, .reason = VMX_VMPTRST)
EXIT(vmread, "vmread " VM_REG("ax") ", " VM_REG("cx"), .modes = PROTECTED, .reason = VMX_VMREAD)
EXIT(vmwrite, "vmwrite " VM_REG("ax") ", " VM_REG("cx"), .modes = PROTECTED, .reason = VMX_VMWRITE)
EXIT(invept, "mov $0x6000, %edi\n invept (" VM_REG("di") "), " VM_REG("ax"), .modes = PROTECTED, .reason = VMX_INVEPT)
EXIT(invvpid, "mov $0x6000, %edi\n invvpid (" VM_REG("di") "), " VM_REG("ax"), .modes = PROTECTED,
     .reason = VMX_INVVPID)

/* ---- Asked for by the VMM ---- */

EXIT(invlpg, "mov $0x6123, %edi\n invlpg (" VM_REG("di") ")", .modes = EVERYWHERE, .reason = VMX_INVLPG,
     .ctrl0 = VMX_CTRL0_INVLPG, .has_qual = true, .qual = 0x6123, .without = true)
EXIT(mwait, "xor %eax, %eax\n xor %ecx, %ecx\n mwait", .modes = EVERYWHERE, .reason = VMX_MWAIT,
     .ctrl0 = VMX_CTRL0_MWAIT)
EXIT(monitor, "mov $0x6000, %eax\n xor %ecx, %ecx\n xor %edx, %edx\n monitor", .modes = EVERYWHERE,
     .reason = VMX_MONITOR, .ctrl0 = VMX_CTRL0_MONITOR, .without = true)
EXIT(pause, "pause", .modes = EVERYWHERE, .reason = VMX_PAUSE, .ctrl0 = VMX_CTRL0_PAUSE, .without = true)
EXIT(rdpmc, "xor %ecx, %ecx\n rdpmc", .modes = EVERYWHERE, .reason = VMX_RDPMC, .ctrl0 = VMX_CTRL0_RDPMC)
EXIT(rdtsc, "rdtsc", .modes = EVERYWHERE, .reason = VMX_RDTSC, .ctrl0 = VMX_CTRL0_RDTSC, .without = true)
EXIT(rdtscp, "rdtscp", .modes = EVERYWHERE, .reason = VMX_RDTSCP, .ctrl0 = VMX_CTRL0_RDTSC, .ctrl1 = VMX_CTRL1_RDTSCP)
EXIT(wbinvd, "wbinvd", .modes = EVERYWHERE, .reason = VMX_WBINVD, .ctrl1 = VMX_CTRL1_WBINVD, .without = true)
EXIT(rdrand, "rdrand %ecx", .modes = EVERYWHERE, .reason = VMX_RDRAND, .ctrl1 = VMX_CTRL1_RDRAND, .without = true)
EXIT(rdseed, "rdseed %ecx", .modes = EVERYWHERE, .reason = VMX_RDSEED, .ctrl1 = VMX_CTRL1_RDSEED, .without = true)
EXIT(invpcid, "mov $0x6000, %edi\n mov $2, %eax\n invpcid (" VM_REG("di") "), " VM_REG("ax"), .modes = EVERYWHERE,
     .reason = VMX_INVPCID, .ctrl0 = VMX_CTRL0_INVLPG, .ctrl1 = VMX_CTRL1_INVPCID)

EXIT(sgdt, "mov $0x6000, %edi\n sgdt (" VM_REG("di") ")", .modes = EVERYWHERE, .reason = VMX_GDT_IDT,
     .ctrl1 = VMX_CTRL1_TABLES, .without = true)
EXIT(sidt, "mov $0x6000, %edi\n sidt (" VM_REG("di") ")", .modes = EVERYWHERE, .reason = VMX_GDT_IDT,
     .ctrl1 = VMX_CTRL1_TABLES, .without = true)
EXIT(lgdt, "mov $0x6000, %edi\n lgdt (" VM_REG("di") ")", .modes = EVERYWHERE, .reason = VMX_GDT_IDT,
     .ctrl1 = VMX_CTRL1_TABLES, .without = true)
EXIT(lidt, "mov $0x6000, %edi\n lidt (" VM_REG("di") ")", .modes = EVERYWHERE, .reason = VMX_GDT_IDT,
     .ctrl1 = VMX_CTRL1_TABLES, .without = true)
EXIT(sldt, "sldt %ax", .modes = PROTECTED, .reason = VMX_LDT_TR, .ctrl1 = VMX_CTRL1_TABLES, .without = true)
EXIT(str, "str %ax", .modes = PROTECTED, .reason = VMX_LDT_TR, .ctrl1 = VMX_CTRL1_TABLES, .without = true)
EXIT(lldt, "mov $0x30, %eax\n lldt %ax", .modes = PROTECTED, .reason = VMX_LDT_TR, .ctrl1 = VMX_CTRL1_TABLES,
     .without = true)
EXIT(ltr, "movb $0x89, 0x201d\n mov $0x18, %eax\n ltr %ax", .modes = PROTECTED, .reason = VMX_LDT_TR,
     .ctrl1 = VMX_CTRL1_TABLES, .without = true)

/* ---- Control and debug registers; qualification: number, access 5:4, register 11:8 ---- */

EXIT(cr3_load, "mov %cr3, " VM_REG("bx") "\n mov " VM_REG("bx") ", %cr3", .modes = EVERYWHERE, .reason = VMX_CR,
     .ctrl0 = VMX_CTRL0_CR3_LOAD, .has_qual = true, .qual = 3 | 3 << 8, .without = true)
EXIT(cr3_store, "mov %cr3, " VM_REG("si"), .modes = EVERYWHERE, .reason = VMX_CR, .ctrl0 = VMX_CTRL0_CR3_STORE,
     .has_qual = true, .qual = 3 | 1 << 4 | 6 << 8, .without = true)
/* mov %rdx, %cr8 and back, which is no instruction for the assembler in other modes */
EXIT(cr8_load, ".byte 0x44, 0x0f, 0x22, 0xc2", .modes = IN_64, .reason = VMX_CR, .has_qual = true, .qual = 8 | 2 << 8)
EXIT(cr8_store, ".byte 0x44, 0x0f, 0x20, 0xc2", .modes = IN_64, .reason = VMX_CR, .has_qual = true,
     .qual = 8 | 1 << 4 | 2 << 8)
EXIT(dr_load, "mov " VM_REG("cx") ", %db2", .modes = EVERYWHERE, .reason = VMX_DR, .ctrl0 = VMX_CTRL0_DR,
     .has_qual = true, .qual = 2 | 1 << 8, .without = true)
EXIT(dr_store, "mov %db7, " VM_REG("cx"), .modes = EVERYWHERE, .reason = VMX_DR, .ctrl0 = VMX_CTRL0_DR,
     .has_qual = true, .qual = 7 | 1 << 4 | 1 << 8, .without = true)

/* ---- Ports: size - 1, bit 3 in, 4 string, 5 REP, 6 immediate, port from 16 on ---- */

#define PORT(n) ((uint64_t)(n) << 16)
#define SET_PORT "mov $0xabcd, %edx\n"

EXIT(in_8, SET_PORT "in %dx, %al", .modes = EVERYWHERE, .reason = VMX_IO, .has_qual = true,
     .qual = 0 | 8 | PORT(0xabcd))
EXIT(in_16, SET_PORT "in %dx, %ax", .modes = EVERYWHERE, .reason = VMX_IO, .has_qual = true,
     .qual = 1 | 8 | PORT(0xabcd))
EXIT(in_32, SET_PORT "in %dx, %eax", .modes = EVERYWHERE, .reason = VMX_IO, .has_qual = true,
     .qual = 3 | 8 | PORT(0xabcd))
EXIT(out_8, SET_PORT "out %al, %dx", .modes = EVERYWHERE, .reason = VMX_IO, .has_qual = true, .qual = PORT(0xabcd))
EXIT(out_32, SET_PORT "out %eax, %dx", .modes = EVERYWHERE, .reason = VMX_IO, .has_qual = true,
     .qual = 3 | PORT(0xabcd))
EXIT(in_immediate, "in $0x71, %al", .modes = EVERYWHERE, .reason = VMX_IO, .has_qual = true,
     .qual = 8 | 64 | PORT(0x71))
EXIT(out_immediate, "out %ax, $0x80", .modes = EVERYWHERE, .reason = VMX_IO, .has_qual = true,
     .qual = 1 | 64 | PORT(0x80))
EXIT(ins, SET_PORT "mov $0x6000, %edi\n insb", .modes = EVERYWHERE, .reason = VMX_IO, .has_qual = true,
     .qual = 8 | 16 | PORT(0xabcd))
EXIT(outs_rep, SET_PORT "mov $0x6000, %esi\n mov $4, %ecx\n rep outsl", .modes = EVERYWHERE, .reason = VMX_IO,
     .has_qual = true, .qual = 3 | 16 | 32 | PORT(0xabcd))

/* ---- Exits that are no instruction to skip ---- */

VM_CODE(triple_code, "lidt 0x6000\n ud2");

static void triple_fault(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		memset(vm->ram + VM_DATA, 0, 16);
		vm_start(vm, mode, &triple_code[mode]);
		ASSERT_EXIT(vm, VMX_TRIPLE_FAULT);
	}
}

VM_CODE_ONE(task_code, ".code32", "ljmp $0x28, $0");

static void task_switch(void)
{
	enum { JUMP = 2 };
	struct vm *vm = vcpu_vm(0);

	NEED_BETTER_SVM("task switches do not exit");
	vm_start(vm, VM_32, &task_code);
	ASSERT_EXIT(vm, VMX_TASK_SWITCH);
	EXPECT_EQ(vm->s->qual[0], VM_SEL_TASK | (uint64_t)JUMP << 30);
	expect_at_end(vm, &task_code);
}

/* The monitor trap flag: an exit behind each instruction. On CPUs without it the control stays off. */
VM_CODE(steps, "nop\n nop\n nop\n");

static void trap_flag(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &steps[mode]);
		vm->s->ctrl[0] = VMX_CTRL0_TRAP_FLAG;
		ASSERT_OK(vm_run(vm));
		if (vm->s->exit_reason == VMX_VMCALL)
			SKIP("this CPU has no monitor trap flag");
		EXPECT_VM(vm, vm->s->exit_reason, VMX_TRAP_FLAG);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 1);
		ASSERT_EXIT(vm, VMX_TRAP_FLAG);
		EXPECT_VM(vm, vm->s->rip, VM_CODE_AT + 2);
	}
}

/* ---- Nothing is on that was not asked for: these instructions are undefined for the guest ---- */

VM_CODE(no_rdtscp, "rdtscp");
VM_CODE(no_invpcid, "mov $0x6000, %edi\n mov $2, %eax\n invpcid (" VM_REG("di") "), " VM_REG("ax"));
VM_CODE(no_vmfunc, "xor %eax, %eax\n xor %ecx, %ecx\n vmfunc");
VM_CODE(no_xsaves, "mov $0x6000, %edi\n xsaves (" VM_REG("di") ")");

static void off_unasked(void)
{
	static const struct vm_code *const codes[] = {no_rdtscp, no_invpcid, no_vmfunc, no_xsaves};
	enum { UNDEFINED = 6 };
	struct vm *vm = vcpu_vm(0);

	NEED_VMX("AMD has no controls for them");
	for (unsigned i = 0; i < RT_ARRAY(codes); i++)
		FOR_MODES(mode)
		{
			vm_start(vm, mode, &codes[i][mode]);
			vm->s->exc_bitmap = 1 << UNDEFINED;
			ASSERT_EXIT(vm, VMX_EXCEPTION);
			EXPECT_VM(vm, vm->s->intr_info, VMX_EVENT_VALID | VMX_EVENT_EXCEPTION | UNDEFINED);
		}
}

/* In real mode the instructions of VMX are undefined, too, VMCALL apart. */
VM_CODE(undefined_real, "vmlaunch");

static void vmx_in_real_mode(void)
{
	enum { UNDEFINED = 6 };
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_16, &undefined_real[VM_16]);
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rip, vm_stub(UNDEFINED));
}

const struct test vcpu_exit_tests[] = {
	TEST(cpuid),
	TEST(hlt),
	TEST(invd),
	TEST(vmcall),
	TEST(xsetbv),
	TEST(vmlaunch),
	TEST(vmresume),
	TEST(vmxoff),
	TEST(vmxon),
	TEST(vmclear),
	TEST(vmptrld),
	TEST(vmptrst),
	TEST(vmread),
	TEST(vmwrite),
	TEST(invept),
	TEST(invvpid),
	TEST(invlpg),
	TEST(mwait),
	TEST(monitor),
	TEST(pause),
	TEST(rdpmc),
	TEST(rdtsc),
	TEST(rdtscp),
	TEST(wbinvd),
	TEST(rdrand),
	TEST(rdseed),
	TEST(invpcid),
	TEST(sgdt),
	TEST(sidt),
	TEST(lgdt),
	TEST(lidt),
	TEST(sldt),
	TEST(str),
	TEST(lldt),
	TEST(ltr),
	TEST(cr3_load),
	TEST(cr3_store),
	TEST(cr8_load),
	TEST(cr8_store),
	TEST(dr_load),
	TEST(dr_store),
	TEST(in_8),
	TEST(in_16),
	TEST(in_32),
	TEST(out_8),
	TEST(out_32),
	TEST(in_immediate),
	TEST(out_immediate),
	TEST(ins),
	TEST(outs_rep),
	TEST(triple_fault),
	TEST(task_switch),
	TEST(trap_flag),
	TEST(off_unasked),
	TEST(vmx_in_real_mode),
	{},
};
