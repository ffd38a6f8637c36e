/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors are texts for the user: functions that can fail fill one in and return false or NULL. */
#pragma once

#include "host/compiler.h"

#include <stdbool.h>

/* One message: what is wrong, and what to do about it. */
struct error {
	char text[1024];
};

/* Stores the message; the value of error_set() is false, so that a function can return it. */
#define error_set(error, ...) (error_store(error, __VA_ARGS__), false)
void error_store(struct error *error, const char *fmt, ...) printf_like(2, 3);

/* Prints "program: message" to stderr. */
void complain(const char *fmt, ...) printf_like(1, 2);
