/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log in RAM, read as Linux would read it: struct persistent_ram_buffer of a console, whatever was there before.
 */
#include "unit.h"

#include <stdio.h>

#include "host.h"
#include "platform/console.h"
#include "platform/ramlog.h"

#define SIZE 4096
#define ROOM (SIZE - 12)

static u8 region[SIZE + 64];
static char text[SIZE + 1];

static u32 word(unsigned at)
{
	return (u32)region[at] | (u32)region[at + 1] << 8 | (u32)region[at + 2] << 16 | (u32)region[at + 3] << 24;
}

/* As Linux reads it after a boot: from `start` to the end of what is used, then from the beginning. */
static const char *read_back(void)
{
	u32 start = word(4), size = word(8);

	assert_memory_equal(region, "DBGC", 4);
	assert_true(size <= ROOM && start <= size && start < ROOM);
	assert_true(size == ROOM || start == size);
	memcpy(text, region + 12 + start, size - start);
	memcpy(text + size - start, region + 12, start);
	text[size] = '\0';
	return text;
}

/* Once added a console stays, so there is one log for all tests. */
UNIT_FIXTURE(setup)
{
	memset(region, 0xa5, sizeof(region));
	host_written_back = 0;
	ramlog_init(region, (struct range){0x50000000, SIZE}, 0x123456789abcdef);
	return 0;
}

static void assert_behind_untouched(void)
{
	for (unsigned i = SIZE; i < sizeof(region); i++)
		assert_int_equal(region[i], 0xa5);
}

UNIT_TEST(test_begins_anew)
{
	assert_non_null(strstr(read_back(), "RAM log: boot 0123456789abcdef, 4 KiB at 0x50000000\n"));
	assert_ptr_equal(strstr(text, "RAM log"), text);
	assert_non_null(strstr(text, "ramoops.mem_address=0x50000000 ramoops.mem_size=0x1000 "
				     "ramoops.console_size=0x1000\n"));
	size_t before = strlen(text);
	log_info("hello");
	char line[] = "a line of user land\n";
	console_write_user(line, strlen(line));
	assert_string_equal(read_back() + before, "hello\na line of user land\n");
	assert_true(host_written_back >= 12 + strlen(text)); /* the header and all of the text */
	assert_behind_untouched();
}

/* Each length of lines meets the end of the region in another place. */
UNIT_TEST(test_wraps)
{
	static char all[64 * SIZE];
	size_t length = strlen(strcpy(all, read_back()));

	for (unsigned i = 0; i < 1500; i++) {
		char line[100];
		int n = snprintf(line, sizeof(line), "line %u%.*s", i, (int)(i % 61),
				 "............................................................");
		log_info("%s", line);
		length += (size_t)sprintf(all + length, "%s\n", line);
		assert_true(n > 0 && length < sizeof(all));
		size_t kept = length < ROOM ? length : ROOM;
		assert_string_equal(read_back(), all + length - kept);
	}
	assert_int_equal(word(8), ROOM);
	assert_behind_untouched();
}

/* Text that ends where the region does: the next byte goes to the beginning. */
UNIT_TEST(test_full_to_the_byte)
{
	while (word(8) < ROOM) {
		u32 left = ROOM - word(8), n = left < 100 ? left : left < 200 ? left - 100 : 100;
		log_info("%0*u", (int)n - 1, n);
	}
	assert_int_equal(word(4), 0);
	assert_int_equal(strlen(read_back()), ROOM);
	log_info("next");
	assert_int_equal(word(4), 5);
	assert_string_equal(read_back() + ROOM - 5, "next\n");
	assert_behind_untouched();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	const struct CMUnitTest tests[] = {
		TEST(begins_anew),
		TEST(wraps),
		TEST(full_to_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
