/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "measure/telnet.h"

#include <string.h>

static unsigned char replies[64];
static size_t replied;

static void reply(void *context, const unsigned char *bytes)
{
	(void)context;
	assert_true(replied + TELNET_REPLY_MAX <= sizeof(replies));
	memcpy(replies + replied, bytes, TELNET_REPLY_MAX);
	replied += TELNET_REPLY_MAX;
}

/* Feeds the input in pieces of `step` bytes. */
static void expect_data(const char *input, size_t len, size_t step, const char *wanted)
{
	struct telnet telnet = {0};
	char out[256] = "", piece[256];
	size_t used = 0;

	replied = 0;
	for (size_t at = 0; at < len; at += step) {
		size_t part = len - at < step ? len - at : step;

		memcpy(piece, input + at, part);
		part = telnet_filter(&telnet, piece, part, reply, NULL);
		memcpy(out + used, piece, part);
		used += part;
	}
	assert_int_equal(used, strlen(wanted));
	assert_memory_equal(out, wanted, used);
}

UNIT_TEST(plain_bytes_stay)
{
	expect_data("HBENCH {}\r\n", 11, 11, "HBENCH {}\r\n");
	assert_int_equal(replied, 0);
}

UNIT_TEST(options_are_declined)
{
	static const char input[] = "a\xff\xfb\x01" /* WILL ECHO */ "b\xff\xfd\x18" /* DO TERMINAL-TYPE */
				    "c\xff\xfc\x03" /* WONT */ "d\xff\xfe\x03" /* DONT */ "e";
	static const unsigned char answers[] = {255, 254, 1, 255, 252, 0x18};

	for (size_t step = 1; step < sizeof(input); step++) {
		expect_data(input, sizeof(input) - 1, step, "abcde");
		assert_int_equal(replied, sizeof(answers));
		assert_memory_equal(replies, answers, sizeof(answers));
	}
}

UNIT_TEST(commands_are_removed)
{
	static const char input[] = "a\xff\xf1" /* NOP */ "b\xff\xff" /* a byte 255 */
				    "c\xff\xfa\x18\x01\xff\xff\x02\xff\xf0" /* a negotiation */ "d";

	for (size_t step = 1; step < sizeof(input); step++)
		expect_data(input, sizeof(input) - 1, step,
			    "ab\xff"
			    "cd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_bytes_stay),
		cmocka_unit_test(options_are_declined),
		cmocka_unit_test(commands_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
