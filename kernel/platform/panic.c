/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/panic.h"

#include "arch/cpu.h"
#include "lib/format.h"
#include "platform/console.h"

#include <stdarg.h>

static bool reboots;
static u64 reboot_ticks;

void panic_reboots_after(u64 ticks)
{
	reboots = true;
	reboot_ticks = ticks;
}

__attribute__((noreturn)) static void stop(void)
{
	u64 start = arch_tsc();

	while (!reboots)
		arch_halt();
	while (arch_tsc() - start < reboot_ticks)
		arch_relax();
	arch_reset();
}

void panic(const char *fmt, ...)
{
	char text[CONSOLE_LINE_MAX];
	va_list args;

	va_start(args, fmt);
	format_args(text, sizeof(text), fmt, args);
	va_end(args);
	arch_halt_others();
	console_seize();
	log_error("PANIC: %s", text);
	stop();
}
