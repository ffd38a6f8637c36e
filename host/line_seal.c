/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/line_seal.h"

#include <stdio.h>
#include <string.h>

/* Bit by bit, as the runtime does it: a console is slower than that. */
uint32_t line_seal_crc(const char *text, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

bool line_seal_present(const char *text, size_t len)
{
	const char *seal = text + len - LINE_SEAL_LENGTH;

	if (len < LINE_SEAL_LENGTH || memcmp(seal, ",\"crc\":\"", 8) || memcmp(seal + 16, "\"}", 2))
		return false;
	for (int i = 8; i < 16; i++)
		if (!seal[i] || !strchr("0123456789abcdef", seal[i]))
			return false;
	return true;
}

bool line_seal_whole(const char *text, size_t len)
{
	char expected[LINE_SEAL_LENGTH + 1];

	if (len < LINE_SEAL_LENGTH)
		return false;
	snprintf(expected, sizeof(expected), LINE_SEAL_FORMAT, line_seal_crc(text, len - LINE_SEAL_LENGTH));
	return !memcmp(text + len - LINE_SEAL_LENGTH, expected, LINE_SEAL_LENGTH);
}
