/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smallest roottask: prints what the kernel says about the machine, and leaves. */
#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/hip.h"
#include "rt/start.h"

static void print_memory(void)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		rt_printf("  memory %012lx + %012lx type %d aux %x\n", m->addr, m->size, (int)m->type, m->aux);
	}
}

bool main(void)
{
	rt_printf("Hello from the roottask: API %u.%u, %u CPU(s), TSC %u kHz, features %x\n", rt_hip->api_ver / 1000,
		  rt_hip->api_ver % 1000, rt_cpu_count(), rt_hip->freq_tsc, rt_hip->api_flg);
	rt_printf("  running on CPU %u, command line \"%s\"\n", rt_cpu, rt_cmdline());
	print_memory();
	return true;
}
