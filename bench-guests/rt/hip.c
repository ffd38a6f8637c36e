/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/hip.h"

#include "rt/size.h"

const struct hip *rt_hip;
unsigned rt_cpu;

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

const struct hip_gas *rt_hip_serial(void)
{
	return rt_hip->api_flg & HIP_EXT_SERIAL ? (const void *)((const char *)rt_hip + HIP_SERIAL) : NULL;
}

const uint8_t *rt_hip_build_id(void)
{
	return rt_hip->api_flg & HIP_EXT_BUILD_ID ? (const uint8_t *)rt_hip + HIP_BUILD_ID : NULL;
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

void rt_hip_init(const struct hip *hip, unsigned cpu)
{
	rt_hip = hip;
	rt_cpu = cpu;
}
