/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The roottask: VMs made of boot modules. Behind the roottask come a guest's kernel, whose command line is the
 * guest's, and its initrd or its modules; then the next guest's. A module whose last word is "disk" is the image of
 * the guest's disk. Guests are spread over the CPUs, and so are the processors of each; every one has a thread.
 *
 *	guests=N,N...      how many modules each has, its kernel counted (one guest has all)
 *	memory=MIB,MIB...  of each; the last number is also that of those behind it (256)
 *	cpus=N,N...        processors of each, by the same rule (1)
 *	virtio=NAME,...    the devices of each besides its disk: random, console, net (all; "none" is none)
 *	writable=MIB       how much of each disk can be written (16)
 *	fault=N            the monitor of guest N dies at once, for tests
 */
#include "vmm/load.h"
#include "vmm/monitor.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/hip.h"
#include "rt/module.h"
#include "rt/object.h"
#include "rt/panic.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/thread.h"

enum { MEMORY_MIB = 256, WRITABLE_MIB = 16, GUESTS_MAX = 8 };

static const char *const ends[] = {
	[VM_RESET] = "the guest has reset its machine",
	[VM_OFF] = "the guest has switched its machine off",
	[VM_HALTED] = "the guest has stopped its processor for good",
	[VM_FAULT] = "the VM cannot go on",
};

_Static_assert((int)GUESTS_MAX <= (int)NET_PORTS, "each guest has a port of the switch");

static struct guest {
	struct guest_vm vm;
	struct load_image image;
	char name[4];
} guests[GUESTS_MAX];
static struct monitor monitors[GUESTS_MAX]; /* the same numbers */

static struct net_switch net; /* between all of them */
static sel_t work;            /* a semaphore: up when a monitor has something for the roottask */
static sel_t ended;           /* and once for each when it has come to its end */

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

/* Boot loaders may put the file's name before the words. */
static bool is_disk(const char *words)
{
	static const char word[] = "disk";
	size_t length = strlen(words), before = length - (sizeof(word) - 1);

	return length >= sizeof(word) - 1 && !strcmp(words + before, word) && (!before || words[before - 1] == ' ');
}

/* Adds a boot module: one of the guest's files, or its disk. */
static bool read_module(struct load_image *image, unsigned number)
{
	struct load_file *f = &image->file[image->files];
	struct rt_module m;

	if (image->files == LOAD_FILES_MAX || !rt_module(number, &m)) {
		rt_printf("the boot modules are not as many as the guests have, or more than %u\n", LOAD_FILES_MAX);
		return false;
	}
	*f = (struct load_file){m.data, m.size, words_of(number)};
	if (!f->words) {
		rt_printf("the command lines of the boot modules are too long\n");
		return false;
	}
	if (image->files && is_disk(f->words))
		image->disk = *f;
	else
		image->files++;
	return true;
}

/* `count` boot modules from number `first` on. */
static bool read_modules(struct load_image *image, unsigned first, unsigned count)
{
	for (unsigned n = 0; n < count; n++)
		if (!read_module(image, first + n))
			return false;
	return true;
}

/* In a domain of its own: each processor. */
static void run(void *arg)
{
	struct guest_cpu *cpu = arg;
	const struct guest_vm *vm = cpu->vm;
	struct monitor *m = &monitors[(const struct guest *)vm - guests];

	monitor_enter(m);
	if (rt_arg("fault", GUESTS_MAX) == (unsigned long)(m - monitors))
		__asm__ volatile("ud2");
	if (!vm_run_to_end(cpu))
		return;
	rt_printf("%s: %s after %lu exits and %lu ms\n", vm->name, ends[vm->end], vm_exits(vm), vm_now(vm) / 1000000);
	monitor_leave(m);
}

_Static_assert(!offsetof(struct guest, vm), "a VM is found in its guest");

/* A thread that is more important than the monitors shows what they say. */
static void serve(void *arg)
{
	(void)arg;
	for (;;) {
		RT_MUST(hc_sm_down(work));
		for (unsigned n = 0; n < GUESTS_MAX; n++)
			if (monitors[n].vm && monitor_serve(&monitors[n]))
				RT_MUST(hc_sm_up(ended));
	}
}

static bool make_devices(unsigned number)
{
	struct guest *g = &guests[number];
	struct devices_wanted wanted = {
		.image = g->image.disk.data,
		.size = g->image.disk.size,
		.writable = rt_arg("writable", WRITABLE_MIB) << 20,
		.net = &net,
		.port = number,
	};

	monitors[number].image = wanted.image;
	monitors[number].image_size = wanted.size;
	return devices_add(&g->vm, &wanted);
}

/* The next number of "N,N...", 0 if there is none. */
static unsigned next_number(const char **text)
{
	unsigned n = 0;

	while (**text >= '0' && **text <= '9' && n < 1000)
		n = n * 10 + (unsigned)(*(*text)++ - '0');
	if (**text == ',')
		(*text)++;
	return n;
}

/* What a list says of this guest: its own number, or the last one. */
static unsigned number_of(const char *name, unsigned guest, unsigned otherwise)
{
	const char *list = rt_arg_text(name);
	unsigned value = otherwise;

	for (unsigned n = 0; list && n <= guest && *list >= '0' && *list <= '9'; n++)
		value = next_number(&list);
	return value;
}

static bool make(unsigned number, unsigned first, unsigned count)
{
	struct guest *g = &guests[number];
	uint64_t memory = (uint64_t)number_of("memory", number, MEMORY_MIB) / 2 * 2 << 20;

	memcpy(g->name, "vm0", sizeof("vm0"));
	g->name[2] = (char)('0' + number);
	monitor_begin(&monitors[number], &g->vm);
	return read_modules(&g->image, first, count) &&
	       vm_create(&g->vm, g->name, (rt_cpu + number) % rt_cpu_count(), number_of("cpus", number, 1), memory) &&
	       make_devices(number) && load(&g->vm, &g->image) && monitor_prepare(&monitors[number], work);
}

/* Returns how many guests there are, 0 if one cannot be made. */
static unsigned make_all(void)
{
	const char *counts = rt_arg_text("guests");
	unsigned first = 1, modules = rt_module_count(), made = 0;

	if (modules < 2) {
		rt_printf("no guest: the second boot module is its kernel, the others are its initrd or modules\n");
		return 0;
	}
	if (!counts)
		return make(0, first, modules - 1);
	for (unsigned count; (count = next_number(&counts)); made++, first += count)
		if (made == GUESTS_MAX || !make(made, first, count))
			return 0;
	if (!made)
		rt_printf("guests=N,N... says how many boot modules each has\n");
	return made;
}

static void start(unsigned count)
{
	static struct rt_ec server;

	server.cpu = rt_cpu;
	RT_MUST(rt_thread(&server, RT_PRIO + 1, serve, NULL));
	for (unsigned n = 0; n < count; n++)
		RT_MUST(monitor_start(&monitors[n], monitors, count, run));
}

/* The next one that has ended. True: it has come to an end that a guest can choose, and nothing is left of it. */
static bool end_one(void)
{
	struct monitor *m = monitors;

	RT_MUST(hc_sm_down(ended));
	while (!m->gone || m->cleared)
		m++;
	return monitor_end(m);
}

/* True if that is so with all. */
bool main(void)
{
	bool good = true;
	unsigned count;

	if (!rt_has_vcpus()) {
		rt_printf("this machine has no virtualization\n");
		return false;
	}
	RT_MUST(rt_mask_interrupts());
	RT_MUST(rt_sm(&work, 0));
	RT_MUST(rt_sm(&ended, 0));
	count = make_all();
	start(count);
	for (unsigned n = 0; n < count; n++)
		good = end_one() && good;
	return count && good;
}
