/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a run ends, and how it tells why. */
#include "internal.h"

enum { QEMU_EXIT = 0xf4, BOCHS_EXIT = 0x8900 };
enum { EXIT_SUCCESS = 0x10, EXIT_FAILURE = 0x11 };

static sel_t never; /* a semaphore nobody ups */

void (*rt_panic_hook)(const char *text);

void rt_machine_init(void)
{
	RT_MUST(rt_sm(&never, 0));
}

/* A reply by an EC that nobody waits for parks it; this is for ECs and times that cannot use the semaphore. */
_Noreturn void rt_block(void)
{
	hc_sm_down(never);
	hc_reply();
}

_Noreturn void rt_exit(bool success)
{
	rt_console_drain();
	if (rt_ports(QEMU_EXIT, 0) == SUCCESS)
		rt_out8(QEMU_EXIT, success ? EXIT_SUCCESS : EXIT_FAILURE);
	if (rt_ports(BOCHS_EXIT, 0) == SUCCESS)
		for (const char *p = "Shutdown"; *p; p++)
			rt_out8(BOCHS_EXIT, (uint8_t)*p);
	rt_block();
}

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
