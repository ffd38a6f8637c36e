/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The extension: a run that brings back only what ARG3 names. What is not named keeps its old value in the page. */
#include "vcpu_test.h"

#include "rt/size.h"
#include "rt/string.h"

VM_CODE(change, "add $1, %eax\n add $2, %ebp\n stc\n cpuid");

/* Groups, and where they are in the page. */
static const struct {
	uint64_t mtd;
	size_t from, to; /* offsets */
} groups[] = {
	{MTD_GPR_ACDB, offsetof(struct utcb_state, rax), offsetof(struct utcb_state, rsp)},
	{MTD_GPR_BSD, offsetof(struct utcb_state, rbp), offsetof(struct utcb_state, r8)},
	{MTD_RSP, offsetof(struct utcb_state, rsp), offsetof(struct utcb_state, rbp)},
	{MTD_GPR_R8_R15, offsetof(struct utcb_state, r8), offsetof(struct utcb_state, qual)},
	{MTD_RFLAGS, offsetof(struct utcb_state, rflags), offsetof(struct utcb_state, intr_state)},
	{MTD_STA, offsetof(struct utcb_state, intr_state), offsetof(struct utcb_state, intr_info)},
	{MTD_INJ, offsetof(struct utcb_state, intr_info), offsetof(struct utcb_state, rax)},
	{MTD_CR, offsetof(struct utcb_state, xcr0), offsetof(struct utcb_state, pdpte)},
	{MTD_DR, offsetof(struct utcb_state, dr7), offsetof(struct utcb_state, sysenter_cs)},
	{MTD_SYSENTER, offsetof(struct utcb_state, sysenter_cs), offsetof(struct utcb_state, es)},
	{MTD_EFER_PAT, offsetof(struct utcb_state, efer), offsetof(struct utcb_state, star)},
	{MTD_SYSCALL_SWAPGS, offsetof(struct utcb_state, star), offsetof(struct utcb_state, dr7)},
	{MTD_CS_SS, offsetof(struct utcb_state, cs), offsetof(struct utcb_state, ds)},
	{MTD_FS_GS, offsetof(struct utcb_state, fs), offsetof(struct utcb_state, ldtr)},
	{MTD_LDTR, offsetof(struct utcb_state, ldtr), offsetof(struct utcb_state, tr)},
	{MTD_TR, offsetof(struct utcb_state, tr), offsetof(struct utcb_state, gdtr)},
	{MTD_GDTR, offsetof(struct utcb_state, gdtr), offsetof(struct utcb_state, idtr)},
	{MTD_IDTR, offsetof(struct utcb_state, idtr), offsetof(struct utcb_state, tsc_val)},
	{MTD_TSC_TIMEOUT, offsetof(struct utcb_state, tsc_timeout), offsetof(struct utcb_state, exit_reason)},
};

static bool changed(const struct utcb_state *a, const struct utcb_state *b, size_t from, size_t to)
{
	return memcmp((const uint8_t *)a + from, (const uint8_t *)b + from, to - from);
}

static void need_extension(void)
{
	if (!rt_has_vcpu_partial()) {
		test_skip("this kernel has no partial runs");
		guest_leave();
	}
}

static void run_partial(struct vm *vm, uint64_t back, unsigned reason)
{
	ASSERT_OK(hc_vcpu_run_partial(vm->vcpu.sel, vm->mtd, back));
	guest_alive();
	vm->mtd = 0;
	if (!EXPECT_EQ(vm->s->exit_reason, reason))
		guest_leave();
}

/* Each group alone: it comes, and so do reason, RIP, length and qualification; no other group does. */
static void each_group(void)
{
	static struct utcb_state before;
	struct vm *vm = vcpu_vm(0);

	need_extension();
	FOR_MODES(mode)
	for (unsigned i = 0; i < RT_ARRAY(groups); i++) {
		uint64_t end = VM_CODE_AT + (uint64_t)(change[mode].end - change[mode].start);

		vm_start(vm, mode, &change[mode]);
		ASSERT_EXIT(vm, VMX_CPUID);
		vcpu_scribble(vm);
		vm->mtd = 0;
		before = *vm->s;
		run_partial(vm, groups[i].mtd, VMX_CPUID);
		EXPECT_VM(vm, vm->s->rip, end - 2);
		EXPECT_VM(vm, vm->s->inst_len, 2);
		EXPECT_VM(vm, vm->s->qual[0], 0);
		for (unsigned g = 0; g < RT_ARRAY(groups); g++)
			if (changed(&before, vm->s, groups[g].from, groups[g].to) != (g == i))
				test_fail(__FILE__, __LINE__, "%s bits: asked for group %#lx, group %#lx %s",
					  vm_mode_name(mode), groups[i].mtd, groups[g].mtd,
					  g == i ? "did not come" : "came");
	}
}

/* What did not come is not lost: it is in the vCPU, and comes with a later run. */
static void later(void)
{
	struct vm *vm = vcpu_vm(0);

	need_extension();
	FOR_MODES(mode)
	{
		vm_start(vm, mode, &change[mode]);
		vm->s->rbp = 40;
		run_partial(vm, 0, VMX_CPUID);
		EXPECT_VM(vm, vm->s->rbp, 40);
		EXPECT_VM(vm, vm->s->rax, 0);
		run_partial(vm, MTD_GPR_BSD, VMX_CPUID);
		EXPECT_VM(vm, vm->s->rbp, 42);
		EXPECT_VM(vm, vm->s->rax, 0);
		ASSERT_EXIT(vm, VMX_CPUID);
		EXPECT_VM(vm, (uint32_t)vm->s->rax, 1);
		EXPECT_VM(vm, vm->s->rflags & 1, 1);
	}
}

/* Everything named, undefined bits included: like a whole run. */
static void everything(void)
{
	struct vm *vm = vcpu_vm(0);

	need_extension();
	FOR_MODES(mode)
	{
		static struct utcb_state whole;

		vm_start(vm, mode, &change[mode]);
		ASSERT_EXIT(vm, VMX_CPUID);
		ASSERT_EXIT(vm, VMX_CPUID);
		whole = *vm->s;
		vcpu_scribble(vm);
		run_partial(vm, ~0ul, VMX_CPUID);
		for (unsigned g = 0; g < RT_ARRAY(groups); g++)
			if (groups[g].mtd != MTD_TSC_TIMEOUT && changed(&whole, vm->s, groups[g].from, groups[g].to))
				test_fail(__FILE__, __LINE__, "%s bits: group %#lx differs", vm_mode_name(mode),
					  groups[g].mtd);
	}
}

/* ---- Exits of which the kernel reads different things: by an instruction, in nested pages, exceptions, others ----
 */

VM_CODE(exit_cpuid, "cpuid");
VM_CODE(exit_store, "mov %eax, 0xe008");
VM_CODE(exit_ud, "ud2");
VM_CODE(exit_none, "1: jmp 1b");

static const struct exit_class {
	const struct vm_code *code;
	unsigned reason, exceptions;
	uint32_t event;
} classes[] = {
	{exit_cpuid, VMX_CPUID, 0, 0},
	{exit_store, VMX_EPT_VIOLATION, 0, 0},
	{exit_ud, VMX_EXCEPTION, 1 << 6, 0},
	{exit_none, VMX_INTR_WINDOW, 0, VMX_EVENT_WANT_INTR_WINDOW},
};

/* With PAE paging, in 32-bit mode, there are PDPTEs, too. */
static void start_class(struct vm *vm, enum vm_mode mode, const struct exit_class *c, bool pae)
{
	vm_start(vm, mode, &c->code[mode]);
	vm->s->exc_bitmap = c->exceptions;
	vm->s->intr_info = c->event;
	vm->s->rflags |= 0x200;
	if (!pae)
		return;
	vm->s->cr0 |= 0x80000000;
	vm->s->cr4 |= 0x20;
	for (unsigned i = 0; i < 4; i++)
		vm->s->pdpte[i] = (VM_TABLES + 2 * RT_PAGE) | 1;
}

static void expect_group(struct vm *vm, const struct utcb_state *whole, unsigned g, unsigned reason)
{
	if (groups[g].mtd != MTD_TSC_TIMEOUT && changed(whole, vm->s, groups[g].from, groups[g].to))
		test_fail(__FILE__, __LINE__, "%s bits, exit %u: group %#lx differs", vm_mode_name(vm->mode), reason,
			  groups[g].mtd);
	EXPECT_VM(vm, vm->s->qual[0], whole->qual[0]);
	EXPECT_VM(vm, vm->s->qual[1], whole->qual[1]);
	EXPECT_VM(vm, vm->s->rip, whole->rip);
}

/* Again and again the same exit: whatever the page had before, it has the same afterwards, all or what was asked for.
 */
static void one_class(struct vm *vm, enum vm_mode mode, const struct exit_class *c, bool pae)
{
	static struct utcb_state whole;

	start_class(vm, mode, c, pae);
	ASSERT_EXIT(vm, c->reason);
	whole = *vm->s;
	EXPECT_VM(vm, whole.actv_state, VMX_ACTIVE);
	EXPECT_VM(vm, whole.intr_info, c->exceptions ? VMX_EVENT_VALID | VMX_EVENT_EXCEPTION | 6 : 0);
	EXPECT_VM(vm, whole.vect_info | whole.vect_error | whole.intr_error, 0);
	EXPECT_VM(vm, whole.qual[1], c->reason == VMX_EPT_VIOLATION ? VM_HOLE + 8 : 0);
	vcpu_scribble(vm);
	ASSERT_EXIT(vm, c->reason);
	for (unsigned g = 0; g < RT_ARRAY(groups); g++)
		expect_group(vm, &whole, g, c->reason);
	for (unsigned i = 0; pae && i < 4; i++)
		EXPECT_VM(vm, vm->s->pdpte[i], whole.pdpte[i]);
	for (unsigned g = 0; rt_has_vcpu_partial() && g < RT_ARRAY(groups); g++) {
		vcpu_scribble(vm);
		run_partial(vm, groups[g].mtd, c->reason);
		expect_group(vm, &whole, g, c->reason);
	}
	if (!rt_has_vcpu_partial() || !pae)
		return;
	vcpu_scribble(vm);
	run_partial(vm, MTD_PDPTE, c->reason);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_VM(vm, vm->s->pdpte[i], whole.pdpte[i]);
}

static void each_class(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(classes); i++) {
		FOR_MODES(mode)
		one_class(vm, mode, &classes[i], false);
		if (!rt_has_svm()) /* AMD's processors find PDPTEs in memory */
			one_class(vm, VM_32, &classes[i], true);
	}
}

/* A delivery ends the halt, also one that cannot be finished. */
static void halt_and_delivery(void)
{
	struct vm *vm = vcpu_vm_passthrough(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &exit_none[mode]);
		vm->s->actv_state = VMX_HALTED;
		vm->s->tsc_timeout = 50000;
		ASSERT_EXIT(vm, VMX_TIMER);
		EXPECT_VM(vm, vm->s->actv_state, VMX_HALTED);
		vm->s->rflags |= 0x200;
		vm->s->rsp = VM_HOLE + 0x100;
		vm->s->intr_info = VMX_EVENT_VALID | VMX_EVENT_INTR | 0x62;
		vm->mtd = MTD_RFLAGS | MTD_INJ | MTD_RSP;
		ASSERT_EXIT(vm, VMX_EPT_VIOLATION);
		EXPECT_VM(vm, vm->s->actv_state, VMX_ACTIVE);
		EXPECT_VM(vm, vm->s->vect_info, VMX_EVENT_VALID | VMX_EVENT_INTR | 0x62);
	}
}

/* What AMD's processors say of an exit in their own words comes with INJ. */
static void own_words(void)
{
	enum { CPUID = 0x72, OLD = 0x5a5a };
	struct vm *vm = vcpu_vm(0);
	struct utcb_svm *own = utcb_svm((struct utcb *)((char *)vm->s - offsetof(struct utcb, state)));

	need_extension();
	if (!rt_has_svm()) {
		test_skip("they are AMD's");
		guest_leave();
	}
	vm_start(vm, VM_64, &exit_cpuid[VM_64]);
	own->exit_code = OLD;
	run_partial(vm, ~(uint64_t)MTD_INJ, VMX_CPUID);
	EXPECT_EQ(own->exit_code, OLD);
	run_partial(vm, MTD_INJ, VMX_CPUID);
	EXPECT_EQ(own->exit_code, CPUID);
	own->exit_code = OLD;
	ASSERT_EXIT(vm, VMX_CPUID);
	EXPECT_EQ(own->exit_code, CPUID);
}

/* The FPU page is not part of the choice, and other exits and pokes work as ever. */
VM_CODE(use_xmm, "movups 0x6000, %xmm0\n hlt");

static void other_exits(void)
{
	struct vm *vm = vcpu_vm(0);

	need_extension();
	FOR_MODES(mode)
	{
		vm_start(vm, mode, &use_xmm[mode]);
		*vm_u64(vm, VM_DATA) = 0x1234 + mode;
		run_partial(vm, 0, VMX_HLT);
		EXPECT_VM(vm, *(uint64_t *)(vm->vcpu.fpu + 160), 0x1234 + mode);
		ASSERT_OK(hc_vcpu_poke(vm->vcpu.sel));
		run_partial(vm, 0, VMX_POKED);
		vm->s->rflags = 0;
		vm->mtd = MTD_RFLAGS;
		run_partial(vm, 0, VMX_BAD_STATE);
	}
}

const struct test vcpu_partial_tests[] = {
	TEST(each_group),        TEST(later),     TEST(everything),  TEST(each_class),
	TEST(halt_and_delivery), TEST(own_words), TEST(other_exits), {}};
