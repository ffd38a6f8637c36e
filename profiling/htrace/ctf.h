/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Common Trace Format 1.8: https://diamon.org/ctf. */
#pragma once

#include "view.h"

#include <stdio.h>

/* Writes `metadata` and a stream for each CPU into a folder. */
bool ctf_write(const struct view *view, const char *folder, struct error *error) must_check;

/* The description of all that is in the streams, in CTF's own language. */
void ctf_metadata(FILE *out, const struct view *view, const unsigned char uuid[16]);
