/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input: a byte, then an update in Intel's format or AMD's. Random bytes never add up to 0: if bit 0 of the byte is
 * clear, the checksum of the former is made right here. With bit 1 clear the memory ends where the update does.
 */
#include "fuzz.h"

#include "lib/types.h"
#include "platform/microcode.h"
#include "platform/microcode_amd.h"

#define SIZE_MAX_FUZZ 4096

enum { SIGNATURE = 3, CHECKSUM = 4, PLATFORMS = 6, DATA_SIZE = 7 };

static u32 sum(const u32 *words, u64 size)
{
	u32 s = 0;

	for (u64 i = 0; i < size / 4; i++)
		s += words[i];
	return s;
}

static void check(const u32 *blob, u64 size)
{
	u64 total = microcode_size(blob, size);

	CHECK(total <= size && total % 1024 == 0);
	if (!microcode_valid(blob, size))
		return;
	CHECK(total && !sum(blob, total) && microcode_revision(blob));
	CHECK(48 + (u64)(blob[DATA_SIZE] ? blob[DATA_SIZE] : 2000) <= total);
	CHECK(microcode_valid(blob, total));
	for (unsigned platform = 0; platform < 8; platform++) {
		if (blob[PLATFORMS] >> platform & 1)
			CHECK(microcode_matches(blob, blob[SIGNATURE], platform));
		(void)microcode_matches(blob, 0x906ea, platform);
	}
}

/* Whoever asks, containers are whole or not; and what is found is the content of a section in them. */
static void check_amd(const u32 *blob, u64 size)
{
	struct microcode_amd_patch newest;
	bool whole = microcode_amd_find(blob, size, 0, &newest);

	CHECK(!newest.size); /* the end of a table is no entry */
	CHECK(!whole || microcode_amd_begins(blob));
	for (u64 i = 0; i < size / sizeof(u32); i++) {
		u32 words[4];
		CHECK(microcode_amd_find(blob, size, blob[i], &newest) == whole);
		if (!newest.size)
			continue;
		u64 at = (u64)(newest.data - (const u8 *)blob);
		CHECK(at >= 12 && at <= size && newest.size >= 64 && newest.size <= size - at);
		memcpy(words, newest.data - 8, sizeof(words));
		CHECK(words[0] == 1 && words[1] == newest.size && words[3] == newest.revision && newest.revision);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 5 || size > SIZE_MAX_FUZZ)
		return 0;
	u64 length = size - 1;
	u32 *blob = malloc(length);
	memcpy(blob, data + 1, length);
	check_amd(blob, length);
	u64 total = microcode_size(blob, length);
	if (!(*data & 1) && total)
		blob[CHECKSUM] -= sum(blob, total);
	if (!(*data & 2) && total)
		blob = realloc(blob, length = total);
	check(blob, length);
	free(blob);
	return 0;
}
