/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/panic.h"

#include "arch/cpu.h"
#include "lib/format.h"
#include "platform/console.h"

#include <stdarg.h>

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
	for (;;)
		arch_halt();
}
