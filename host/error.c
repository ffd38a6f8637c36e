/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void error_store(struct error *error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
}

void complain(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}
