/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can one byte at that address be read (written back as it was)? The runtime's event portals catch the fault, so this
 * is for ECs that use them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool rt_can_read(const volatile void *p);
bool rt_can_write(volatile void *p);

/* The instructions that may fault, and where to go on if one did. */
extern const uint8_t rt_probe_read[], rt_probe_write[], rt_probe_failed[];
