/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The word that names a serial line: all its forms, and what is refused. */
#include "unit.h"

#include <stdlib.h>

#include "platform/serial_word.h"
#include "serial_words.h"

static bool parse(const char *text, struct serial_word *out)
{
	size_t length = strlen(text);
	char *copy = malloc(length ? length : 1); /* the sanitizer sees the end: there is no NUL */

	memcpy(copy, text, length);
	memset(out, 0xa5, sizeof(*out));
	bool valid = serial_word_parse(copy, length, out);
	free(copy);
	return valid;
}

UNIT_TEST(test_good)
{
	static const char *const places[] = {
		[SERIAL_AUTO] = "auto", [SERIAL_PORT] = "port", [SERIAL_MMIO] = "mmio", [SERIAL_PCI] = "pci"};

	for (unsigned i = 0; i < array_size(serial_words_good); i++) {
		struct serial_word w;
		const struct serial_words_good *want = &serial_words_good[i];
		assert_true(parse(want->text, &w));
		assert_string_equal(places[w.place], want->place);
		assert_int_equal(w.at, want->at);
		assert_int_equal(w.baud, want->baud);
		assert_int_equal(w.clock, want->clock);
		assert_int_equal(w.lcr, want->lcr);
		assert_int_equal(w.stride, want->stride);
	}
}

UNIT_TEST(test_bad)
{
	for (unsigned i = 0; i < array_size(serial_words_bad); i++) {
		struct serial_word w;
		if (parse(serial_words_bad[i], &w))
			fail_msg("'%s' was accepted", serial_words_bad[i]);
		assert_int_equal(w.place, SERIAL_AUTO);
		assert_int_equal(w.at | w.baud | w.clock | w.stride, 0);
	}
}

/* Each beginning of a good word is read to its end and no further. */
UNIT_TEST(test_beginnings)
{
	for (unsigned i = 0; i < array_size(serial_words_good); i++)
		for (size_t n = 0; n < strlen(serial_words_good[i].text); n++) {
			struct serial_word w;
			char part[64] = "";
			memcpy(part, serial_words_good[i].text, n);
			bool valid = parse(part, &w);
			assert_true(valid || w.place == SERIAL_AUTO);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_beginnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
