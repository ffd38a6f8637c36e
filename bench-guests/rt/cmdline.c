/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/cmdline.h"

#include "rt/module.h"
#include "rt/string.h"

static char cmdline[RT_CMDLINE_MAX];
static bool whole = true;

/* The first module is the roottask. */
void rt_cmdline_init(void)
{
	whole = !rt_module_count() || rt_module_words(0, cmdline, sizeof(cmdline));
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
