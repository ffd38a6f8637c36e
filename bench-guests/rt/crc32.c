/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rt/crc32.h"

/* Bit by bit: a byte takes less than its way through the serial port, and no table takes room in caches. */
uint32_t rt_crc32(const char *data, size_t size)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < size; i++) {
		crc ^= (uint8_t)data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (-(crc & 1) & 0xedb88320);
	}
	return ~crc;
}
