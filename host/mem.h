/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that is there: when there is none left, these functions end the program with a message. */
#pragma once

#include "host/compiler.h"

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) printf_like(1, 2);
char *xvasprintf(const char *fmt, va_list args) printf_like(1, 0);

/* Frees a NULL-terminated array of strings, and the strings. */
void strings_free(char **strings);
