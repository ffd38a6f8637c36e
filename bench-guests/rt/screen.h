/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text on user land's part of the screen, if the kernel knows of one that has pixels (docs/abi.md). */
#pragma once

#include <stddef.h>

void rt_screen_write(const char *text, size_t len); /* one at a time: console.h is for everybody */

/* For the start of the program. Before, and without a screen, writing does nothing. */
void rt_screen_init(void);
