/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The roottask: a VM made of boot modules. Behind the roottask come the guest's kernel, whose command line is the
 * guest's, and its initrd.
 *
 *	memory=MIB    of the guest (256)
 */
#include "vmm/linux.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/hip.h"
#include "rt/module.h"
#include "rt/start.h"

enum { KERNEL = 1, INITRD = 2, MEMORY_MIB = 256 };

static const char *const ends[] = {
	[VM_RESET] = "the guest has reset its machine",
	[VM_HALTED] = "the guest has stopped its processor for good",
	[VM_FAULT] = "the VM cannot go on",
};

static bool load(struct guest_vm *vm)
{
	static char words[RT_CMDLINE_MAX];
	struct rt_module kernel, initrd;
	struct linux_image image = {.words = words};

	if (!rt_module(KERNEL, &kernel)) {
		rt_printf("no guest: the second boot module is its kernel, the third its initrd\n");
		return false;
	}
	image.kernel = kernel.data;
	image.kernel_size = kernel.size;
	if (!rt_module_words(KERNEL, words, sizeof(words))) {
		rt_printf("the guest's command line is too long\n");
		return false;
	}
	if (rt_module(INITRD, &initrd)) {
		image.initrd = initrd.data;
		image.initrd_size = initrd.size;
	}
	return linux_load(vm, &image);
}

bool main(void)
{
	static struct guest_vm vm;

	if (!rt_has_vmx()) {
		rt_printf("this machine has no VMX\n");
		return false;
	}
	if (rt_mask_interrupts() != SUCCESS || !vm_create(&vm, "vm0", rt_arg("memory", MEMORY_MIB) / 2 * 2 << 20) ||
	    !load(&vm))
		return false;
	vm_run_to_end(&vm);
	rt_printf("%s: %s after %lu exits and %lu ms\n", vm.name, ends[vm.end], vm.exits, vm_now(&vm) / 1000000);
	return vm.end != VM_FAULT;
}
