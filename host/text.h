/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that comes from elsewhere: none of it reaches a terminal as a control character. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Prints `len` bytes; control and non-ASCII characters become visible as \xNN, line ends and tabs stay. */
void text_print_escaped(FILE *out, const char *s, size_t len);

/* Replaces control and non-ASCII characters in place by question marks. */
void text_mask(char *text);
