/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kernel it was: its build id, a hash of all that its image is made of, in hexadecimal. A result has it of the
 * image's file, or of the roottask, whose line carries a checksum (docs/bench-protocol.md). Older ones have the
 * beginning of it only, from the kernel's boot line, which carries none.
 */
#pragma once

#include <stdbool.h>

struct result;

enum { BUILD_ID_SHOWN = 16 }; /* digits that the boot line has */

typedef char build_id_shown[BUILD_ID_SHOWN + 1];

/* True for at least BUILD_ID_SHOWN digits in lower case. */
bool build_id_valid(const char *id);

/* Of "... (release, gcc 12.2.0, build a1eab56977712391) [MB1]"; "" when the line names no build. */
void build_id_of_line(const char *boot_line, build_id_shown out);

/* The beginning of that of the kernel that was measured, as far as any result tells it; "" when it tells nothing. */
void build_id_of_result(const struct result *result, build_id_shown out);
