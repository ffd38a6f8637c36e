/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmm/devices.h"

#include "vmm/vm.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/cpu.h"
#include "rt/pool.h"
#include "rt/size.h"

static bool is_wanted(const char *name)
{
	return rt_arg_selects("virtio", name);
}

static void *memory(const void *arg, uint64_t gpa, uint64_t size)
{
	return vm_memory(arg, gpa, size);
}

/* ---- Disk ---- */

static bool add_disk(struct guest_vm *vm, const struct devices_wanted *w)
{
	struct devices *d = &vm->devices;
	uint64_t pages = rt_align(w->size, DISK_PAGE) / DISK_PAGE, count = rt_min(w->writable / DISK_PAGE, pages);

	d->disk = (struct disk){
		.image = w->image,
		.size = w->size,
		.moved = rt_pages_aligned(rt_align(pages * sizeof(*d->disk.moved), RT_PAGE) / RT_PAGE, 1),
		.pages = rt_pages_aligned(count, 1),
		.count = (uint32_t)count,
	};
	if (d->disk.moved && d->disk.pages)
		return virtio_block_add(&d->block, &d->disk, &vm->machine.pci, memory, vm);
	rt_printf("%s: not enough memory for what is written to its disk\n", vm->name);
	return false;
}

/* ---- Random numbers ---- */

/* SDM volume 1, 7.3.17.1: ten failures in a row mean that the generator is broken. */
static bool hardware_random(uint64_t *value)
{
	for (unsigned n = 0; n < 10; n++) {
		bool good;

		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(good));
		if (good)
			return true;
	}
	return false;
}

static bool has_hardware_random(void)
{
	return rt_cpuid(1, 0).ecx >> 30 & 1;
}

static bool add_random(struct guest_vm *vm)
{
	return !has_hardware_random() ||
	       virtio_random_add(&vm->devices.random, hardware_random, &vm->machine.pci, memory, vm);
}

/* ---- Console ---- */

static bool add_console(struct guest_vm *vm)
{
	struct virtio_console *c = &vm->devices.console;

	c->send = vm_console_send;
	c->arg = &vm->virtio;
	return virtio_console_add(c, &vm->machine.pci, memory, vm);
}

/* ---- Network ---- */

static bool add_net(struct guest_vm *vm, struct net_switch *net, unsigned port)
{
	size_t bytes = net_switch_rings(net) * sizeof(struct net_ring);
	struct net_ring *rings = rt_pages_aligned(rt_align(bytes, RT_PAGE) / RT_PAGE, 1);

	if (!rings) {
		rt_printf("%s: not enough memory for its network\n", vm->name);
		return false;
	}
	net_switch_connect(net, port, rings, vm_wake, vm);
	return virtio_net_add(&vm->devices.net, net, port, &vm->machine.pci, memory, vm);
}

/* ---- */

bool devices_add(struct guest_vm *vm, const struct devices_wanted *w)
{
	return (!w->image || add_disk(vm, w)) && (!is_wanted("random") || add_random(vm)) &&
	       (!is_wanted("console") || add_console(vm)) && (!is_wanted("net") || add_net(vm, w->net, w->port));
}
