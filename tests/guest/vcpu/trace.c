/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traced runs: each entry and exit is recorded, and what a guest sees does not change. */
#include "vcpu_test.h"

#include "rt/pool.h"
#include "rt/size.h"

#include <hedron/trace.h>

VM_CODE(three_exits, "cpuid\n cpuid\n vmcall\n");

enum { ORDER = TRACE_ORDER_MIN };

static const struct trace_head *head; /* the boot CPU's area */

static enum status ctrl(unsigned op, unsigned long a2, unsigned long a3)
{
	return hc_3(HC_ARG1(HC_TRACE_CTRL, op, 0), a2, a3);
}

static void set_up(void)
{
	struct hc_regs r = {HC_ARG1(HC_TRACE_CTRL, TRACE_CTRL_SETUP, 0), ORDER, 0, 0, 0};

	if (head)
		return;
	ASSERT_OK(hc_raw(&r));
	uintptr_t va = rt_va(r.rsi, 1);
	ASSERT_OK(ctrl(TRACE_CTRL_MAP, rt_cpu, va));
	head = (const struct trace_head *)va;
}

static const struct trace_record *record(uint64_t n)
{
	return (const struct trace_record *)((const uint8_t *)head + head->ring_offset) + n % head->records;
}

static const struct trace_path *path(unsigned n)
{
	return (const struct trace_path *)((const uint8_t *)head + head->path_offset) + n;
}

static void entries_and_exits(void)
{
	static const unsigned reasons[] = {VMX_CPUID, VMX_CPUID, VMX_VMCALL};
	static const unsigned svm_codes[] = {0x72, 0x72, 0x46}; /* VMCALL is undefined, which is an exception */
	struct vm *vm = vcpu_vm(0);

	set_up();
	FOR_MODES(mode)
	{
		uint64_t n = head->written, exits = path(TRACE_PATH_VM_EXIT)->count;

		vm_start(vm, mode, &three_exits[mode]);
		ASSERT_OK(ctrl(TRACE_CTRL_SWITCH, 1ul << TRACE_VM_ENTRY | 1ul << TRACE_VM_EXIT,
			       1ul << TRACE_PATH_VM_EXIT));
		for (unsigned i = 0; i < RT_ARRAY(reasons); i++) {
			uint64_t rip = vm->s->rip;

			ASSERT_EXIT(vm, reasons[i]);
			EXPECT_VM(vm, record(n)->event, TRACE_VM_ENTRY);
			EXPECT_VM(vm, record(n + 1)->event, TRACE_VM_EXIT);
			EXPECT_VM(vm, record(n + 1)->extra, rt_has_svm() ? svm_codes[i] : reasons[i]);
			EXPECT_VM(vm, record(n + 1)->a, vm->s->rip);
			EXPECT(vm->s->rip >= rip);
			n += 2;
			EXPECT_VM(vm, head->written, n);
			vm_skip(vm);
		}
		ASSERT_OK(ctrl(TRACE_CTRL_SWITCH, 0, 0));
		EXPECT_VM(vm, path(TRACE_PATH_VM_EXIT)->count, exits + RT_ARRAY(reasons));
	}
}

const struct test vcpu_trace_tests[] = {TEST(entries_and_exits), {}};
