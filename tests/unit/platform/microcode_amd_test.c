/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers of microcode for AMD's processors: what is accepted is whole, and the patch that is found is the newest
 * for this processor. Containers lie in memory of exactly their length, so that the sanitizers see whoever reads too
 * far. tests/guest/microcode.c has the rest, with a processor.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "platform/microcode_amd.h"

#define MAGIC 0x00414d44u
#define OURS 0x00800f12u
#define OTHERS 0x00a20f10u
#define NUMBER_OURS 0x8012
#define NUMBER_OTHERS 0xa210
#define PATCH_HEADER 64
#define ENTRY 16

static u8 *blob;
static u32 size;

UNIT_FIXTURE(teardown)
{
	free(blob);
	blob = NULL;
	size = 0;
	return 0;
}

static void put(const void *data, u32 bytes)
{
	blob = realloc(blob, size + bytes);
	memcpy(blob + size, data, bytes);
	size += bytes;
}

static void put_word(u32 word)
{
	put(&word, sizeof(word));
}

static void put_section(u32 type, u32 bytes)
{
	put_word(type);
	put_word(bytes);
}

static void put_entry(u32 signature, u32 number)
{
	u32 entry[ENTRY / 4] = {signature, 0, 0, number};

	put(entry, sizeof(entry));
}

/* Where its section begins. */
static u32 put_patch(u32 revision, u16 number, u32 bytes)
{
	u32 at = size;
	u8 *patch = calloc(1, bytes);

	memcpy(patch + 4, &revision, sizeof(revision));
	memcpy(patch + 24, &number, sizeof(number));
	put_section(1, bytes);
	put(patch, bytes);
	free(patch);
	return at;
}

/* The head of a container for both kinds of CPUs. */
static void begin(void)
{
	put_word(MAGIC);
	put_section(0, 3 * ENTRY);
	put_entry(OTHERS, NUMBER_OTHERS);
	put_entry(OURS, NUMBER_OURS);
	put_entry(0, 0);
}

static void start(void)
{
	teardown(NULL);
	begin();
}

static void is_refused(void)
{
	struct microcode_amd_patch newest;

	assert_false(microcode_amd_find(blob, size, OURS, &newest));
}

/* The patch in the section at `at` is found. */
static void finds(u32 signature, u32 at, u32 revision, u32 bytes)
{
	struct microcode_amd_patch newest;

	assert_true(microcode_amd_find(blob, size, signature, &newest));
	assert_ptr_equal(newest.data, blob + at + 8);
	assert_int_equal(newest.revision, revision);
	assert_int_equal(newest.size, bytes);
}

static void finds_none(u32 signature)
{
	struct microcode_amd_patch newest;

	assert_true(microcode_amd_find(blob, size, signature, &newest));
	assert_int_equal(newest.size, 0);
}

UNIT_TEST(begins)
{
	static const u32 others[] = {0, 1, 0x414d4400, 0x00414d45, 0x01414d44};

	put_word(MAGIC);
	assert_true(microcode_amd_begins(blob));
	for (unsigned i = 0; i < array_size(others); i++)
		assert_false(microcode_amd_begins(&others[i]));
}

UNIT_TEST(sound_ones)
{
	static const u32 sizes[] = {PATCH_HEADER, 960, 3458, 5568, 1 << 20};

	for (unsigned i = 0; i < array_size(sizes); i++) {
		start();
		u32 others = put_patch(0x0a201009, NUMBER_OTHERS, sizes[i]);
		u32 ours = put_patch(0x08001227, NUMBER_OURS, sizes[i]);
		finds(OURS, ours, 0x08001227, sizes[i]);
		finds(OTHERS, others, 0x0a201009, sizes[i]);
	}
}

UNIT_TEST(other_processors)
{
	start();
	put_patch(0x08001227, NUMBER_OURS, 100);
	finds_none(0);
	finds_none(OTHERS);
	for (unsigned b = 0; b < 32; b++)
		finds_none(OURS ^ 1u << b);
}

UNIT_TEST(the_newest_counts)
{
	start();
	put_patch(5, NUMBER_OURS, 100);
	u32 newest = put_patch(0x80000001, NUMBER_OURS, 200);
	put_patch(0x7fffffff, NUMBER_OURS, 300);
	put_patch(0x80000001, NUMBER_OURS, 400); /* the first of two that are the same */
	put_patch(0x90000000, NUMBER_OTHERS, 100);
	finds(OURS, newest, 0x80000001, 200);
}

/* Each container has a table of its own: the same number may mean others in the next. */
UNIT_TEST(several_containers)
{
	start();
	u32 first = put_patch(7, NUMBER_OURS, 100);
	put_word(MAGIC);
	put_section(0, 2 * ENTRY);
	put_entry(OTHERS, NUMBER_OURS);
	put_entry(0, 0);
	u32 second = put_patch(9, NUMBER_OURS, 100);
	begin();
	finds(OURS, first, 7, 100);
	finds(OTHERS, second, 9, 100);
	u32 third = put_patch(8, NUMBER_OURS, 100);
	finds(OURS, third, 8, 100);
}

/* What the first entry says counts, and nothing behind the end of the table does. */
UNIT_TEST(tables)
{
	put_word(MAGIC);
	put_section(0, 5 * ENTRY);
	put_entry(OURS, NUMBER_OURS);
	put_entry(OURS, NUMBER_OTHERS);
	put_entry(0, 0x55);
	put_entry(OTHERS, NUMBER_OTHERS);
	put_entry(0, 0);
	u32 ours = put_patch(1, NUMBER_OURS, 100);
	put_patch(2, NUMBER_OTHERS, 100);
	put_patch(3, 0x55, 100);
	finds(OURS, ours, 1, 100);
	finds_none(OTHERS);
	finds_none(0);
}

UNIT_TEST(bad_tables)
{
	static const struct {
		u32 type, bytes;
	} bad[] = {{0, 0},          {0, 1},        {0, 15},   {0, 17},  {0, 2 * ENTRY}, {0, 3 * ENTRY - 1},
		   {0, 4 * ENTRY},  {0, 1u << 31}, {0, -16u}, {0, ~0u}, {1, 3 * ENTRY}, {2, 3 * ENTRY},
		   {~0u, 3 * ENTRY}};

	for (unsigned i = 0; i < array_size(bad); i++) {
		start();
		memcpy(blob + 4, &bad[i].type, 4);
		memcpy(blob + 8, &bad[i].bytes, 4);
		is_refused();
	}
	start();
	blob[12 + 2 * ENTRY] = 1; /* the last is no end */
	is_refused();
}

UNIT_TEST(bad_patches)
{
	static const struct {
		u32 type, bytes;
	} bad[] = {{0, 100}, {2, 100},      {1, 0},   {1, PATCH_HEADER - 1}, {1, 99}, {1, 101},
		   {1, -8u}, {1, 1u << 31}, {1, ~0u}, {MAGIC, 100}};

	for (unsigned i = 0; i < array_size(bad); i++) {
		start();
		u32 at = put_patch(7, NUMBER_OURS, 100);
		memcpy(blob + at, &bad[i].type, 4);
		memcpy(blob + at + 4, &bad[i].bytes, 4);
		is_refused();
	}
	start();
	put_patch(0, NUMBER_OURS, 100);
	is_refused();
	start();
	put_patch(0, NUMBER_OTHERS, 100); /* whoever it is for */
	is_refused();
}

/* A patch for certain boards is sound, and not for us. */
UNIT_TEST(bridges)
{
	for (unsigned byte = 16; byte < 24; byte++) {
		start();
		u32 at = put_patch(7, NUMBER_OURS, 100);
		blob[at + 8 + byte] = 1;
		finds_none(OURS);
	}
}

/* Cut off anywhere but between sections, or followed by anything, it is not whole. */
UNIT_TEST(every_byte_counts)
{
	start();
	u32 table = size, first = put_patch(7, NUMBER_OURS, 100), patch = size;
	begin();
	for (u32 length = 0; length < size; length++) {
		struct microcode_amd_patch newest;
		u8 *part = malloc(length ? length : 1);
		memcpy(part, blob, length);
		bool whole = length == table || length == patch;
		assert_int_equal(microcode_amd_find(part, length, OURS, &newest), whole);
		if (length == patch)
			assert_ptr_equal(newest.data, part + first + 8);
		free(part);
	}
	for (unsigned more = 1; more < 16; more++) {
		put("", 1);
		is_refused();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(begins, teardown),
		cmocka_unit_test_teardown(sound_ones, teardown),
		cmocka_unit_test_teardown(other_processors, teardown),
		cmocka_unit_test_teardown(the_newest_counts, teardown),
		cmocka_unit_test_teardown(several_containers, teardown),
		cmocka_unit_test_teardown(tables, teardown),
		cmocka_unit_test_teardown(bad_tables, teardown),
		cmocka_unit_test_teardown(bad_patches, teardown),
		cmocka_unit_test_teardown(bridges, teardown),
		cmocka_unit_test_teardown(every_byte_counts, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
