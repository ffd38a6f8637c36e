/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "platform/microcode_amd.h"

#include "lib/bits.h"
#include "lib/string.h"

#define MAGIC 0x00414d44 /* "DMA\0" in memory */

/* Nothing is aligned: there are patches whose size is an odd multiple of 2. */
struct section {
	u32 type, size;
};

#define SECTION_TABLE 0
#define SECTION_PATCH 1

/* The last entry of a table has no signature. */
struct entry {
	u32 signature, errata_mask, errata_compare;
	u16 number, reserved;
};

struct patch {
	u32 date, revision;
	u16 data_id;
	u8 data_length, initialize;
	u32 checksum, north_bridge, south_bridge;
	u16 number;
	u8 north_bridge_revision, south_bridge_revision, bios_revision, reserved[3];
	u32 match[8];
};

_Static_assert(sizeof(struct section) == 8 && sizeof(struct entry) == 16 && sizeof(struct patch) == 64,
	       "as in AMD's description");

#define NO_NUMBER 0x10000 /* more than an entry can have */

/* What is left to read. */
struct cursor {
	const u8 *at;
	u64 left;
};

static bool take(struct cursor *c, void *to, u64 size)
{
	if (c->left < size)
		return false;
	memcpy(to, c->at, size);
	c->at += size;
	c->left -= size;
	return true;
}

static bool take_section(struct cursor *c, u32 type, struct cursor *content)
{
	struct section s;
	if (!take(c, &s, sizeof(s)) || s.type != type || s.size > c->left)
		return false;
	*content = (struct cursor){c->at, s.size};
	c->at += s.size;
	c->left -= s.size;
	return true;
}

/* The number that CPUs with this signature have in patches. False: the table has no end. */
static bool find_number(struct cursor table, u32 signature, u32 *number)
{
	struct entry e;

	*number = NO_NUMBER;
	while (take(&table, &e, sizeof(e))) {
		if (!e.signature)
			return true;
		if (e.signature == signature && *number == NO_NUMBER)
			*number = e.number;
	}
	return false;
}

static bool take_table(struct cursor *c, u32 signature, u32 *number)
{
	struct cursor table;
	return take_section(c, SECTION_TABLE, &table) && is_aligned(table.left, sizeof(struct entry)) &&
	       find_number(table, signature, number);
}

/* Revision 0 is what a CPU without any update has. A patch that names a bridge is for the boards that have it, which
 * nobody here looks for. */
static bool take_patch(struct cursor *c, u32 number, struct microcode_amd_patch *newest)
{
	struct cursor content, rest;
	struct patch p;

	if (!take_section(c, SECTION_PATCH, &content))
		return false;
	rest = content;
	if (!take(&rest, &p, sizeof(p)) || !p.revision)
		return false;
	if (p.number == number && !p.north_bridge && !p.south_bridge && p.revision > newest->revision)
		*newest = (struct microcode_amd_patch){content.at, (u32)content.left, p.revision};
	return true;
}

bool microcode_amd_begins(const void *blob)
{
	u32 word;
	memcpy(&word, blob, sizeof(word));
	return word == MAGIC;
}

static bool at_container(const struct cursor *c)
{
	return c->left >= sizeof(u32) && microcode_amd_begins(c->at);
}

static bool take_container(struct cursor *c, u32 signature, struct microcode_amd_patch *newest)
{
	u32 magic, number;

	if (!at_container(c) || !take(c, &magic, sizeof(magic)) || !take_table(c, signature, &number))
		return false;
	while (c->left && !at_container(c))
		if (!take_patch(c, number, newest))
			return false;
	return true;
}

bool microcode_amd_find(const void *blob, u64 size, u32 signature, struct microcode_amd_patch *newest)
{
	struct cursor c = {blob, size};

	*newest = (struct microcode_amd_patch){0};
	do {
		if (!take_container(&c, signature, newest))
			return false;
	} while (c.left);
	return true;
}
