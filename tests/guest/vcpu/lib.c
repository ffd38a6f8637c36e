/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcpu_test.h"

#include "rt/cpu.h"
#include "rt/panic.h"

#define VMS 4

static struct vm vms[VMS];

struct vm *vcpu_vm_in(unsigned n, sel_t pd)
{
	struct vm *vm = &vms[n];

	if (!rt_has_vcpus()) {
		test_skip("this machine has no virtualization");
		guest_leave();
	}
	ASSERT_OK(rt_mask_interrupts());
	vm->vcpu.pd = pd;
	vm->vcpu.cpu = rt_cpu;
	vm->vcpu.sel = sel_block(2);
	ASSERT_OK(vm_make(vm));
	return vm;
}

bool vcpu_svm_of_qemu(void)
{
	enum { HYPERVISOR_LEAF = 0x40000000, TCGT = 0x54474354 };

	return rt_has_svm() && rt_cpuid(HYPERVISOR_LEAF, 0).ebx == TCGT;
}

static struct vm *make(unsigned n, unsigned flags)
{
	sel_t pd = sel_new();

	ASSERT_OK(hc_create_pd(pd, RT_SEL_PD, 0, flags));
	return vcpu_vm_in(n, pd);
}

struct vm *vcpu_vm(unsigned n)
{
	return make(n, 0);
}

struct vm *vcpu_vm_passthrough(unsigned n)
{
	return make(n, CREATE_PD_PASSTHROUGH);
}

void vcpu_expect(struct vm *vm, unsigned reason, const char *file, int line)
{
	enum status st = vm_run(vm);
	const struct utcb_state *s = vm->s;

	guest_alive();
	if (st == SUCCESS && s->exit_reason == reason)
		return;
	if (st != SUCCESS)
		test_fail(file, line, "%s bits: the run says %s", vm_mode_name(vm->mode), rt_status(st));
	else
		test_fail(file, line,
			  "%s bits: exit %#x instead of %#x, rip %#lx, qual %#lx %#lx, intr %#x, vect %#x",
			  vm_mode_name(vm->mode), s->exit_reason, reason, s->rip, s->qual[0], s->qual[1],
			  s->intr_info, s->vect_info);
	guest_leave();
}

bool vcpu_equal(struct vm *vm, unsigned long got, unsigned long want, const char *file, int line, const char *text)
{
	if (got != want)
		test_fail(file, line, "%s bits: %s: expected %#lx, got %#lx", vm_mode_name(vm->mode), text, want,
			  got);
	return got == want;
}

void vcpu_scribble(struct vm *vm)
{
	uint8_t *byte = (uint8_t *)vm->s;

	for (size_t i = 0; i < sizeof(*vm->s); i++)
		byte[i] = (uint8_t)guest_random();
}
