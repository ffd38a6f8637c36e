/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A console that keeps what the code under test logs. */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "platform/console.h"

static char fake_log[64 * 1024];
static size_t fake_log_length;

static void fake_log_write(const char *text, size_t length)
{
	if (length >= sizeof(fake_log) - fake_log_length)
		length = sizeof(fake_log) - fake_log_length - 1;
	memcpy(fake_log + fake_log_length, text, length);
	fake_log_length += length;
	fake_log[fake_log_length] = '\0';
}

/* From now on; what was logged before is forgotten. */
static inline void fake_log_start(void)
{
	static struct console console = {.write = fake_log_write};

	console_add(&console);
	fake_log_length = 0;
	fake_log[0] = '\0';
}

static inline bool fake_log_has(const char *text)
{
	return strstr(fake_log, text);
}
static inline bool fake_log_empty(void)
{
	return !fake_log_length;
}
