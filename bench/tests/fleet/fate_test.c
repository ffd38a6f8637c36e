/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/fate.h"
#include "host/file.h"
#include "host/mem.h"
#include "scratch.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

static struct fate fate;

static char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

/* What comes back is what was kept, without what could harm a terminal. */
static void kept(void **state)
{
	char *path = in_folder("kept.json");
	struct error error;

	(void)state;
	fate = (struct fate){.verdict = FATE_PANIC, .why = "x \033[31m y"};
	fate_add(&fate, FATE_OK, "console.1.log", "", 1.5);
	fate_add(&fate, FATE_PANIC, "console.2.log", "it \377 broke", 2);
	assert_true(fate_save(&fate, path, &error));
	assert_true(fate_load(&fate, path, &error));
	assert_int_equal(fate.verdict, FATE_PANIC);
	assert_string_equal(fate.why, "x ?[31m y");
	assert_int_equal(fate.attempt_count, 2);
	assert_int_equal(fate.good_boots, 1);
	assert_string_equal(fate.attempts[1].log, "console.2.log");
	assert_string_equal(fate.attempts[1].why, "it ? broke");
	assert_true(fate.attempts[0].seconds > 1.4 && fate.attempts[0].seconds < 1.6);
	free(path);
}

/* Logs are read later: their names must not lead out of the folder. */
static void foreign(void **state)
{
	static const char text[] =
		"{\"verdict\":\"ok\",\"attempts\":[{\"verdict\":\"ok\",\"log\":\"../x\"},"
		"{\"verdict\":\"ok\",\"log\":\".x\"},{\"verdict\":\"nonsense\",\"log\":\"a\"}, 5]}";
	char *path = in_folder("foreign.json");
	struct error error;

	(void)state;
	assert_true(file_replace(path, text, strlen(text), &error));
	assert_true(fate_load(&fate, path, &error));
	assert_int_equal(fate.good_boots, 0);
	assert_int_equal(fate.attempts[0].verdict, FATE_OPEN);
	assert_string_equal(fate.attempts[0].log, "a");
	assert_true(file_replace(path, "[", 1, &error));
	assert_false(fate_load(&fate, path, &error));
	unlink(path);
	assert_true(fate_load(&fate, path, &error));
	assert_int_equal(fate.verdict, FATE_OPEN);
	free(path);
}

static void good_ones_are_not_forgotten(void **state)
{
	unsigned good = 0;

	(void)state;
	fate = (struct fate){0};
	for (unsigned i = 0; i < 400; i++)
		fate_add(&fate, i % 4 || good == FATE_BOOTS_MAX ? FATE_SILENT : (good++, FATE_OK), "l", "", 0);
	assert_int_equal(good, FATE_BOOTS_MAX);
	assert_int_equal(fate.attempt_count, FATE_ATTEMPTS_MAX);
	for (unsigned i = 0; i < fate.attempt_count; i++)
		good -= fate.attempts[i].verdict == FATE_OK;
	assert_int_equal(good, 0);
}

static void what_is_done(void **state)
{
	(void)state;
	fate = (struct fate){.verdict = FATE_SILENT};
	assert_true(fate_final(&fate) && fate_may_retry(FATE_SILENT) && !fate_may_retry(FATE_PANIC));
	for (size_t i = 0; i < 4; i++) {
		fate.verdict = (enum fate_verdict[]){FATE_OPEN, FATE_LOCKED, FATE_INTERRUPTED, FATE_PAYLOAD}[i];
		assert_false(fate_final(&fate));
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
