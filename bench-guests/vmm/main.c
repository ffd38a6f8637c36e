/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The roottask: a VM made of boot modules. Behind the roottask come the guest's kernel, whose command line is the
 * guest's, and its initrd or its modules.
 *
 *	memory=MIB    of the guest (256)
 */
#include "vmm/load.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/hip.h"
#include "rt/module.h"
#include "rt/start.h"
#include "rt/string.h"

enum { MEMORY_MIB = 256 };

static const char *const ends[] = {
	[VM_RESET] = "the guest has reset its machine",
	[VM_HALTED] = "the guest has stopped its processor for good",
	[VM_FAULT] = "the VM cannot go on",
};

/* Command lines are rarely long, and there may be many. */
static const char *words_of(unsigned module)
{
	static char text[4 * RT_CMDLINE_MAX];
	static size_t used;
	char *words = text + used;

	if (sizeof(text) - used < 2 || !rt_module_words(module, words, sizeof(text) - used))
		return NULL;
	used += strlen(words) + 1;
	return words;
}

/* What is behind the roottask among the boot modules. */
static bool read_modules(struct load_image *image)
{
	unsigned count = rt_module_count();

	if (count < 2) {
		rt_printf("no guest: the second boot module is its kernel, the others are its initrd or modules\n");
		return false;
	}
	for (unsigned n = 1; n < count; n++) {
		struct load_file *f = &image->file[n - 1];
		struct rt_module m;

		if (n > LOAD_FILES_MAX || !rt_module(n, &m)) {
			rt_printf("too many boot modules\n");
			return false;
		}
		*f = (struct load_file){m.data, m.size, words_of(n)};
		if (!f->words) {
			rt_printf("the command lines of the boot modules are too long\n");
			return false;
		}
		image->files++;
	}
	return true;
}

bool main(void)
{
	static struct guest_vm vm;
	static struct load_image image;

	if (!rt_has_vcpus()) {
		rt_printf("this machine has no virtualization\n");
		return false;
	}
	if (rt_mask_interrupts() != SUCCESS || !read_modules(&image) ||
	    !vm_create(&vm, "vm0", rt_arg("memory", MEMORY_MIB) / 2 * 2 << 20) || !load(&vm, &image))
		return false;
	vm_run_to_end(&vm);
	rt_printf("%s: %s after %lu exits and %lu ms\n", vm.name, ends[vm.end], vm.exits, vm_now(&vm) / 1000000);
	return vm.end != VM_FAULT;
}
