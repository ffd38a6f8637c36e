/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and ports that change under a guest on another CPU, be it running or not. */
#include "vcpu.h"

#include "rt/message.h"
#include "rt/panic.h"
#include "rt/pool.h"

VM_CODE(count_there, "1: incl 0xe000\n jmp 1b\n");

static volatile uint32_t *frames[2];

static void vm_with_frames(void)
{
	vm_on(1, 1);
	for (unsigned i = 0; i < 2; i++)
		frames[i] = rt_pages(1);
	RT_MUST(rt_guest_map(vms[1].vcpu.pd, SPILL, (void *)frames[0], 1, RT_MEM_RW));
}

/* When the delegation has returned, the guest stores to the new page and never again to the old one. */
static void remap_rounds(unsigned self)
{
	struct vm *vm = &vms[1];
	uint64_t seed = smp_seed(5);

	if (self == 1) {
		EXPECT_OK(vm_run_on(vm));
		EXPECT_EQ(vm->s->exit_reason, VMX_POKED);
		return;
	}
	for (unsigned long i = 1; i <= smp_rounds(300); i++) {
		volatile uint32_t *now = frames[i % 2], *old = frames[1 - i % 2];
		uint32_t old_count, now_count = *now;

		RT_MUST(rt_guest_map(vm->vcpu.pd, SPILL, (void *)now, 1, RT_MEM_RW));
		old_count = *old;
		if (!SMP_WAIT(*now != now_count))
			return;
		smp_delay(&seed, 50);
		ASSERT_EQ(*old, old_count);
		smp_progress(self);
	}
	EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
}

void remapped_while_running(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	vm_with_frames();
	vm_begin(&vms[1], count_there);
	smp_run(2, remap_rounds);
}

/*
 * A CPU that does something else since it ran a guest is left in peace by changes of the guest's memory, after the
 * first. Its next run sees the last of them.
 */
static volatile const struct trace_path *nmis;

VM_CODE(store_once, "incl 0xe000\n");

static void peace_rounds(unsigned self)
{
	struct vm *vm = &vms[1];
	uint64_t before;

	if (self == 1) {
		for (unsigned long i = 1; i <= 3; i++) {
			uint32_t was = *frames[(i + 1) % 2];

			vm_begin(vm, store_once);
			EXPECT_OK(vm_run_on(vm));
			EXPECT_EQ(vm->s->exit_reason, VMX_VMCALL);
			EXPECT_EQ(*frames[(i + 1) % 2], was + 1);
			smp_set(&phase, i);
			if (!SMP_WAIT(smp_load(&over) == i))
				return;
		}
		return;
	}
	for (unsigned long i = 1; i <= 3; i++) {
		if (!SMP_WAIT(smp_load(&phase) == i))
			return;
		before = nmis->count;
		for (unsigned n = 0; n <= 40; n++)
			RT_MUST(rt_guest_map(vm->vcpu.pd, SPILL, (void *)frames[(i + n) % 2], 1, RT_MEM_RW));
		EXPECT(nmis->count - before <= 5); /* some are about other things */
		smp_progress(self);
		smp_set(&over, i);
	}
}

void remapped_while_not_running(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	vm_with_frames();
	nmis = vm_trace_path(TRACE_PATH_NMI);
	smp_run(2, peace_rounds);
	vm_trace_off();
}

/* Taken away: the guest stops at its next store, and goes on when the page is back. */
static void unmap_rounds(unsigned self)
{
	struct vm *vm = &vms[1];

	for (unsigned long i = 1; i <= smp_rounds(300); i++) {
		if (self == 1) {
			EXPECT_OK(vm_run_on(vm));
			ASSERT_EQ(vm->s->exit_reason, VMX_EPT_VIOLATION);
			ASSERT_EQ(vm->s->qual[1], SPILL);
			RT_MUST(rt_guest_map(vm->vcpu.pd, SPILL, (void *)frames[0], 1, RT_MEM_RW));
			smp_set(&phase, i);
		} else {
			uint32_t before = *frames[0];

			if (!SMP_WAIT(*frames[0] != before))
				return;
			RT_MUST(rt_guest_unmap(vm->vcpu.pd, SPILL, 1));
			before = *frames[0];
			if (!SMP_WAIT(smp_load(&phase) == i))
				return;
		}
		smp_progress(self);
	}
	if (self == 0)
		EXPECT_OK(hc_vcpu_poke(vm->vcpu.sel));
	else
		EXPECT_OK(vm_run_on(vm));
}

void unmapped_while_running(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	vm_on(1, 1);
	frames[0] = rt_pages(1);
	RT_MUST(rt_guest_map(vms[1].vcpu.pd, SPILL, (void *)frames[0], 1, RT_MEM_RW));
	vm_begin(&vms[1], count_there);
	smp_run(2, unmap_rounds);
}

/* ---- Ports ---- */

VM_CODE(read_port, "1: in $0x84, %al\n incl 0x6000\n jmp 1b\n");

enum { PORT = 0x84 };

/* A guest that uses a port loses it, with an exit, and goes on when it is back: its bitmap changes under it both
 * ways. */
static void port_rounds(unsigned self)
{
	struct vm *vm = &vms[1];

	for (unsigned long i = 1; i <= smp_rounds(200); i++) {
		if (self == 1) {
			EXPECT_OK(vm_run_on(vm));
			ASSERT_EQ(vm->s->exit_reason, VMX_IO);
			smp_set(&phase, i);
			if (!SMP_WAIT(smp_load(&over) == i))
				return;
		} else {
			uint32_t before = *vm_u32(vm, COUNTER);

			if (!SMP_WAIT(*vm_u32(vm, COUNTER) != before))
				return;
			RT_MUST(hc_revoke(rt_pio(PORT, 0), REVOKE_SELF | REVOKE_REMOTE, vm->vcpu.pd));
			if (!SMP_WAIT(smp_load(&phase) == i))
				return;
			RT_MUST(rt_guest_ports(vm->vcpu.pd, PORT, 0));
			RT_MUST(rt_guest_ports(vm->vcpu.pd, PORT + 2 + i % 8, 0));
			smp_set(&over, i);
		}
		smp_progress(self);
	}
}

void ports_while_running(void)
{
	NEED_CPUS(2);
	NEED_VCPUS;
	vm_on(1, 1);
	RT_MUST(rt_guest_ports(vms[1].vcpu.pd, PORT, 0));
	vm_begin(&vms[1], read_port);
	vms[1].s->ctrl[0] = VMX_CTRL0_IO_BITMAPS;
	smp_run(2, port_rounds);
}
