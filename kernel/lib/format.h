/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printf's formatting, as much of it as a kernel needs: %% %c %s %d %i %u %x %X %p with h, l, ll, z, the flags - 0
 * and #, width and precision, also as *. Anything else is copied as it stands.
 */
#pragma once

#include "lib/types.h"

#include <stdarg.h>

/* Writes at most size bytes with the final NUL (nothing if size is 0); returns the length the whole text has. */
size_t format_args(char *out, size_t size, const char *fmt, va_list args) __attribute__((format(printf, 3, 0)));
size_t format_text(char *out, size_t size, const char *fmt, ...) printf_like(3, 4);
