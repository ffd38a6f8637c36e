/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time-stamp counter as the guest sees it, and the timeout of runs. */
#include "vcpu_test.h"

#include "rt/cpu.h"
#include "rt/size.h"
#include "rt/string.h"

/* Slack for the kernel's and the VMM's own instructions around a guest. */
#define SLACK 20000

VM_CODE(read_tsc, "rdtsc\n");
VM_CODE(forever, "1: jmp 1b");
VM_CODE(work, "mov $5000, %ecx\n 1: dec %ecx\n jnz 1b\n");

static uint64_t guest_tsc(const struct vm *vm)
{
	return vm->s->rdx << 32 | (uint32_t)vm->s->rax;
}

/* Without an offset the host's; with one that much more. */
static void offset(void)
{
	static const uint64_t offsets[] = {0, 1ul << 40, -(1ul << 20)};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(offsets); i++)
		FOR_MODES(mode)
		{
			uint64_t before, after;

			vm_start(vm, mode, &read_tsc[mode]);
			vm->s->ctrl[0] = VMX_CTRL0_TSC_OFFSET;
			vm->s->tsc_off = offsets[i];
			before = rt_rdtsc();
			ASSERT_EXIT(vm, VMX_VMCALL);
			after = rt_rdtsc();
			EXPECT(guest_tsc(vm) - offsets[i] > before);
			EXPECT(guest_tsc(vm) - offsets[i] < after);
			EXPECT_VM(vm, vm->s->tsc_off, offsets[i]);
			EXPECT(vm->s->tsc_val > before && vm->s->tsc_val < after);
			vm->s->rip = VM_CODE_AT;
			vm->mtd = MTD_RIP_LEN;
			ASSERT_EXIT(vm, VMX_VMCALL); /* and it stays */
			EXPECT(guest_tsc(vm) - offsets[i] > after);
		}
}

static uint64_t run_for(struct vm *vm, uint64_t timeout)
{
	uint64_t before = rt_rdtsc();

	vm->s->tsc_timeout = timeout;
	vm->mtd |= MTD_TSC_TIMEOUT;
	ASSERT_EXIT(vm, VMX_TIMER);
	return rt_rdtsc() - before;
}

static void timeout(void)
{
	static const uint64_t timeouts[] = {0, 1, 1000, 100000, 3000000};
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &forever[mode]);
		for (unsigned i = 0; i < RT_ARRAY(timeouts); i++) {
			uint64_t took = run_for(vm, timeouts[i]);

			if (took < timeouts[i] || took > timeouts[i] + SLACK)
				test_fail(__FILE__, __LINE__, "timeout %lu took %lu", timeouts[i], took);
			EXPECT_VM(vm, vm->s->rip, VM_CODE_AT);
		}
	}
}

/* Values beyond the timer's range are its maximum, not a little: nothing wraps. */
static void timeout_saturates(void)
{
	static const uint64_t timeouts[] = {~0ul, 1ul << 32, (1ul << 32) + 1, 1ul << 63, 1ul << 37, ~0ul - 5};
	struct vm *vm = vcpu_vm(0);

	for (unsigned i = 0; i < RT_ARRAY(timeouts); i++) {
		vm_start(vm, VM_64, &work[VM_64]);
		vm->s->tsc_timeout = timeouts[i];
		ASSERT_EXIT(vm, VMX_VMCALL);
		EXPECT(vm->s->tsc_timeout > 0xf0000000);
	}
}

/* The page says what is left, and the next run goes on with it. */
static void remaining(void)
{
	enum { TIMEOUT = 200000 };
	struct vm *vm = vcpu_vm(0);
	uint64_t left, spent = 0;

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &work[mode]);
		vm->s->tsc_timeout = TIMEOUT;
		ASSERT_EXIT(vm, VMX_VMCALL);
		left = vm->s->tsc_timeout;
		EXPECT(left < TIMEOUT - 10000 && left > TIMEOUT - 10000 - SLACK);
		memcpy(vm->ram + VM_CODE_AT, "\xeb\xfe", 2);
		vm->s->rip = VM_CODE_AT;
		vm->mtd = MTD_RIP_LEN;
		spent = rt_rdtsc();
		ASSERT_EXIT(vm, VMX_TIMER);
		spent = rt_rdtsc() - spent;
		if (spent < left || spent > left + SLACK)
			test_fail(__FILE__, __LINE__, "%lu ticks were left, it took %lu", left, spent);
	}
}

/* After the exit the timer is at its maximum: the next run is not cut short. */
static void after_the_timeout(void)
{
	struct vm *vm = vcpu_vm(0);

	vm_start(vm, VM_64, &forever[VM_64]);
	run_for(vm, 1000);
	memcpy(vm->ram + VM_CODE_AT, work[VM_64].start, (size_t)(work[VM_64].end - work[VM_64].start));
	ASSERT_EXIT(vm, VMX_VMCALL);
	EXPECT(vm->s->tsc_timeout > 0xf0000000);
}

/* A timeout that is over before anything runs: the guest makes no or hardly any progress, and other exits win. */
static void timeout_of_nothing(void)
{
	struct vm *vm = vcpu_vm(0);

	FOR_MODES(mode)
	{
		vm_start(vm, mode, &work[mode]);
		vm->s->tsc_timeout = 0;
		ASSERT_EXIT(vm, VMX_TIMER);
		EXPECT(vm->s->rip - VM_CODE_AT < 16);
	}
}

/* Other VMs do not use it up. */
static void timeouts_of_two(void)
{
	enum { TIMEOUT = 300000 };
	struct vm *a = vcpu_vm(0), *b = vcpu_vm(1);

	vm_start(a, VM_64, &work[VM_64]);
	a->s->tsc_timeout = TIMEOUT;
	ASSERT_EXIT(a, VMX_VMCALL);
	vm_start(b, VM_64, &forever[VM_64]);
	run_for(b, 1000000);
	ASSERT_EXIT(a, VMX_VMCALL); /* the same instruction again */
	EXPECT(a->s->tsc_timeout > TIMEOUT - 10000 - 2 * SLACK);
}

const struct test vcpu_time_tests[] = {
	TEST(offset),    TEST(timeout),           TEST(timeout_saturates), TEST(timeout_of_nothing),
	TEST(remaining), TEST(after_the_timeout), TEST(timeouts_of_two),   {},
};
