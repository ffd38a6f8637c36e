/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor information page and the command line. */
#include "internal.h"

#define CMDLINE_MAX 1024

const struct hip *rt_hip;
unsigned rt_cpu;

static char cmdline[CMDLINE_MAX];

bool rt_cpu_enabled(unsigned cpu)
{
	return cpu < HEDRON_CPU_MAX && rt_hip->cpu[cpu].flags & HIP_CPU_ENABLED;
}

unsigned rt_cpu_count(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HEDRON_CPU_MAX; i++)
		n += rt_cpu_enabled(i);
	return n;
}

unsigned rt_cpu_other(void)
{
	unsigned i = 0;

	while (i < HEDRON_CPU_MAX && (i == rt_cpu || !rt_cpu_enabled(i)))
		i++;
	return i;
}

unsigned rt_mem_count(void)
{
	return (rt_hip->length - rt_hip->mem_offset) / sizeof(struct hip_mem);
}

bool rt_hip_valid(void)
{
	const uint16_t *word = (const uint16_t *)rt_hip;
	uint16_t sum = 0;

	if (rt_hip->signature != HIP_SIGNATURE || rt_hip->length > RT_PAGE || rt_hip->length < sizeof(struct hip) ||
	    rt_hip->mem_offset != sizeof(struct hip) || rt_hip->mem_size != sizeof(struct hip_mem) ||
	    rt_hip->api_ver / 1000 != HEDRON_API_VERSION / 1000)
		return false;
	for (unsigned i = 0; i < rt_hip->length / 2; i++)
		sum += word[i];
	return sum == 0;
}

static bool withheld(uint64_t pa)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type == (uint32_t)HIP_MEM_HYPERVISOR && pa - m->addr < m->size)
			return true;
	}
	return false;
}

/* Copies the string at a physical address as far as it can be seen. */
static void read_string(char *to, size_t size, uint64_t pa)
{
	const char *page = NULL;

	for (size_t i = 0; i + 1 < size; i++, pa++) {
		if (!page || pa % RT_PAGE == 0)
			page = withheld(pa) ? NULL : rt_map(pa & -RT_PAGE, RT_PAGE, PERM_MEM_R);
		if (!page || !page[pa % RT_PAGE])
			break;
		to[i] = page[pa % RT_PAGE];
	}
}

/* The first module is the roottask. Must run before the pool hands out the RAM that may hold the string. */
void rt_hip_init(const struct hip *hip, unsigned cpu)
{
	rt_hip = hip;
	rt_cpu = cpu;
	for (unsigned i = 0; rt_hip_valid() && i < rt_mem_count(); i++) {
		if (hip->mem[i].type != (uint32_t)HIP_MEM_MODULE)
			continue;
		if (hip->mem[i].aux)
			read_string(cmdline, sizeof(cmdline), hip->mem[i].aux);
		return;
	}
}

const char *rt_cmdline(void)
{
	return cmdline;
}

const char *rt_arg_text(const char *name)
{
	size_t n = strlen(name);

	for (const char *p = cmdline; *p; p++)
		if ((p == cmdline || p[-1] == ' ') && !strncmp(p, name, n) && p[n] == '=')
			return p + n + 1;
	return NULL;
}

unsigned long rt_arg(const char *name, unsigned long otherwise)
{
	const char *p = rt_arg_text(name);
	unsigned long v = 0;

	if (!p || *p < '0' || *p > '9')
		return otherwise;
	for (; *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (unsigned long)(*p - '0');
	return v;
}
