/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing a VMM or a guest can write brings the kernel down: random state pages with random selections, random FPU
 * and virtual-APIC pages, random code. Each run ends with a status and an exit, and after each the vCPU can be used.
 * "rounds=N" and "seed=N" on the command line.
 */
#include "vcpu_test.h"

#include "rt/cmdline.h"
#include "rt/panic.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/string.h"

#define TIMEOUT 3000

VM_CODE(nothing, "");
VM_CODE(forever, "1: jmp 1b");

static unsigned long rounds(unsigned long usual)
{
	return rt_arg("rounds", usual);
}

static uint64_t interesting(void)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  ~0ul,
					  1ul << 63,
					  0x80000000,
					  0xffffffff,
					  1ul << 32,
					  0x7fffffffffff,
					  0x800000000000,
					  0xffff800000000000,
					  VM_CODE_AT,
					  VM_HOLE,
					  VM_TABLES};

	switch (guest_random() >> 62) {
	case 0:
		return values[(guest_random() >> 32) % RT_ARRAY(values)];
	case 1:
		return 1ul << (guest_random() >> 58);
	case 2:
		return guest_random() >> (guest_random() >> 58);
	default:
		return guest_random();
	}
}

/* One to a few words of the page; the timeout is kept short, so that runs end. */
static void spoil(struct vm *vm)
{
	uint32_t *word = (uint32_t *)vm->s;

	for (unsigned n = 1 + (unsigned)(guest_random() >> 61); n; n--)
		word[(guest_random() >> 32) % (sizeof(*vm->s) / 4)] = (uint32_t)interesting();
	vm->s->tsc_timeout = guest_random() >> 62 ? TIMEOUT : interesting() % 100000;
	vm->mtd |= MTD_TSC_TIMEOUT;
}

static bool known(uint32_t reason)
{
	return reason <= 70 || reason == VMX_POKED || reason == VMX_NO_ENTRY || (reason & 0x7fffffff) == 33 ||
	       (reason & 0x7fffffff) == 34 || (reason & 0x7fffffff) == 41;
}

/*
 * Bochs 2.7 lets a guest begin that is in long mode without paging, and gives up. Control registers and EFER
 * therefore go together here.
 */
static void avoid_emulator_bug(struct vm *vm)
{
	enum { LMA = 1 << 10, PE = 1 };
	const uint64_t paging = 0x80000000;

	if (!(vm->mtd & (MTD_CR | MTD_EFER_PAT)))
		return;
	vm->mtd |= MTD_CR | MTD_EFER_PAT;
	if (vm->s->efer & LMA)
		vm->s->cr0 |= paging | PE;
}

static void run_and_check(struct vm *vm, unsigned long round)
{
	enum status st;

	avoid_emulator_bug(vm);
	vm->s->exit_reason = 0x5a5a5a5a;
	st = vm_run(vm);
	guest_alive();
	if (st != SUCCESS || !known(vm->s->exit_reason))
		test_fail(__FILE__, __LINE__, "round %lu: %s, exit %#x", round, rt_status(st), vm->s->exit_reason);
}

/* The state of a vCPU that is fine, in every mode. */
static void still_usable(struct vm *vm, unsigned long round)
{
	enum vm_mode mode = round % VM_MODES;

	if (round % 16)
		return;
	memset(vm->vcpu.fpu + 512, 0, 64);
	*(uint32_t *)(vm->vcpu.fpu + 24) = 0x1f80;
	vm_start(vm, mode, &nothing[mode]);
	vm->s->tpr_threshold = 0;
	vm->s->vintr_status = 0;
	vm->mtd |= MTD_TPR | MTD_VINTR;
	ASSERT_OK(hc_vcpu_poke(vm->vcpu.sel));
	ASSERT_EXIT(vm, VMX_POKED);
	vm->mtd = RT_VCPU_ALL | MTD_TPR | MTD_VINTR;
	ASSERT_EXIT(vm, VMX_VMCALL);
}

static void spoiled_states(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned long i = 0; i < rounds(4000) && !test_failed(); i++) {
		enum vm_mode mode = (guest_random() >> 32) % VM_MODES;

		vm_start(vm, mode, &forever[mode]);
		spoil(vm);
		run_and_check(vm, i);
		still_usable(vm, i);
	}
}

/* Random selections, and pages of nothing but noise. */
static void noise(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned long i = 0; i < rounds(2000) && !test_failed(); i++) {
		vcpu_scribble(vm);
		spoil(vm);
		vm->mtd |= guest_random() & guest_random();
		run_and_check(vm, i);
		still_usable(vm, i);
	}
}

static void spoiled_pages(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned long i = 0; i < rounds(2000) && !test_failed(); i++) {
		uint64_t *page = (uint64_t *)((guest_random() >> 63) ? vm->vcpu.fpu : vm->vcpu.vlapic);

		vm_start(vm, VM_64, &forever[VM_64]);
		vm->s->xcr0 = guest_random() >> 63 ? 7 : interesting();
		vm->s->ctrl[0] = (uint32_t)interesting();
		vm->s->ctrl[1] = (uint32_t)interesting();
		page[(guest_random() >> 32) % (guest_random() >> 63 ? 80 : 512)] = interesting();
		vm->s->tpr_threshold = (uint32_t)interesting();
		vm->s->vintr_status = (uint16_t)interesting();
		vm->s->tsc_timeout = TIMEOUT;
		vm->mtd |= MTD_TPR | MTD_VINTR | MTD_EOI;
		run_and_check(vm, i);
		still_usable(vm, i);
	}
}

/* Random code in each mode, with whatever it does to the guest's own memory, tables included. */
static void random_code(void)
{
	struct vm *vm = vcpu_vm(0);

	for (unsigned long i = 0; i < rounds(2000) && !test_failed(); i++) {
		enum vm_mode mode = (guest_random() >> 32) % VM_MODES;

		vm_start(vm, mode, &nothing[mode]);
		for (unsigned n = 0; n < 256; n += 8)
			*vm_u64(vm, VM_CODE_AT + n) = guest_random();
		vm->s->ctrl[0] = guest_random() >> 63 ? VMX_CTRL0_MSR_BITMAPS | VMX_CTRL0_IO_BITMAPS : 0;
		vm->s->rax = interesting();
		vm->s->rbx = interesting();
		vm->s->rcx = interesting();
		vm->s->rdi = interesting();
		vm->s->tsc_timeout = TIMEOUT;
		run_and_check(vm, i);
		for (unsigned again = 0; again < 4; again++) {
			vm->s->rip += vm->s->inst_len % 16;
			vm->s->tsc_timeout = TIMEOUT;
			vm->mtd = MTD_RIP_LEN | MTD_TSC_TIMEOUT;
			run_and_check(vm, i);
		}
		still_usable(vm, i);
	}
}

/*
 * All ways in: hypercalls for vCPUs with arguments near what is right; without VMX, too, where no vCPU comes of it.
 */
static sel_t sels[6];

static void renew(struct rt_vcpu *v)
{
	guest_alive();
	guest_clean();
	v->cpu = rt_cpu;
	v->sel = sel_block(2);
	if (rt_has_vcpus())
		ASSERT_OK(rt_vcpu(v));
	else
		ASSERT_OK(rt_vcpu_pages(v));
	for (unsigned i = 0; i < RT_VCPU_SELS; i++)
		sels[i] = v->sel + i;
	sels[4] = RT_SEL_PD;
	sels[5] = GUEST_NOTHING;
}

static sel_t pick(void)
{
	return guest_random() >> 61 ? sels[(guest_random() >> 32) % RT_ARRAY(sels)] : interesting() >> 12;
}

static void random_calls(void)
{
	static struct rt_vcpu v;

	for (unsigned long i = 0; i < rounds(4000); i++) {
		struct hc_regs r;

		if (i % 256 == 0)
			renew(&v);
		v.state->tsc_timeout = TIMEOUT;
		if (guest_random() >> 63)
			r = (struct hc_regs){HC_ARG1(HC_VCPU_CTRL, guest_random() & 7, pick()),
					     interesting() | MTD_TSC_TIMEOUT, interesting(), interesting(),
					     interesting()};
		else
			r = (struct hc_regs){HC_ARG1(HC_CREATE_VCPU, guest_random() & 15, sel_new()),
					     pick() << 12 | rt_cpu, pick(), pick(), pick()};
		EXPECT(hc_raw(&r) <= BUSY);
	}
}

bool main(void)
{
	static const struct test tests[] = {TEST(spoiled_states), TEST(noise), TEST(spoiled_pages), TEST(random_code),
					    TEST(random_calls)};

	guest_seed(1); /* or that of the command line */
	return guest_run("vcpu_fuzz", tests, RT_ARRAY(tests));
}
