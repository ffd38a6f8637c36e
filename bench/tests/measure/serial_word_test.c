/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The word that names a serial line, as the kernel reads it: the lists are those of the kernel's test. */
#include "test.h"

#include "host/mem.h"
#include "measure/serial_word.h"

#include "../../../tests/unit/platform/serial_words.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool check(const char *word, unsigned long *baud, struct error *error)
{
	char *words = xasprintf("novga serial=%s log=debug", word);
	bool valid = serial_word_check(words, baud, error);

	free(words);
	return valid;
}

UNIT_TEST(good_words)
{
	for (unsigned i = 0; i < COUNT(serial_words_good); i++) {
		struct error error;
		unsigned long baud;

		assert_true(check(serial_words_good[i].text, &baud, &error));
		assert_int_equal(baud, serial_words_good[i].baud);
	}
}

UNIT_TEST(bad_words)
{
	for (unsigned i = 0; i < COUNT(serial_words_bad); i++) {
		struct error error;
		unsigned long baud;

		if (strchr(serial_words_bad[i], ' '))
			continue; /* here a blank ends the word */
		if (check(serial_words_bad[i], &baud, &error))
			fail_msg("'%s' was accepted", serial_words_bad[i]);
		assert_non_null(strstr(error.text, serial_words_bad[i]));
	}
}

UNIT_TEST(other_words)
{
	struct error error;
	unsigned long baud;

	assert_true(serial_word_check("", &baud, &error));
	assert_true(serial_word_check("serial novga xserial=9", &baud, &error));
	assert_int_equal(baud, 0);
	assert_true(serial_word_check("serial=com1,9600 serial=com1,19200", &baud, &error));
	assert_int_equal(baud, 19200); /* the last one counts */
	assert_false(serial_word_check("serial=x serial=com1", &baud, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_words),
		cmocka_unit_test(bad_words),
		cmocka_unit_test(other_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
