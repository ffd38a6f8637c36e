/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/cmdline.h"

#include "rt/hip.h"
#include "rt/map.h"
#include "rt/message.h"
#include "rt/string.h"

static char cmdline[RT_CMDLINE_MAX];
static bool whole = true;

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
		if (!page || !page[pa % RT_PAGE])
			return true;
		if (i + 1 < size)
			to[i] = page[pa % RT_PAGE];
	}
	return false;
}

/* The first module is the roottask. A page that is not valid may say anything about memory, so it is not asked. */
void rt_cmdline_init(void)
{
	for (unsigned i = 0; rt_hip_valid() && i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type != (uint32_t)HIP_MEM_MODULE)
			continue;
		if (m->aux)
			whole = read_string(cmdline, sizeof(cmdline), m->aux);
		return;
	}
}

bool rt_cmdline_whole(void)
{
	return whole;
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

bool rt_arg_selects(const char *name, const char *word)
{
	const char *only = rt_arg_text(name);
	bool any = false;

	while (only && *only && *only != ' ') {
		size_t n = 0;

		while (only[n] && only[n] != ' ' && only[n] != ',')
			n++;
		if (n && !strncmp(word, only, n))
			return true;
		any |= n > 0;
		only += n + (only[n] == ',');
	}
	return !any;
}
