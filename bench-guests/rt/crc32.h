/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checksum with which lines of the serial port are sealed (docs/bench-protocol.md). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of IEEE 802.3. */
uint32_t rt_crc32(const char *data, size_t size);
