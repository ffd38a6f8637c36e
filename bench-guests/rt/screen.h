/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text on user land's part of the screen, if the kernel knows of one, be it of pixels or of text (docs/abi.md). */
#pragma once

#include <stddef.h>

void rt_screen_write(const char *text, size_t len); /* one at a time: console.h is for everybody */

void rt_screen_home(void); /* clears it; the next text goes to its top */

/* Characters in a row, and rows, of which the last is never written to: 0 without a screen. */
unsigned rt_screen_columns(void);
unsigned rt_screen_rows(void);

/* For the start of the program. Before, and without a screen, writing does nothing. */
void rt_screen_init(void);
