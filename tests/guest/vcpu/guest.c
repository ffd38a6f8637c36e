/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest sees of the state it was given, and the VMM of what the guest made of it. */
#include "vcpu_test.h"

#define R(name) VM_REG(name)

/* Each register is changed in its own way, so that none is taken for another. */
VM_CODE(change_gprs,
	"add $1, " R("ax") "\n add $2, " R("cx") "\n add $3, " R("dx") "\n add $4, " R(
		"bx") "\n"
		      "add $5, " R("bp") "\n add $6, " R("si") "\n add $7, " R("di") "\n add $8, " R("sp") "\n");
VM_CODE_ONE(change_r8_r15, ".code64",
	    "add $9, %r8\n add $10, %r9\n add $11, %r10\n add $12, %r11\n add $13, %r12\n"
	    "add $14, %r13\n add $15, %r14\n add $16, %r15\n vmcall");

static void general_registers(void)
{
	struct vm *vm = vcpu_vm(0);
	struct utcb_state *s = vm->s;

	FOR_MODES(mode)
	{
		uint64_t high = mode == VM_64 ? 0x1234567800000000 : 0;

		vm_start(vm, mode, &change_gprs[mode]);
		s->rax = s->rcx = s->rdx = s->rbx = s->rbp = s->rsi = s->rdi = s->rsp = high | 0x100;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, s->rax, high | 0x101);
		EXPECT_VM(vm, s->rcx, high | 0x102);
		EXPECT_VM(vm, s->rdx, high | 0x103);
		EXPECT_VM(vm, s->rbx, high | 0x104);
		EXPECT_VM(vm, s->rbp, high | 0x105);
		EXPECT_VM(vm, s->rsi, high | 0x106);
		EXPECT_VM(vm, s->rdi, high | 0x107);
		EXPECT_VM(vm, s->rsp, high | 0x108);
	}
	vm_start(vm, VM_64, &change_r8_r15);
	ASSERT_EXIT(vm, VMX_VMCALL);
	for (unsigned i = 0; i < 8; i++)
		EXPECT_EQ((&s->r8)[i], 9 + i);
}

VM_CODE(flags, "pushf\n pop " R("ax") "\n std\n stc\n");

static void rflags(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &flags[mode]);
		vm->s->rflags = 0x2 | 0x4 | 0x40; /* PF, ZF */
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax & 0xffff, 0x46);
		EXPECT_VM(vm, vm->s->rflags, 0x2 | 0x4 | 0x40 | 0x400 | 1);
	}
}

/* Segments by what they do: a load through each, with a base of its own. */
VM_CODE(segments,
	"mov %es:0, %eax\n mov %ds:0, %ebx\n mov %fs:0, %ecx\n mov %gs:0, %edx\n mov %ss:0, %esi\n mov %cs, %edi\n");

static void segment_registers(void)
{
	struct vm *vm = vcpu_vm(0);

	for (enum vm_mode mode = VM_16; mode <= VM_32; mode++) {
		vm_start(vm, mode, &segments[mode]);
		for (unsigned i = 0; i < 5; i++)
			*vm_u32(vm, VM_DATA + i * 16) = 100 + i;
		vm->s->es.base = VM_DATA;
		vm->s->ds.base = VM_DATA + 16;
		vm->s->fs.base = VM_DATA + 32;
		vm->s->gs.base = VM_DATA + 48;
		vm->s->ss.base = VM_DATA + 64;
		vm->s->es.sel = VM_DATA / 16;
		vm->s->ds.sel = VM_DATA / 16 + 1;
		vm->s->fs.sel = VM_DATA / 16 + 2;
		vm->s->gs.sel = VM_DATA / 16 + 3;
		vm->s->ss.sel = VM_DATA / 16 + 4;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax, 100);
		EXPECT_VM(vm, vm->s->rbx, 101);
		EXPECT_VM(vm, vm->s->rcx, 102);
		EXPECT_VM(vm, vm->s->rdx, 103);
		EXPECT_VM(vm, vm->s->rsi, 104);
		EXPECT_VM(vm, vm->s->rdi, mode == VM_16 ? 0 : VM_SEL_CODE);
	}
}

VM_CODE_ONE(segments64, ".code64", "mov %fs:0, %rax\n mov %gs:0, %rbx\n swapgs\n mov %gs:0, %rcx\n vmcall");

/* FS and GS bases in 64-bit mode, and SWAPGS with KERNEL_GS_BASE. */
static void segments_64(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &segments64);
	for (unsigned i = 0; i < 3; i++)
		*vm_u64(vm, VM_DATA + i * 8) = 200 + i;
	vm->s->fs.base = VM_DATA;
	vm->s->gs.base = VM_DATA + 8;
	vm->s->kernel_gs_base = VM_DATA + 16;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rax, 200);
	EXPECT_EQ(vm->s->rbx, 201);
	EXPECT_EQ(vm->s->rcx, 202);
	EXPECT_EQ(vm->s->gs.base, VM_DATA + 16);
	EXPECT_EQ(vm->s->kernel_gs_base, VM_DATA + 8);
}

VM_CODE(tables, "sgdt 0x6000\n sidt 0x6010\n lgdt 0x6020\n lidt 0x6030\n");

static void descriptor_tables(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &tables[mode]);
		vm->s->gdtr.limit = 0x1ff;
		vm->s->gdtr.base = 0x234567;
		*(volatile uint16_t *)(vm->ram + VM_DATA + 0x20) = 0x3ff;
		*vm_u32(vm, VM_DATA + 0x22) = 0x545450;
		*vm_u32(vm, VM_DATA + 0x26) = 0;
		*(volatile uint16_t *)(vm->ram + VM_DATA + 0x30) = 0x4ff;
		*vm_u32(vm, VM_DATA + 0x32) = 0x646460;
		*vm_u32(vm, VM_DATA + 0x36) = 0;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, *vm_u32(vm, VM_DATA) & 0xffff, 0x1ff);
		EXPECT_VM(vm, *vm_u32(vm, VM_DATA + 2) & 0xffffff, 0x234567);
		EXPECT_VM(vm, *vm_u32(vm, VM_DATA + 0x12) & 0xffffff, mode == VM_16 ? 0 : VM_IDT);
		EXPECT_VM(vm, vm->s->gdtr.limit, 0x3ff);
		EXPECT_VM(vm, vm->s->gdtr.base, 0x545450);
		EXPECT_VM(vm, vm->s->idtr.limit, 0x4ff);
		EXPECT_VM(vm, vm->s->idtr.base, 0x646460);
	}
}

VM_CODE(selectors,
	"movb $0x89, 0x201d\n str %ax\n sldt %bx\n mov $0x18, %ecx\n ltr %cx\n mov $0x30, %ecx\n lldt %cx\n");

static void ldtr_and_tr(void)
{
	struct vm *vm = vcpu_vm(0);

	for (enum vm_mode mode = VM_32; mode <= VM_64; mode++) {
		vm_start(vm, mode, &selectors[mode]);
		vm->s->tr.sel = 0x38;
		vm->s->ldtr = (struct utcb_seg){0x40, VMX_AR_LDT, 15, VM_GDT};
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax & 0xffff, 0x38);
		EXPECT_VM(vm, vm->s->rbx & 0xffff, 0x40);
		EXPECT_VM(vm, vm->s->tr.sel, VM_SEL_TSS);
		EXPECT_VM(vm, vm->s->tr.base, VM_TSS);
		EXPECT_VM(vm, vm->s->ldtr.sel, VM_SEL_LDT);
		EXPECT_VM(vm, vm->s->ldtr.base, VM_GDT);
		EXPECT_VM(vm, vm->s->ldtr.ar, VMX_AR_LDT);
	}
}

/* SYSENTER goes where the three registers say. */
VM_CODE(do_sysenter, "sysenter");

static void sysenter(void)
{
	struct vm *vm = vcpu_vm(0);

	/* AMD's processors have no SYSENTER in long mode. */
	for (enum vm_mode mode = VM_32; mode <= (rt_has_svm() ? VM_32 : VM_64); mode++) {
		vm_start(vm, mode, &do_sysenter[mode]);
		vm->s->sysenter_cs = VM_SEL_CODE;
		vm->s->sysenter_rip = vm_stub(0x77);
		vm->s->sysenter_rsp = 0x8880;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rip, vm_stub(0x77));
		EXPECT_VM(vm, vm->s->rsp, 0x8880);
		EXPECT_VM(vm, vm->s->cs.sel, VM_SEL_CODE);
		EXPECT_VM(vm, vm->s->ss.sel, VM_SEL_DATA);
	}
}

/* SYSCALL, with STAR, LSTAR and FMASK; the kernel's own system calls in between do not disturb them. */
VM_CODE_ONE(do_syscall, ".code64", "syscall");

static void syscall(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < 3; i++) {
		vm_start(vm, VM_64, &do_syscall);
		vm->s->efer |= 1;
		vm->s->star = (uint64_t)VM_SEL_CODE << 32;
		vm->s->lstar = vm_stub(0x70 + i);
		vm->s->fmask = 0x400;
		vm->s->rflags = 0x402 | 0x40;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_EQ(vm->s->rip, vm_stub(0x70 + i));
		EXPECT_EQ(vm->s->rcx, VM_CODE_AT + 2);
		EXPECT_EQ(vm->s->r11, 0x442);
		EXPECT_EQ(vm->s->rflags | (vcpu_svm_of_qemu() ? 0x40 : 0), 0x42); /* QEMU's SYSCALL clears ZF */
		EXPECT_EQ(vm->s->lstar, vm_stub(0x70 + i));
		EXPECT_EQ(vm->s->star, (uint64_t)VM_SEL_CODE << 32);
		EXPECT_EQ(vm->s->fmask, 0x400);
	}
}

VM_CODE(cr2, "mov %cr2, " R("ax") "\n mov $0x1234567, %ebx\n mov " R("bx") ", %cr2\n");

static void fault_address(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &cr2[mode]);
		vm->s->cr2 = mode == VM_64 ? 0x123456789abcde : 0x89abcde;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax, mode == VM_64 ? 0x123456789abcde : 0x89abcde);
		EXPECT_VM(vm, vm->s->cr2, 0x1234567);
		/* A page fault of this roottask in between changes the CPU's register, not the guest's. */
		EXPECT(!can_read(GUEST_NOTHING << 12));
		vm->s->rip = VM_CODE_AT;
		vm->mtd = MTD_RIP_LEN;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax, 0x1234567);
	}
}

/* DR7 is in the state; DR0 to DR3 and DR6 are the guest's own, and another guest's are others. */
VM_CODE(set_drs, "mov " R("ax") ", %db0\n add $8, " R("ax") "\n mov " R("ax") ", %db1\n add $8, " R("ax") "\n mov " R("ax") ", %db2\n add $8, " R("ax") "\n mov " R("ax") ", %db3\n mov $0xffff0ff1, %ebx\n mov " R(
			 "bx") ", %db6\n"
			       "mov %db7, " R("bx") "\n mov $0x401, %ecx\n mov " R(
				       "cx") ", %db7\n vmcall\n"
					     "mov %db0, " R("ax") "\n mov %db1, " R("cx") "\n mov %db2, " R(
						     "dx") "\n mov %db3, " R("bx") "\n mov %db6, " R("si") "\n");

static void debug_registers(void)
{
	struct vm *a = vcpu_vm(0), *b = vcpu_vm(1);
	struct vm *both[] = {a, b};

	FOR_MODES(mode)
	{
		for (unsigned i = 0; i < 2; i++) {
			vm_start(both[i], mode, &set_drs[mode]);
			both[i]->s->rax = 0x10000 * (i + 1);
			both[i]->s->dr7 = 0x700;
			ASSERT_EXIT(both[i], VMX_VMCALL);
			EXPECT_VM(both[i], both[i]->s->rbx, 0x700);
			EXPECT_VM(both[i], both[i]->s->dr7, 0x401);
		}
		for (unsigned i = 0; i < 2; i++) {
			vm_skip(both[i]);
			ASSERT_EXIT(both[i], VMX_VMCALL);
			EXPECT_VM(both[i], both[i]->s->rax, 0x10000 * (i + 1));
			EXPECT_VM(both[i], both[i]->s->rcx, 0x10000 * (i + 1) + 8);
			EXPECT_VM(both[i], both[i]->s->rdx, 0x10000 * (i + 1) + 16);
			EXPECT_VM(both[i], both[i]->s->rbx, 0x10000 * (i + 1) + 24);
			EXPECT_VM(both[i], both[i]->s->rsi & 0xf, 1);
		}
	}
}

/* Two guests do not see each other's registers or memory, one after the other on one CPU. */
static void two_guests(void)
{
	struct vm *a = vcpu_vm(0), *b = vcpu_vm(1);

	FOR_MODES(mode)
	{
		vm_start(a, mode, &change_gprs[mode]);
		vm_start(b, VM_MODES - 1 - mode, &change_gprs[VM_MODES - 1 - mode]);
		a->s->rbx = 1000;
		b->s->rbx = 2000;
		for (unsigned i = 1; i <= 20; i++) {
			ASSERT_EXIT(a, VMX_VMCALL);
			ASSERT_EXIT(b, VMX_VMCALL);
			EXPECT_VM(a, a->s->rbx, 1000 + 4 * i);
			EXPECT_VM(b, b->s->rbx, 2000 + 4 * i);
			a->s->rip = b->s->rip = VM_CODE_AT;
			a->mtd = b->mtd = MTD_RIP_LEN;
		}
	}
}

const struct test vcpu_guest_tests[] = {
	TEST(general_registers), TEST(rflags),          TEST(segment_registers), TEST(segments_64),
	TEST(descriptor_tables), TEST(ldtr_and_tr),     TEST(sysenter),          TEST(syscall),
	TEST(fault_address),     TEST(debug_registers), TEST(two_guests),        {},
};
