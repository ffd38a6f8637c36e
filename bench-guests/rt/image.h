/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The roottask's image in memory, whole pages (rt.ld): constants and code, then data, to its end. */
#pragma once

#include <stdint.h>

extern uint8_t rt_image_start[], rt_data_start[], rt_image_end[];
