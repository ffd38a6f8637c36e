/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "fleet/outcome.h"
#include "host/file.h"
#include "host/mem.h"

#include "scratch.h"

#include <string.h>
#include <unistd.h>

static struct outcome outcome;

static char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

/* What comes back is what was kept, without what could harm a terminal. */
UNIT_TEST(kept)
{
	char *path = in_folder("kept.json");
	struct error error;

	outcome = (struct outcome){.verdict = OUTCOME_PANIC, .why = "x \033[31m y"};
	outcome_add(&outcome, OUTCOME_OK, "console.1.log", "", 1.5);
	outcome_add(&outcome, OUTCOME_PANIC, "console.2.log", "it \377 broke", 2);
	assert_true(outcome_save(&outcome, path, &error));
	assert_true(outcome_load(&outcome, path, &error));
	assert_int_equal(outcome.verdict, OUTCOME_PANIC);
	assert_string_equal(outcome.why, "x ?[31m y");
	assert_int_equal(outcome.attempt_count, 2);
	assert_int_equal(outcome.good_boots, 1);
	assert_string_equal(outcome.attempts[1].log, "console.2.log");
	assert_string_equal(outcome.attempts[1].why, "it ? broke");
	assert_true(outcome.attempts[0].seconds > 1.4 && outcome.attempts[0].seconds < 1.6);
	free(path);
}

/* Logs are read later: their names must not lead out of the folder. */
UNIT_TEST(foreign)
{
	static const char text[] =
		"{\"verdict\":\"ok\",\"attempts\":[{\"verdict\":\"ok\",\"log\":\"../x\"},"
		"{\"verdict\":\"ok\",\"log\":\".x\"},{\"verdict\":\"nonsense\",\"log\":\"a\"}, 5]}";
	char *path = in_folder("foreign.json");
	struct error error;

	assert_true(file_replace(path, text, strlen(text), &error));
	assert_true(outcome_load(&outcome, path, &error));
	assert_int_equal(outcome.good_boots, 0);
	assert_int_equal(outcome.attempts[0].verdict, OUTCOME_OPEN);
	assert_string_equal(outcome.attempts[0].log, "a");
	assert_true(file_replace(path, "[", 1, &error));
	assert_false(outcome_load(&outcome, path, &error));
	unlink(path);
	assert_true(outcome_load(&outcome, path, &error));
	assert_int_equal(outcome.verdict, OUTCOME_OPEN);
	free(path);
}

UNIT_TEST(good_ones_are_not_forgotten)
{
	unsigned good = 0;

	outcome = (struct outcome){0};
	for (unsigned i = 0; i < 400; i++)
		outcome_add(&outcome, i % 4 || good == OUTCOME_BOOTS_MAX ? OUTCOME_SILENT : (good++, OUTCOME_OK), "l",
			    "", 0);
	assert_int_equal(good, OUTCOME_BOOTS_MAX);
	assert_int_equal(outcome.attempt_count, OUTCOME_ATTEMPTS_MAX);
	for (unsigned i = 0; i < outcome.attempt_count; i++)
		good -= outcome.attempts[i].verdict == OUTCOME_OK;
	assert_int_equal(good, 0);
}

UNIT_TEST(what_is_done)
{
	outcome = (struct outcome){.verdict = OUTCOME_SILENT};
	assert_true(outcome_final(&outcome) && outcome_may_retry(OUTCOME_SILENT) &&
		    !outcome_may_retry(OUTCOME_PANIC));
	for (size_t i = 0; i < 5; i++) {
		outcome.verdict = (enum outcome_verdict[]){OUTCOME_OPEN, OUTCOME_LOCKED, OUTCOME_INTERRUPTED,
							   OUTCOME_PAYLOAD, OUTCOME_UNFIT}[i];
		assert_false(outcome_final(&outcome));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(foreign),
		cmocka_unit_test(good_ones_are_not_forgotten),
		cmocka_unit_test(what_is_done),
	};

	return cmocka_run_group_tests(tests, scratch_set_up, scratch_tear_down);
}
