/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program writes to stdout and stderr, kept in a file without a name, for messages. */
#pragma once

#include "host/error.h"

#include <stddef.h>

/* The file, to be closed; -1 on error. */
int said_open(struct error *error) must_check;

/* The last line that a program wrote there, without characters that could harm a terminal; "" when there is none. */
void said_last_words(int fd, char *out, size_t size);
