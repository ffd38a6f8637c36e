/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text on the kernel's serial line, or COM1, and on the screen. A call writes its text in one go,
 * whatever other threads write; so it ends with a newline.
 */
#pragma once

#include "rt/attr.h"

#include <stddef.h>

void rt_write(const char *text, size_t len);
void rt_printf(const char *fmt, ...) RT_PRINTF(1, 2); /* at most 511 characters; the rest is cut off */

/* To the serial line and not to the screen: what is for programs. */
void rt_report(const char *text, size_t len);
/* To the screen and not to the line: what is for people before it, at most 255 characters. Before, it can be cleared.
 */
void rt_show(const char *fmt, ...) RT_PRINTF(1, 2);
void rt_show_clear(void);

/* Gets all text instead of the line, if it is set: for a copy of the program that has no devices. */
extern void (*rt_console_instead)(const char *text, size_t len);

/*
 * For the start and the end of the program. Without a line, or when it does not take bytes any more, writing does
 * nothing.
 */
void rt_console_init(void);
void rt_console_drain(void); /* waits until everything has left the line */
