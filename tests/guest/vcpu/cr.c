/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control registers: what the guest reads is what it wrote, bits the kernel owns exit when they would change, bits of
 * the masks exit as well, all others are the guest's.
 */
#include "vcpu_test.h"

#include "rt/size.h"
#include "rt/string.h"

#define R(name) VM_REG(name)

enum { CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_NE = 32, CR0_WP = 0x10000, CR0_AM = 0x40000 };
#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u
#define CR0_PG 0x80000000u
enum {
	CR4_TSD = 4,
	CR4_DE = 8,
	CR4_PSE = 16,
	CR4_PAE = 32,
	CR4_MCE = 64,
	CR4_PGE = 128,
	CR4_VMXE = 0x2000,
	CR4_OSXSAVE = 0x40000
};
enum { QUAL_MOV_TO, QUAL_MOV_FROM, QUAL_CLTS, QUAL_LMSW };

VM_CODE(write_cr0, "mov " R("bx") ", %cr0\n mov %cr0, " R("ax") "\n");
VM_CODE(write_cr4, "mov " R("bx") ", %cr4\n mov %cr4, " R("ax") "\n");
VM_CODE(read_both, "mov %cr0, " R("ax") "\n mov %cr4, " R("cx") "\n smsw %edx\n");

static void with_rbx(struct vm *vm, enum vm_mode mode, const struct vm_code *code, uint64_t rbx)
{
	vm_start(vm, mode, &code[mode]);
	vm->s->rbx = rbx;
}

/* The guest's values through the shadows, host-owned bits included. */
static void reads_what_was_set(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		uint64_t cr0, cr4;

		vm_start(vm, mode, &read_both[mode]);
		vm->s->cr0 = (vm->s->cr0 & ~(uint64_t)CR0_NE) | CR0_CD | CR0_NW | CR0_TS;
		vm->s->cr4 |= CR4_DE;
		cr0 = vm->s->cr0;
		cr4 = vm->s->cr4;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax, cr0);
		EXPECT_VM(vm, vm->s->rcx, cr4); /* no VMXE in it */
		EXPECT_VM(vm, vm->s->rdx & 0xffff, cr0 & 0xffff);
		EXPECT_VM(vm, vm->s->cr0, cr0);
		EXPECT_VM(vm, vm->s->cr4, cr4);
	}
}

/* Bits that belong to the guest: written without an exit. */
static void guest_owns(void)
{
	static const uint64_t cr0_bits[] = {CR0_MP, CR0_TS, CR0_WP, CR0_AM},
			      cr4_bits[] = {CR4_TSD, CR4_DE, CR4_PGE, CR4_MCE};
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		for (unsigned i = 0; i < RT_ARRAY(cr0_bits); i++) {
			uint64_t want;

			vm_start(vm, mode, &write_cr0[mode]);
			want = vm->s->rbx = vm->s->cr0 | cr0_bits[i];
			ASSERT_EXIT(vm, VMX_VMCALL);
			EXPECT_VM(vm, vm->s->rax, want);
			EXPECT_VM(vm, vm->s->cr0, want);
		}
		for (unsigned i = 0; i < RT_ARRAY(cr4_bits); i++) {
			uint64_t want;

			vm_start(vm, mode, &write_cr4[mode]);
			want = vm->s->rbx = vm->s->cr4 | cr4_bits[i];
			ASSERT_EXIT(vm, VMX_VMCALL);
			EXPECT_VM(vm, vm->s->rax, want);
			EXPECT_VM(vm, vm->s->cr4, want);
		}
	}
}

static void expect_cr_exit(struct vm *vm, unsigned number, unsigned access, unsigned reg)
{
	ASSERT_EXIT(vm, VMX_CR);
	EXPECT_VM(vm, vm->s->qual[0] & 0xf3f, number | access << 4 | reg << 8);
}

/* Bits that do not: the write exits, nothing has changed, and the VMM decides. */
static void host_owns(void)
{
	static const uint64_t cr0_bits[] = {CR0_NE, CR0_CD, CR0_CD | CR0_NW};
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		for (unsigned i = rt_has_svm(); i < RT_ARRAY(cr0_bits); i++) { /* NE is VMX's */
			uint64_t old, want;

			vm_start(vm, mode, &write_cr0[mode]);
			old = vm->s->cr0;
			want = vm->s->rbx = old ^ cr0_bits[i];
			expect_cr_exit(vm, 0, QUAL_MOV_TO, 3);
			EXPECT_VM(vm, vm->s->cr0, old);
			vm->s->cr0 = want;
			vm->mtd = MTD_CR;
			vm_skip(vm);
			ASSERT_EXIT(vm, VMX_VMCALL);
			EXPECT_VM(vm, vm->s->rax, want);
			EXPECT_VM(vm, vm->s->cr0, want);
		}
		vm_start(vm, mode, &write_cr4[mode]);
		vm->s->rbx = vm->s->cr4 | CR4_VMXE;
		expect_cr_exit(vm, 4, QUAL_MOV_TO, 3);
		EXPECT_VM(vm, vm->s->cr4 & CR4_VMXE, 0);
		vm->s->cr4 |= CR4_VMXE;
		vm->mtd = MTD_CR;
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax & CR4_VMXE, CR4_VMXE);
	}
}

/* The masks: those bits exit, others do not, and without the masks they do not either. */
static void monitored(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		for (unsigned on = 0; on < 2; on++) {
			with_rbx(vm, mode, write_cr0, 0);
			vm->s->cr0_mon = on ? CR0_TS : 0;
			vm->s->rbx = vm->s->cr0 | CR0_TS | CR0_MP;
			if (on)
				expect_cr_exit(vm, 0, QUAL_MOV_TO, 3);
			else
				ASSERT_EXIT(vm, VMX_VMCALL);
			with_rbx(vm, mode, write_cr0, 0);
			vm->s->cr0_mon = on ? CR0_TS : 0;
			vm->s->rbx = vm->s->cr0 | CR0_MP;
			ASSERT_EXIT(vm, VMX_VMCALL);
			with_rbx(vm, mode, write_cr4, 0);
			vm->s->cr4_mon = on ? CR4_TSD : 0;
			vm->s->rbx = vm->s->cr4 | CR4_TSD;
			if (on)
				expect_cr_exit(vm, 4, QUAL_MOV_TO, 3);
			else
				ASSERT_EXIT(vm, VMX_VMCALL);
		}
	}
}

/* A mask that is set while the bit is 1 shows the guest its 1, and the write of a 0 exits. */
static void monitored_later(void)
{
	struct vm *vm = vcpu_vm(0);
	uint64_t with_ts;

	vm_start(vm, VM_32, &write_cr0[VM_32]);
	with_ts = vm->s->rbx = vm->s->cr0 | CR0_TS;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->cr0, with_ts);
	vm->s->cr0_mon = CR0_TS;
	vm->s->rip = VM_CODE_AT;
	vm->s->rbx = with_ts | CR0_MP;
	vm->mtd = MTD_CTRL | MTD_RIP_LEN | MTD_GPR_ACDB;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rax, with_ts | CR0_MP);
	vm->s->rip = VM_CODE_AT;
	vm->s->rbx = with_ts & ~(uint64_t)CR0_TS;
	vm->mtd = MTD_RIP_LEN | MTD_GPR_ACDB;
	expect_cr_exit(vm, 0, QUAL_MOV_TO, 3);
	EXPECT_EQ(vm->s->cr0, with_ts | CR0_MP);
}

VM_CODE(do_clts, "clts");
VM_CODE(do_lmsw, "mov $0x0f, %eax\n lmsw %ax");

static void clts_and_lmsw(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &do_clts[mode]);
		vm->s->cr0 |= CR0_TS;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->cr0 & CR0_TS, 0);
		vm_start(vm, mode, &do_clts[mode]);
		vm->s->cr0 |= CR0_TS;
		vm->s->cr0_mon = CR0_TS;
		ASSERT_EXIT(vm, VMX_CR);
		EXPECT_VM(vm, vm->s->qual[0] >> 4 & 3, QUAL_CLTS);
		vm_start(vm, mode, &do_lmsw[mode]);
		vm->s->cr0_mon = CR0_TS;
		ASSERT_EXIT(vm, VMX_CR);
		EXPECT_VM(vm, vm->s->qual[0] >> 4 & 3, QUAL_LMSW);
		EXPECT_VM(vm, vm->s->qual[0] >> 16 & 0xffff, 0x0f);
	}
}

/* The guest turns protection and long mode on by itself, EFER apart, which is an MSR that exits. */
VM_CODE_ONE(go_long, ".code16",
	    "mov %cr4, %eax\n or $0x20, %eax\n mov %eax, %cr4\n mov $0x10000, %eax\n mov %eax, %cr3\n"
	    "mov $0xc0000080, %ecx\n rdmsr\n or $0x100, %eax\n wrmsr\n"
	    "mov %cr0, %eax\n or $0x80000001, %eax\n mov %eax, %cr0\n"
	    "ljmp $8, $0x1000 + 1f - go_long_one\n .code64\n 1: mov $0x123456789a, %rbx\n vmcall\n");

static void long_mode_by_the_guest(void)
{
	enum { EFER = 0xc0000080u };
	struct vm *vm = vcpu_vm(0);
	uint64_t *gdt = (uint64_t *)(vm->ram + VM_GDT);
	struct vm_code code = go_long;

	vm_start(vm, VM_16, &code);
	gdt[VM_SEL_CODE / 8] = 0x00af9b000000ffff;
	ASSERT_EXIT(vm, VMX_RDMSR);
	EXPECT_EQ((uint32_t)vm->s->rcx, EFER);
	vm->s->rax = vm->s->efer;
	vm->s->rdx = 0;
	vm->mtd = MTD_GPR_ACDB;
	vm_skip(vm);
	ASSERT_EXIT(vm, VMX_WRMSR);
	EXPECT_EQ(vm->s->rax & 0xffffffff, 0x100);
	vm->s->efer = 0x100;
	vm->mtd = MTD_EFER_PAT;
	vm_skip(vm);
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rbx, 0x123456789a);
	EXPECT_EQ(vm->s->efer, 0x500);
	EXPECT_EQ(vm->s->cs.ar, VMX_AR_CODE64);
	EXPECT_EQ(vm->s->cr0 & (CR0_PG | 1), CR0_PG | 1);
	/* And the VMM may put it back: the entry follows LMA. */
	vm_start(vm, VM_32, &read_both[VM_32]);
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->efer, 0);
}

/*
 * A guest that turns long mode on in another order than most: LME before PAE. It exits in between, and the kernel and
 * its VMM live on; without PAE it gets no paging.
 */
VM_CODE_ONE(long_before_pae, ".code32",
	    "vmcall\n mov %cr0, %eax\n mov %eax, %ebx\n or $0x80000000, %eax\n mov %eax, %cr0\n vmcall\n");

static void long_mode_before_pae(void)
{
	enum { LME = 0x100 };
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_32, &long_before_pae);
	vm->s->efer = LME;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->efer, LME);
	EXPECT_EQ(vm->s->cr4 & CR4_PAE, 0);
	EXPECT_EQ(vm->s->cr0 & CR0_PG, 0);
	vm->s->exc_bitmap = 1u << 13;
	vm->mtd = MTD_CTRL;
	vm_skip(vm);
	ASSERT_EXIT(vm, VMX_EXCEPTION);
	EXPECT_EQ(vm->s->intr_info & 0xff, 13);
	EXPECT_EQ(vm->s->efer, LME);
	EXPECT_EQ(vm->s->cr0 & CR0_PG, 0);
}

/* CR4.MCE is on for the kernel's sake, which nobody can tell: from whichever register the guest writes, back and
 * forth, together with a bit that is the VMM's, or monitored. */
VM_CODE(mce_twice, "mov " R("bx") ", %cr4\n mov %cr4, " R("ax") "\n mov " R("cx") ", " R(
			   "sp") "\n"
				 "mov " R("sp") ", %cr4\n mov %cr4, " R("dx") "\n");
VM_CODE_ONE(mce_high, ".code64", "mov %r9, %cr4\n mov %cr4, %r10\n mov %r15, %cr4\n mov %cr4, %r11\n vmcall");

static void machine_checks(void)
{
	struct vm *vm = vcpu_vm(0);
	uint64_t cr4;

	FOR_MODES(mode)
	{
		with_rbx(vm, mode, mce_twice, 0);
		cr4 = vm->s->rcx = vm->s->cr4;
		vm->s->rbx = cr4 | CR4_MCE;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax, cr4 | CR4_MCE);
		EXPECT_VM(vm, vm->s->rdx, cr4);
		EXPECT_VM(vm, vm->s->cr4, cr4);
		with_rbx(vm, mode, write_cr4, 0);
		vm->s->rbx = cr4 | CR4_MCE | CR4_VMXE;
		expect_cr_exit(vm, 4, QUAL_MOV_TO, 3);
		vm->s->cr4 = vm->s->rbx;
		vm->mtd = MTD_CR;
		vm_skip(vm);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rax, cr4 | CR4_MCE | CR4_VMXE);
		with_rbx(vm, mode, write_cr4, cr4 | CR4_MCE);
		vm->s->cr4_mon = CR4_MCE;
		expect_cr_exit(vm, 4, QUAL_MOV_TO, 3);
		EXPECT_VM(vm, vm->s->cr4, cr4);
	}
	vm_start(vm, VM_64, &mce_high);
	cr4 = vm->s->r15 = vm->s->cr4;
	vm->s->r9 = cr4 | CR4_MCE;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->r10, cr4 | CR4_MCE);
	EXPECT_EQ(vm->s->r11, cr4);
}

/* 32-bit paging and PAE: the guest's tables are used, and CR3 is its own. */
VM_CODE_ONE(paging, ".code32",
	    "mov 0x400000, %eax\n mov $0x15000, %ebx\n mov %ebx, %cr3\n mov 0x400000, %ecx\n vmcall\n");

static void paging_32(void)
{
	enum {
		DIR_A = 0x14000,
		DIR_B = 0x15000,
		TABLE_A = 0x16000,
		TABLE_B = 0x17000,
		FRAME_A = 0x18000,
		FRAME_B = 0x19000
	};
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_32, &paging);
	for (unsigned i = 0; i < 2; i++) {
		unsigned dir = i ? DIR_B : DIR_A, table = i ? TABLE_B : TABLE_A, frame = i ? FRAME_B : FRAME_A;

		*vm_u32(vm, dir) = 0x83; /* 4 MiB at their own addresses */
		*vm_u32(vm, dir + 4) = table | 3;
		*vm_u32(vm, table) = frame | 3;
		*vm_u32(vm, frame) = 0xa0 + i;
	}
	vm->s->cr0 |= CR0_PG;
	vm->s->cr4 |= CR4_PSE;
	vm->s->cr3 = DIR_A;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rax, 0xa0);
	EXPECT_EQ(vm->s->rcx, 0xa1);
	EXPECT_EQ(vm->s->cr3, DIR_B);
}

VM_CODE_ONE(pae, ".code32", "mov $0x14000, %eax\n mov %eax, %cr3\n mov 0x40000000, %ecx\n vmcall\n");

static void paging_pae(void)
{
	enum { NEW_PDPT = 0x14000, DIR = VM_TABLES + 0x2000 };
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_32, &pae);
	*vm_u32(vm, VM_DATA) = 0;
	memset(vm->ram + NEW_PDPT, 0, 32);
	*vm_u64(vm, NEW_PDPT) = DIR | 1;
	*vm_u64(vm, NEW_PDPT + 8) = DIR | 1; /* the second GiB shows the first */
	*vm_u32(vm, 0) = 0x5555aaaa;
	vm->s->cr0 |= CR0_PG;
	vm->s->cr4 |= CR4_PAE;
	vm->s->pdpte[0] = *vm_u64(vm, VM_TABLES) = DIR | 1; /* AMD's processors find it in memory */
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->rcx, 0x5555aaaa);
	EXPECT_EQ(vm->s->cr3, NEW_PDPT);
	if (!rt_has_svm())
		EXPECT_EQ(vm->s->pdpte[1] & ~0xffful, DIR);
}

const struct test vcpu_cr_tests[] = {
	TEST(reads_what_was_set),
	TEST(guest_owns),
	TEST(machine_checks),
	TEST(host_owns),
	TEST(monitored),
	TEST(monitored_later),
	TEST(clts_and_lmsw),
	TEST(long_mode_by_the_guest),
	TEST(long_mode_before_pae),
	TEST(paging_32),
	TEST(paging_pae),
	{},
};
