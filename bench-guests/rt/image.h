/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Begin and end of the roottask's image in memory, whole pages: code, constants and data (rt.ld). */
#pragma once

#include <stdint.h>

extern uint8_t rt_image_start[], rt_image_end[];
