/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include "host/mem.h"
#include "result/finding.h"

#include <string.h>

static bool reads(const char *text, struct finding *f)
{
	json_t *object = json_loads(text, 0, NULL);
	struct error error = {""};
	bool good;

	assert_non_null(object);
	good = finding_from_json(f, "turbo", object, &error);
	json_decref(object);
	assert_true(good || error.text[0]);
	return good;
}

UNIT_TEST(states_and_amounts)
{
	struct finding f;
	finding_text text;

	assert_true(reads("{\"weight\":\"doubt\",\"state\":\"on\",\"why\":\"it is on\",\"later\":1}", &f));
	assert_int_equal(f.weight, FINDING_DOUBT);
	assert_string_equal(f.why, "it is on");
	finding_value_text(&f, text);
	assert_string_equal(text, "on");
	assert_true(reads("{\"weight\":\"fact\",\"amount\":12,\"sizes\":[[0,2000,5],[2000,2000,7]]}", &f));
	assert_int_equal(f.size_count, 2);
	finding_value_text(&f, text);
	assert_string_equal(text, "12");
}

UNIT_TEST(what_is_no_finding)
{
	static const char *const lines[] = {
		"[]",
		"{\"state\":\"on\"}",
		"{\"weight\":\"grave\",\"state\":\"on\"}",
		"{\"weight\":\"fact\"}",
		"{\"weight\":\"fact\",\"state\":1}",
		"{\"weight\":\"fact\",\"state\":\"a\\u001bb\"}",
		"{\"weight\":\"fact\",\"state\":\"on\",\"amount\":1}",
		"{\"weight\":\"fact\",\"amount\":-1}",
		"{\"weight\":\"fact\",\"amount\":1.5}",
		"{\"weight\":\"fact\",\"state\":\"on\",\"why\":3}",
		"{\"weight\":\"fact\",\"state\":\"on\",\"sizes\":[[0,1,1]]}",
		"{\"weight\":\"fact\",\"amount\":1,\"sizes\":{}}",
		"{\"weight\":\"fact\",\"amount\":1,\"sizes\":[[0,1]]}",
		"{\"weight\":\"fact\",\"amount\":1,\"sizes\":[[0,0,1]]}",
		"{\"weight\":\"fact\",\"amount\":2,\"sizes\":[[0,2,1],[1,2,1]]}",
		"{\"weight\":\"fact\",\"amount\":2,\"sizes\":[[0,2,1]]}",
		"{\"weight\":\"fact\",\"amount\":1,\"sizes\":[[0,2,2]]}",
	};
	struct finding f;

	for (size_t i = 0; i < array_size(lines); i++)
		if (reads(lines[i], &f))
			fail_msg("accepted: %s", lines[i]);
}

static void keep(struct result *r, const char *name, enum finding_weight weight, const char *state, uint64_t amount)
{
	struct finding f = {.weight = weight, .counted = !state, .amount = amount};

	strcpy(f.name, name);
	strcpy(f.state, state ? state : "");
	finding_keep(r, &f);
}

/* What one of several boots has found to be an obstacle is one. */
UNIT_TEST(of_several_boots_the_graver_stays)
{
	struct result r;
	struct finding f;
	size_t tally[FINDING_WEIGHTS];
	finding_text verdict;

	result_init(&r, "nuc11", "probe", "ticks");
	assert_int_equal(finding_tally(&r, tally), 0);
	assert_false(finding_of(&r, "turbo", &f));
	keep(&r, "turbo", FINDING_FACT, "off", 0);
	keep(&r, "smis", FINDING_DOUBT, NULL, 3);
	finding_verdict(&r, verdict);
	assert_string_equal(verdict, "fit to measure: 0 obstacles, 1 doubt");
	keep(&r, "turbo", FINDING_OBSTACLE, "on", 0);
	keep(&r, "turbo", FINDING_FACT, "off", 0);
	keep(&r, "smis", FINDING_DOUBT, NULL, 5);
	assert_true(finding_of(&r, "turbo", &f));
	assert_string_equal(f.state, "on");
	assert_true(finding_of(&r, "smis", &f));
	assert_int_equal(f.amount, 5);
	assert_int_equal(finding_tally(&r, tally), 2);
	finding_verdict(&r, verdict);
	assert_string_equal(verdict, "not fit to measure: 1 obstacle, 1 doubt");
	result_free(&r);
}

UNIT_TEST(the_same)
{
	struct finding a = {.weight = FINDING_FACT}, b = a;

	assert_true(finding_agrees(&a, &b));
	strcpy(b.state, "on");
	assert_false(finding_agrees(&a, &b));
	a.counted = b.counted = true;
	*b.state = '\0';
	b.amount = 7;
	b.weight = FINDING_NOTE;
	assert_true(finding_agrees(&a, &b)); /* amounts are never the same */
	b.weight = FINDING_DOUBT;
	assert_false(finding_agrees(&a, &b));
}

UNIT_TEST(files)
{
	static const char *const damaged[] = {"[]", "{\"turbo\":1}",
					      "{\"Turbo\":{\"weight\":\"fact\",\"state\":\"on\"}}",
					      "{\"turbo\":{\"weight\":\"fact\"}}"};
	struct result r, read;
	struct error error;
	json_t *root;

	result_init(&r, "nuc11", "probe", "ticks");
	keep(&r, "turbo", FINDING_DOUBT, "on", 0);
	keep(&r, "smis", FINDING_FACT, NULL, 3);
	root = result_to_json(&r);
	assert_true(result_from_json(&read, root, &error));
	assert_true(json_equal(r.context, read.context));
	result_free(&read);
	for (size_t i = 0; i < array_size(damaged); i++) {
		json_object_set_new(r.context, "findings", json_loads(damaged[i], 0, NULL));
		assert_false(result_from_json(&read, root, &error));
		assert_non_null(strstr(error.text, "finding"));
	}
	json_decref(root);
	result_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_and_amounts),
		cmocka_unit_test(what_is_no_finding),
		cmocka_unit_test(of_several_boots_the_graver_stays),
		cmocka_unit_test(the_same),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
