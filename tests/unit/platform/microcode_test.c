/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Microcode updates: what is accepted is whole and for this processor. Updates lie in memory of exactly their length,
 * so that the sanitizers see whoever reads too far. tests/guest/microcode.c has the rest, with a processor.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "platform/microcode.h"

/* Words of the header, and of the table behind the data. */
enum { VERSION, REVISION, DATE, SIGNATURE, CHECKSUM, LOADER, PLATFORMS, DATA_SIZE, TOTAL_SIZE, HEADER_WORDS = 12 };
enum { COUNT, EXT_CHECKSUM, EXT_WORDS = 5, ENTRY_WORDS = 3 };

#define SIGNATURE_OURS 0x906ea
#define PLATFORM_OURS 5

static u32 *blob;

UNIT_FIXTURE(teardown)
{
	free(blob);
	blob = NULL;
	return 0;
}

static void seal_words(u32 *words, u32 bytes, unsigned at)
{
	u32 sum = 0;

	words[at] = 0;
	for (u32 i = 0; i < bytes / 4; i++)
		sum += words[i];
	words[at] = -sum;
}

static void seal(u32 size)
{
	seal_words(blob, size, CHECKSUM);
}

static void make(u32 data_size, u32 total_size)
{
	u32 size = data_size ? total_size : 2048, data = data_size ? data_size : 2000;

	free(blob);
	blob = calloc(1, size);
	blob[VERSION] = blob[LOADER] = 1;
	blob[REVISION] = 0xb4;
	blob[DATE] = 0x01022024;
	blob[SIGNATURE] = SIGNATURE_OURS;
	blob[PLATFORMS] = 1 << PLATFORM_OURS | 1;
	blob[DATA_SIZE] = data_size;
	blob[TOTAL_SIZE] = total_size;
	for (u32 i = 0; i < data / 4; i++)
		blob[HEADER_WORDS + i] = 0x9e3779b9 * (i + 1);
	seal(size);
}

static bool ours(void)
{
	return microcode_matches(blob, SIGNATURE_OURS, PLATFORM_OURS);
}

UNIT_TEST(sound_ones)
{
	static const u32 sizes[][2] = {{2000, 2048}, {4, 1024}, {976, 1024}, {1 << 20, (1 << 20) + 1024}};

	for (unsigned i = 0; i < array_size(sizes); i++) {
		make(sizes[i][0], sizes[i][1]);
		assert_int_equal(microcode_size(blob, sizes[i][1]), sizes[i][1]);
		assert_true(microcode_valid(blob, sizes[i][1]));
		assert_true(ours());
		assert_int_equal(microcode_revision(blob), 0xb4);
	}
}

UNIT_TEST(default_sizes)
{
	static const u32 ignored[] = {0, 1, 2048, 1024, 0xffffffff};

	for (unsigned i = 0; i < array_size(ignored); i++) {
		make(0, ignored[i]);
		assert_int_equal(microcode_size(blob, 2048), 2048);
		assert_true(microcode_valid(blob, 2048));
		assert_false(microcode_valid(blob, 2047));
	}
}

/* The header alone decides about the size: nothing else is read. */
UNIT_TEST(size_reads_the_header_only)
{
	u8 *header = malloc(MICROCODE_HEADER_SIZE);

	make(2000, 2048);
	memcpy(header, blob, MICROCODE_HEADER_SIZE);
	assert_int_equal(microcode_size(header, 2048), 2048);
	assert_int_equal(microcode_size(header, 1ull << 40), 2048);
	assert_int_equal(microcode_size(header, 2047), 0);
	free(header);
	header = malloc(MICROCODE_HEADER_SIZE - 1);
	memcpy(header, blob, MICROCODE_HEADER_SIZE - 1);
	assert_int_equal(microcode_size(header, MICROCODE_HEADER_SIZE - 1), 0);
	assert_int_equal(microcode_size(header, 0), 0);
	free(header);
}

static void refused_with(unsigned word, u32 value)
{
	make(2000, 2048);
	blob[word] = value;
	seal(2048);
	assert_int_equal(microcode_size(blob, 2048), 0);
	assert_false(microcode_valid(blob, 2048));
}

UNIT_TEST(bad_headers)
{
	static const struct {
		unsigned word;
		u32 value;
	} bad[] = {{VERSION, 0},       {VERSION, 2},           {VERSION, 0x100},    {LOADER, 0},
		   {LOADER, 2},        {REVISION, 0},          {DATA_SIZE, 1999},   {DATA_SIZE, 1998},
		   {DATA_SIZE, 2004},  {DATA_SIZE, -4u},       {DATA_SIZE, -48u},   {DATA_SIZE, 1u << 31},
		   {TOTAL_SIZE, 0},    {TOTAL_SIZE, 1024},     {TOTAL_SIZE, 2044},  {TOTAL_SIZE, 2047},
		   {TOTAL_SIZE, 3072}, {TOTAL_SIZE, 1u << 31}, {TOTAL_SIZE, -1024u}};

	for (unsigned i = 0; i < array_size(bad); i++)
		refused_with(bad[i].word, bad[i].value);
}

UNIT_TEST(every_bit_counts)
{
	make(976, 2048);
	for (u32 i = 0; i < 2048 * 8; i++) {
		blob[i / 32] ^= 1u << i % 32;
		assert_false(microcode_valid(blob, 2048));
		blob[i / 32] ^= 1u << i % 32;
	}
	assert_true(microcode_valid(blob, 2048));
}

UNIT_TEST(other_processors)
{
	make(2000, 2048);
	for (unsigned platform = 0; platform < 8; platform++)
		assert_int_equal(microcode_matches(blob, SIGNATURE_OURS, platform),
				 platform == PLATFORM_OURS || !platform);
	for (unsigned b = 0; b < 32; b++)
		assert_false(microcode_matches(blob, SIGNATURE_OURS ^ 1u << b, PLATFORM_OURS));
}

/* An update for another processor whose table has `entries`; the last is ours. */
static u32 *extend(u32 entries)
{
	make(976, 2048);
	blob[SIGNATURE] = 0x806e9;
	seal(2048);

	u32 *ext = blob + 1024 / 4, sum = blob[SIGNATURE] + blob[PLATFORMS] + blob[CHECKSUM];
	ext[COUNT] = entries;
	for (u32 i = 0; i < entries; i++) {
		u32 *e = ext + EXT_WORDS + i * ENTRY_WORDS;
		e[0] = i == entries - 1 ? SIGNATURE_OURS : 0x1000 + i;
		e[1] = 1 << PLATFORM_OURS;
		e[2] = sum - e[0] - e[1];
	}
	seal_words(ext, (EXT_WORDS + entries * ENTRY_WORDS) * 4, EXT_CHECKSUM);
	return ext;
}

#define ENTRIES_MAX 83 /* in 1024 bytes */

UNIT_TEST(tables)
{
	for (u32 entries = 1; entries <= ENTRIES_MAX; entries++) {
		extend(entries);
		assert_true(microcode_valid(blob, 2048));
		assert_true(ours());
		assert_true(microcode_matches(blob, 0x806e9, 0));
		assert_false(microcode_matches(blob, SIGNATURE_OURS, 0));
		assert_int_equal(microcode_matches(blob, 0x1000, PLATFORM_OURS), entries > 1);
		assert_false(microcode_matches(blob, 0x1000 + entries - 1, PLATFORM_OURS));
	}
}

UNIT_TEST(bad_tables)
{
	static const u32 counts[] = {ENTRIES_MAX + 1, 85, 0x15555556, 0x55555555, 1u << 31, ~0u};
	u32 *ext;

	for (unsigned i = 0; i < array_size(counts); i++) {
		ext = extend(1);
		ext[COUNT] = counts[i];
		seal_words(ext, (EXT_WORDS + ENTRY_WORDS) * 4, EXT_CHECKSUM);
		seal(2048);
		assert_false(microcode_valid(blob, 2048));
	}
	ext = extend(3);
	ext[EXT_CHECKSUM]++;
	seal(2048);
	assert_false(microcode_valid(blob, 2048));
	for (unsigned entry = 0; entry < 3; entry++) { /* its checksum is wrong, all others are right */
		ext = extend(3);
		ext[EXT_WORDS + entry * ENTRY_WORDS + 2]++;
		seal_words(ext, (EXT_WORDS + 3 * ENTRY_WORDS) * 4, EXT_CHECKSUM);
		seal(2048);
		assert_false(microcode_valid(blob, 2048));
	}
}

/* Between data and end there is not even room for a table's head, or just that. */
UNIT_TEST(little_room)
{
	for (u32 room = 0; room <= 40; room += 4) {
		make(1024 - 48 - room, 1024);
		if (room) {
			blob[(1024 - room) / 4] = room < 20 ? 7 : 0;
			seal(1024);
		}
		assert_true(microcode_valid(blob, 1024));
		assert_true(ours());
	}
	make(1024 - 48 - 20, 1024);
	blob[(1024 - 20) / 4] = 1;
	seal(1024);
	assert_false(microcode_valid(blob, 1024));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(sound_ones, teardown),
		cmocka_unit_test_teardown(default_sizes, teardown),
		cmocka_unit_test_teardown(size_reads_the_header_only, teardown),
		cmocka_unit_test_teardown(bad_headers, teardown),
		cmocka_unit_test_teardown(every_bit_counts, teardown),
		cmocka_unit_test_teardown(other_processors, teardown),
		cmocka_unit_test_teardown(tables, teardown),
		cmocka_unit_test_teardown(bad_tables, teardown),
		cmocka_unit_test_teardown(little_room, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
