/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state page against the hardware, one group of the transfer descriptor at a time: what the VMM writes comes
 * back, what it does not select is not taken, and the page says everything after each run, whatever it said before.
 */
#include "vcpu_test.h"

#include "regs.h"
#include "rt/size.h"
#include "rt/string.h"

VM_CODE(nothing, "");

struct field {
	const char *name;
	uint64_t mtd;
	size_t offset, size;
	uint64_t values[VM_MODES]; /* another valid one than vm_start()'s; 0: not in this mode */
};

#define FIELD(group, f, ...)                                                                          \
	{                                                                                             \
#f, MTD_##group, offsetof(struct utcb_state, f), sizeof(((struct utcb_state *)0)->f), \
		{                                                                                     \
			__VA_ARGS__                                                                   \
		}                                                                                     \
	}
#define SAME(v) (v), (v), (v)

/* Registers that a guest doing nothing neither uses nor is disturbed by. */
static const struct field fields[] = {
	FIELD(GPR_ACDB, rax, SAME(0x1111222233334444)),
	FIELD(GPR_ACDB, rcx, SAME(0x8111222233334445)),
	FIELD(GPR_ACDB, rdx, SAME(0xffffffff33334446)),
	FIELD(GPR_ACDB, rbx, SAME(0x1111222233334447)),
	FIELD(GPR_BSD, rbp, SAME(0x1111222233334448)),
	FIELD(GPR_BSD, rsi, SAME(0x1111222233334449)),
	FIELD(GPR_BSD, rdi, SAME(0x111122223333444a)),
	FIELD(GPR_R8_R15, r8, SAME(0x2000000000000008)),
	FIELD(GPR_R8_R15, r9, SAME(0x2000000000000009)),
	FIELD(GPR_R8_R15, r10, SAME(0x200000000000000a)),
	FIELD(GPR_R8_R15, r11, SAME(0x200000000000000b)),
	FIELD(GPR_R8_R15, r12, SAME(0x200000000000000c)),
	FIELD(GPR_R8_R15, r13, SAME(0x200000000000000d)),
	FIELD(GPR_R8_R15, r14, SAME(0x200000000000000e)),
	FIELD(GPR_R8_R15, r15, SAME(0x200000000000000f)),
	FIELD(RSP, rsp, SAME(0x8800)),
	FIELD(RIP_LEN, rip, SAME(VM_CODE_AT + 3)),
	FIELD(RFLAGS, rflags, SAME(0xcd7)), /* all arithmetic flags, direction */
	FIELD(DS_ES, ds.sel, 0, 0x13, 0x13),
	FIELD(DS_ES, ds.base, 0, 0x12345000, 0x12345000),
	FIELD(DS_ES, ds.limit, 0, 0xfffff, 0xfffff),
	FIELD(DS_ES, es.base, 0, 0x22345000, 0x22345000),
	FIELD(FS_GS, fs.base, 0, 0x32345000, 0x7f1232345000),
	FIELD(FS_GS, gs.base, 0, 0x42345000, 0xffff812342345000),
	FIELD(FS_GS, gs.sel, 0, 0x10 | 4, 0x10 | 4),
	FIELD(CS_SS, cs.sel, 0, 0x48, 0x48),
	FIELD(CS_SS, ss.base, 0, 0x52345000, 0x52345000),
	FIELD(TR, tr.base, 0x5000, 0x62345000, 0xffff812362345000),
	FIELD(TR, tr.limit, 0x80, 0x80, 0x80),
	FIELD(TR, tr.sel, 0x38, 0x38, 0x38),
	FIELD(LDTR, ldtr.sel, SAME(0x58)),
	FIELD(GDTR, gdtr.base, 0x72345000, 0x72345000, 0xffff812372345000),
	FIELD(GDTR, gdtr.limit, SAME(0x1237)),
	FIELD(IDTR, idtr.base, 0x82345000, 0x82345000, 0xffff812382345000),
	FIELD(IDTR, idtr.limit, SAME(0x237)),
	FIELD(CR, cr0, 0x38, 0x39, 0x80000039), /* TS */
	FIELD(CR, cr2, SAME(0x123456789abcdef0)),
	FIELD(CR, cr3, 0x13000, 0x13000, 0),
	FIELD(CR, cr4, 0x40608, 0x40608, 0x40628), /* DE */
	FIELD(CR, xcr0, SAME(1)),
	FIELD(DR, dr7, SAME(0x10400 | 0x0)),
	FIELD(SYSENTER, sysenter_cs, SAME(0x98)),
	FIELD(SYSENTER, sysenter_rsp, SAME(0xffff812392345000)),
	FIELD(SYSENTER, sysenter_rip, SAME(0xffff8123a2345000)),
	FIELD(STA, intr_state, SAME(VMX_BLOCKED_NMI)),
	FIELD(TSC, tsc_off, SAME(0x123456789a)),
	FIELD(TSC, tsc_aux, SAME(0x87654321)),
	FIELD(EFER_PAT, pat, SAME(0x0606060606060606)),
	FIELD(EFER_PAT, efer, 0x801, 0x801, 0xd01), /* NXE, SCE */
	FIELD(SYSCALL_SWAPGS, star, SAME(0x123456789abcdef0)),
	FIELD(SYSCALL_SWAPGS, lstar, SAME(0xffff8123b2345000)),
	FIELD(SYSCALL_SWAPGS, fmask, SAME(0x47700)),
	FIELD(SYSCALL_SWAPGS, kernel_gs_base, SAME(0x7123c2345000)),
};

static uint64_t get(const struct utcb_state *s, const struct field *f)
{
	uint64_t v = 0;

	memcpy(&v, (const uint8_t *)s + f->offset, f->size);
	return v;
}

static void put(struct utcb_state *s, const struct field *f, uint64_t v)
{
	memcpy((uint8_t *)s + f->offset, &v, f->size);
}

static void expect_field(struct vm *vm, const struct field *f, uint64_t want, const char *when)
{
	uint64_t mask = f->size == 8 ? ~0ul : (1ul << f->size * 8) - 1;

	if (get(vm->s, f) != (want & mask))
		test_fail(__FILE__, __LINE__, "%s bits, %s: %s is %#lx instead of %#lx", vm_mode_name(vm->mode), when,
			  f->name, get(vm->s, f), want & mask);
}

/* A run of any result but a failed entry. */
static void run_any(struct vm *vm, const struct field *f)
{
	ASSERT_OK(vm_run(vm));
	guest_alive();
	if (vm->s->exit_reason != VMX_VMCALL) {
		test_fail(__FILE__, __LINE__, "%s bits, %s: exit %#x", vm_mode_name(vm->mode), f->name,
			  vm->s->exit_reason);
		guest_leave();
	}
}

/* Written and selected: comes back, also in later runs, and when the page is full of rubbish. */
static void one_comes_back(struct vm *vm, const struct field *f, uint64_t value)
{
	vm_start(vm, vm->mode, &nothing[vm->mode]);
	run_any(vm, f);
	put(vm->s, f, value);
	vm->mtd = f->mtd;
	run_any(vm, f);
	expect_field(vm, f, value, "selected");
	vcpu_scribble(vm);
	run_any(vm, f);
	expect_field(vm, f, value, "in the next run");
}

/* Written, but not selected: overwritten with the old value. */
static void one_is_ignored(struct vm *vm, const struct field *f, uint64_t value)
{
	uint64_t old;

	vm_start(vm, vm->mode, &nothing[vm->mode]);
	run_any(vm, f);
	old = get(vm->s, f);
	put(vm->s, f, value);
	run_any(vm, f);
	expect_field(vm, f, old, "not selected");
}

static void each(void (*fn)(struct vm *, const struct field *, uint64_t))
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(fields); i++)
		FOR_MODES(mode)
		{
			vm->mode = mode;
			if (fields[i].values[mode])
				fn(vm, &fields[i], fields[i].values[mode]);
		}
}

static void selected_comes_back(void)
{
	each(one_comes_back);
}
static void unselected_is_ignored(void)
{
	each(one_is_ignored);
}

/* All at once, against vm_start()'s values: no field is mixed up with another. */
static void whole_state(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &nothing[mode]);
		for (unsigned i = 0; i < RT_ARRAY(fields); i++)
			if (fields[i].values[mode] && fields[i].offset != offsetof(struct utcb_state, cr3))
				put(vm->s, &fields[i], fields[i].values[mode]);
		ASSERT_EXIT(vm, VMX_VMCALL);
		for (unsigned i = 0; i < RT_ARRAY(fields); i++)
			if (fields[i].values[mode] && fields[i].offset != offsetof(struct utcb_state, cr3))
				expect_field(vm, &fields[i], fields[i].values[mode], "all together");
	}
}

/* What no run writes. */
static void left_alone(void)
{
	struct vm *vm = vcpu_vm(0);
	struct utcb_state *s = vm->s;

	FOR_MODES(mode)
	{
		ASSERT_FIRST_EXIT(vm, mode, nothing, VMX_VMCALL);
		s->ctrl[0] = 0x11111111;
		s->ctrl[1] = 0x22222222;
		s->exc_bitmap = 0x33333333;
		s->cr0_mon = 0x44;
		s->cr4_mon = 0x55;
		s->cr8 = 0x66;
		s->tpr_threshold = 0x77;
		s->vintr_status = 0x88;
		for (unsigned i = 0; i < 4; i++)
			s->eoi_bitmap[i] = i + 1;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, s->ctrl[0], 0x11111111);
		EXPECT_VM(vm, s->ctrl[1], 0x22222222);
		EXPECT_VM(vm, s->exc_bitmap, 0x33333333);
		EXPECT_VM(vm, s->cr0_mon, 0x44);
		EXPECT_VM(vm, s->cr4_mon, 0x55);
		EXPECT_VM(vm, s->cr8, 0x66);
		EXPECT_VM(vm, s->tpr_threshold, 0x77);
		EXPECT_VM(vm, s->vintr_status, 0x88);
		for (unsigned i = 0; i < 4; i++)
			EXPECT_VM(vm, s->eoi_bitmap[i], i + 1);
	}
}

/* Selector and rights of GDTR and IDTR are 0; segments come back with the rights they were given. */
static void descriptors(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		static const uint16_t code[] = {VMX_AR_CODE16, VMX_AR_CODE32, VMX_AR_CODE64};
		uint16_t data = mode == VM_16 ? VMX_AR_DATA16 : VMX_AR_DATA32;

		vm_start(vm, mode, &nothing[mode]);
		vm->s->gdtr.sel = vm->s->gdtr.ar = vm->s->idtr.sel = vm->s->idtr.ar = 0xffff;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->gdtr.sel | vm->s->gdtr.ar | vm->s->idtr.sel | vm->s->idtr.ar, 0);
		if (mode != VM_16) /* in real mode a processor may take CS for data */
			EXPECT_VM(vm, vm->s->cs.ar, code[mode]);
		EXPECT_VM(vm, vm->s->ss.ar, data);
		EXPECT_VM(vm, vm->s->ds.ar, data);
		EXPECT_VM(vm, vm->s->gs.ar, data);
		EXPECT_VM(vm, vm->s->tr.ar, VMX_AR_TSS);
		EXPECT_VM(vm, vm->s->ldtr.ar & VMX_AR_UNUSABLE, VMX_AR_UNUSABLE);
		vm->s->ldtr = (struct utcb_seg){VM_SEL_LDT, VMX_AR_LDT, 103, VM_GDT};
		vm->s->fs.ar = VMX_AR_UNUSABLE;
		vm->mtd = MTD_LDTR | (mode == VM_16 ? 0 : MTD_FS_GS);
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->ldtr.ar, VMX_AR_LDT);
		EXPECT_VM(vm, vm->s->ldtr.sel, VM_SEL_LDT);
		if (mode != VM_16)
			EXPECT_VM(vm, vm->s->fs.ar & VMX_AR_UNUSABLE, VMX_AR_UNUSABLE);
	}
}

/* PDPTEs belong to the state in PAE mode. */
static void pdptes(void)
{
	struct vm *vm = vcpu_vm(0);

	NEED_VMX("AMD's processors find them in memory");
	vm_start(vm, VM_32, &nothing[VM_32]);
	vm->s->cr0 |= 0x80000000;
	vm->s->cr4 |= 0x20;
	for (unsigned i = 0; i < 4; i++)
		vm->s->pdpte[i] = (VM_TABLES + 2 * RT_PAGE) | 1;
	vm->s->pdpte[2] = 0;
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->pdpte[0], (VM_TABLES + 2 * RT_PAGE) | 1);
	EXPECT_EQ(vm->s->pdpte[2], 0);
	vcpu_scribble(vm);
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT_EQ(vm->s->pdpte[1], (VM_TABLES + 2 * RT_PAGE) | 1);
	EXPECT_EQ(vm->s->pdpte[3], (VM_TABLES + 2 * RT_PAGE) | 1);
}

/* Bits that were selected in runs without an attempt to enter are not forgotten. */
static void bits_accumulate(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		ASSERT_FIRST_EXIT(vm, mode, nothing, VMX_VMCALL);
		vm->s->rbx = 0x1234;
		vm->s->r9 = 0x5678;
		vm->s->exit_reason = 77;
		ASSERT_OK(hc_vcpu_poke(vm->vcpu.sel));
		vm->mtd = MTD_GPR_ACDB;
		ASSERT_EXIT(vm, VMX_POKED);
		EXPECT_VM(vm, vm->s->rbx, 0x1234);
		vm->s->rcx = 0x9abc;
		vm->mtd = MTD_GPR_R8_R15;
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT_VM(vm, vm->s->rbx, 0x1234);
		EXPECT_VM(vm, vm->s->rcx, 0x9abc);
		EXPECT_VM(vm, vm->s->r9, 0x5678);
	}
}

/* A run that was poked before entry writes the exit reason, nothing else. */
static void poked_writes_reason_only(void)
{
	struct vm *vm = vcpu_vm(0);
	static struct utcb_state before;

	ASSERT_FIRST_EXIT(vm, VM_64, nothing, VMX_VMCALL);
	vcpu_scribble(vm);
	before = *vm->s;
	before.exit_reason = VMX_POKED;
	ASSERT_OK(hc_vcpu_poke(vm->vcpu.sel));
	ASSERT_OK(hc_vcpu_poke(vm->vcpu.sel)); /* a flag, no count */
	ASSERT_EXIT(vm, VMX_POKED);
	EXPECT(!memcmp(&before, vm->s, sizeof(before)));
	ASSERT_EXIT(vm, VMX_VMCALL);
}

/* The VMM's selectors are null after a run, whatever they and the guest's were; its bases are its own. */
static void selectors_of_the_vmm(void)
{
	struct vm *vm = vcpu_vm(0);
	unsigned ds, es, fs, gs;
	unsigned long fs_base, gs_base;

	vm_start(vm, VM_64, &nothing[VM_64]);
	vm->s->ds.sel = vm->s->es.sel = vm->s->fs.sel = vm->s->gs.sel = 0x13;
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0x23));
	__asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(0x123456000ul), "r"(0x654321000ul));
	ASSERT_EXIT(vm, VMX_VMCALL);
	__asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	__asm__ volatile("rdfsbase %0; rdgsbase %1" : "=r"(fs_base), "=r"(gs_base));
	__asm__ volatile("wrfsbase %0; wrgsbase %0" : : "r"(0ul));
	EXPECT_EQ(ds | es | fs | gs, 0);
	EXPECT_EQ(fs_base, 0x123456000);
	EXPECT_EQ(gs_base, 0x654321000);
}

/*
 * After exits that have nothing to be switched the processor may keep what it has of the state (AMD's clean bits),
 * but not what the VMM changes then. Emulators always read everything; a kernel with assertions looks by itself.
 */
VM_CODE(exits_only, "cpuid");

static void changed_between_plain_exits(void)
{
	static const struct {
		uint64_t mtd;
		size_t at;
		uint64_t value;
	} changes[] = {
		{MTD_CR, offsetof(struct utcb_state, cr2), 0x123000},
		{MTD_GDTR, offsetof(struct utcb_state, gdtr.base), VM_DATA},
		{MTD_IDTR, offsetof(struct utcb_state, idtr.base), VM_DATA},
		{MTD_DS_ES, offsetof(struct utcb_state, ds.base), VM_DATA},
		{MTD_EFER_PAT, offsetof(struct utcb_state, pat), 0x0606060606060606},
	};
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &exits_only[VM_64]);
	vm->s->tsc_timeout = ~0ul;
	vm->s->xcr0 = xarea_features();
	ASSERT_EXIT(vm, VMX_CPUID);
	for (unsigned i = 0; i < RT_ARRAY(changes); i++) {
		uint64_t *field = (uint64_t *)((uint8_t *)vm->s + changes[i].at);

		ASSERT_EXIT(vm, VMX_CPUID);
		*field = changes[i].value;
		vm->mtd = changes[i].mtd;
		ASSERT_EXIT(vm, VMX_CPUID);
		EXPECT_VM(vm, *field, changes[i].value);
	}
}

const struct test vcpu_state_tests[] = {
	TEST(selected_comes_back),
	TEST(unselected_is_ignored),
	TEST(whole_state),
	TEST(left_alone),
	TEST(descriptors),
	TEST(pdptes),
	TEST(bits_accumulate),
	TEST(poked_writes_reason_only),
	TEST(selectors_of_the_vmm),
	TEST(changed_between_plain_exits),
	{},
};
