/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/module.h"

#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"

/* A page that is not valid may say anything about memory, so it is not asked. */
static const struct hip_mem *find(unsigned n)
{
	for (unsigned i = 0; rt_hip_valid() && i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type == (uint32_t)HIP_MEM_MODULE && !n--)
			return m;
	}
	return NULL;
}

/* The hypervisor's memory is not given away, so that trying to map it would be a failure for nothing. */
static bool withheld(uint64_t pa)
{
	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type == (uint32_t)HIP_MEM_HYPERVISOR && pa - m->addr < m->size)
			return true;
	}
	return false;
}

/* Copies the string at a physical address as far as it can be seen. False: it is longer. */
static bool read_string(char *to, size_t size, uint64_t pa)
{
	const char *page = NULL;

	for (size_t i = 0; i < size; i++, pa++) {
		if (!page || pa % RT_PAGE == 0)
			page = withheld(pa) ? NULL : rt_map(pa & -RT_PAGE, RT_PAGE, PERM_MEM_R);
		to[i] = '\0';
		if (page && i + 1 < size)
			to[i] = page[pa % RT_PAGE];
		if (!page || !page[pa % RT_PAGE])
			return true;
	}
	return false;
}

unsigned rt_module_count(void)
{
	unsigned n = 0;

	while (find(n))
		n++;
	return n;
}

bool rt_module(unsigned n, struct rt_module *module)
{
	const struct hip_mem *m = find(n);

	if (!m)
		return false;
	*module = (struct rt_module){rt_map(m->addr, m->size, PERM_MEM_R), m->size};
	return module->data;
}

bool rt_module_words(unsigned n, char *to, size_t size)
{
	const struct hip_mem *m = find(n);

	to[0] = 0;
	if (!m)
		return false;
	return !m->aux || read_string(to, size, m->aux);
}
