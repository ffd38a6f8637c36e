/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/sleep.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "platform/phys.h"

enum { ZERO = 0x00, ONE = 0x01, NAME = 0x08, BYTE = 0x0a, WORD = 0x0b, DWORD = 0x0c, PACKAGE = 0x12, ROOT = '\\' };

#define TABLE_HEADER 36
#define CHUNK 256
/* Opcode, root, name, opcode, length, number of elements, two integers. */
#define LONGEST (1 + 1 + 4 + 1 + 4 + 1 + 2 * 5)

/* Bytes that are still to be read. */
struct stream {
	const u8 *at, *end;
};

static bool take(struct stream *s, u8 *byte)
{
	if (s->at == s->end)
		return false;
	*byte = *s->at++;
	return true;
}

static bool take_byte(struct stream *s, u8 want)
{
	u8 byte;
	return take(s, &byte) && byte == want;
}

/* Skips a package length. Bits 7:6 of its first byte say how many bytes follow. */
static bool take_length(struct stream *s)
{
	u8 byte, more;
	if (!take(s, &byte))
		return false;
	for (more = byte >> 6; more; more--)
		if (!take(s, &byte))
			return false;
	return true;
}

/* Reads an integer constant, of any width, that is a sleep type: bytes above the first are 0. */
static bool take_type(struct stream *s, u8 *type)
{
	u8 op, zeroes = 0, byte;

	if (!take(s, &op))
		return false;
	if (op == ZERO || op == ONE) {
		*type = op;
		return true;
	}
	if (op < BYTE || op > DWORD || !take(s, type) || *type > SLEEP_TYPE_MAX)
		return false;
	for (zeroes = (u8)((1 << (op - BYTE)) - 1); zeroes; zeroes--)
		if (!take(s, &byte) || byte)
			return false;
	return true;
}

/* Name(_S3_, Package(2 or more){a, b, ...}). */
static bool match(struct stream s, struct sleep_types *out)
{
	u8 elements;

	if (!take_byte(&s, NAME))
		return false;
	if (s.at < s.end && *s.at == ROOT)
		s.at++;
	if (s.end - s.at < 4 || memcmp(s.at, "_S3_", 4))
		return false;
	s.at += 4;
	if (!take_byte(&s, PACKAGE) || !take_length(&s) || !take(&s, &elements) || elements < 2)
		return false;
	struct sleep_types found = {.known = true};
	if (!take_type(&s, &found.a) || !take_type(&s, &found.b))
		return false;
	*out = found;
	return true;
}

void sleep_find_s3(u64 table, u32 length, struct sleep_types *out)
{
	u8 bytes[CHUNK + LONGEST];

	for (u32 at = TABLE_HEADER; at < length && !out->known; at += CHUNK) {
		u32 have = (u32)min_u64(length - at, sizeof(bytes));
		if (!phys_read(table + at, bytes, have))
			return;
		for (u32 i = 0; i < have && i < CHUNK && !out->known; i++)
			match((struct stream){bytes + i, bytes + have}, out);
	}
}
