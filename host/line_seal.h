/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seal at the end of a line that came over a console (docs/bench-protocol.md, "Seals"): the last member of the
 * line's JSON object is the checksum of all text before it, from the opening brace on. A line whose seal is whole is
 * the one that was written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_SEAL_FORMAT ",\"crc\":\"%08x\"}"

enum { LINE_SEAL_LENGTH = sizeof(",\"crc\":\"xxxxxxxx\"}") - 1 };

/* CRC-32 of IEEE 802.3. */
uint32_t line_seal_crc(const char *text, size_t len);

/* Whether the text ends with something that looks like a seal. */
bool line_seal_present(const char *text, size_t len);

/* Whether it ends with the seal that belongs to it. */
bool line_seal_whole(const char *text, size_t len);
