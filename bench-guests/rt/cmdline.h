/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of the roottask's module: words, some of them "name=value". */
#pragma once

#include <stdbool.h>

#define RT_CMDLINE_MAX 4096 /* with the NUL */

const char *rt_cmdline(void); /* all of it, unless it is longer */
bool rt_cmdline_whole(void);

unsigned long rt_arg(const char *name, unsigned long otherwise); /* the number of "name=N", in decimal */
const char *rt_arg_text(const char *name); /* text of "name=text" and what follows on the line, or null */

/*
 * For "name=TEXT,TEXT...": does `word` begin with one of the texts? Without any text, everything is selected.
 */
bool rt_arg_selects(const char *name, const char *word);

/* For the start of the program. Must run before the pool hands out the RAM in which the kernel left the text. */
void rt_cmdline_init(void);
