/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time of day of the machine, from which VMs have theirs. */
#pragma once

#include <stdint.h>

/* Seconds since 1970 by the machine's MC146818, 0 if it has none that works. Takes the ports 0x70 and 0x71. */
uint64_t clock_seconds(void);
