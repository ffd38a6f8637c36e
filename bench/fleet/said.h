/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program says, in a file without a name. */
#pragma once

#include "host/error.h"

#include <stddef.h>

/* The file, to be closed; -1 on error. */
int said_open(struct error *error) must_check;

/* The last line that a program wrote there, harmless; "" when there is none. */
void said_last_words(int fd, char *out, size_t size);
