/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/panic.h"

#include "rt/console.h"
#include "rt/exit.h"
#include "rt/fmt.h"
#include "rt/size.h"

void (*rt_panic_hook)(const char *text);

_Noreturn void rt_panic(const char *fmt, ...)
{
	void (*hook)(const char *) = rt_panic_hook;
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	rt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rt_printf("roottask: panic: %s\n", text);
	rt_panic_hook = NULL;
	if (hook)
		hook(text);
	rt_exit(false);
}

const char *rt_status(enum status st)
{
	static const char *const names[] = {
#define X(n, name, text) [n] = #name,
		STATUS_LIST(X)
#undef X
	};

	return st < RT_ARRAY(names) && names[st] ? names[st] : "unknown status";
}

void rt_must(enum status st, const char *file, int line, const char *what)
{
	if (st != SUCCESS)
		rt_panic("%s:%d: %s: %s (%d)", file, line, what, rt_status(st), st);
}
