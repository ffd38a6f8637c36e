/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/exit.h"

#include "rt/cmdline.h"
#include "rt/console.h"
#include "rt/port.h"
#include "rt/reboot.h"
#include "rt/string.h"

enum { QEMU_EXIT = 0xf4, BOCHS_EXIT = 0x8900 };
enum { EXIT_SUCCESS = 0x10, EXIT_FAILURE = 0x11 };

void (*rt_exit_hook)(void);

static sel_t never; /* a semaphore that nobody ups */

enum status rt_exit_init(sel_t sm)
{
	never = sm;
	return hc_create_sm(sm, RT_SEL_PD, 0);
}

/*
 * The semaphore is no use to an EC of another PD, whose selectors are its own, nor before rt_exit_init(). A reply
 * parks those: nobody waits for it, and nobody can call the EC any more.
 */
_Noreturn void rt_block(void)
{
	hc_sm_down(never);
	hc_reply();
}

/* "end=reboot" on the command line: whoever reads a log in RAM (docs/booting.md) is booted next. */
static bool reboots_at_end(void)
{
	const char *end = rt_arg_text("end");

	return end && !strncmp(end, "reboot", 6) && (!end[6] || end[6] == ' ');
}

_Noreturn void rt_exit(bool success)
{
	rt_console_drain();
	if (rt_ports(QEMU_EXIT, 0) == SUCCESS)
		rt_out8(QEMU_EXIT, success ? EXIT_SUCCESS : EXIT_FAILURE);
	if (rt_ports(BOCHS_EXIT, 0) == SUCCESS)
		for (const char *p = "Shutdown"; *p; p++)
			rt_out8(BOCHS_EXIT, (uint8_t)*p);
	if (reboots_at_end())
		rt_reboot();
	if (rt_exit_hook)
		rt_exit_hook();
	rt_block();
}
