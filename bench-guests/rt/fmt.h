/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formatted text in a buffer: %d %i %u %x %p %s %c %%, with l, ll, z, width, 0, -, # and (for %s) precision. Nothing
 * that needs floating point.
 */
#pragma once

#include "rt/attr.h"

#include <stdarg.h>
#include <stddef.h>

/*
 * At most size - 1 characters and a null byte. Result as in the C standard: the length that the whole text would
 * have.
 */
int rt_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int rt_snprintf(char *buf, size_t size, const char *fmt, ...) RT_PRINTF(3, 4);
