/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/outcome.h"

#include "host/file.h"
#include "host/json_file.h"
#include "host/mem.h"
#include "host/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTCOME_FILE_MAX = 1 << 20 };

static const struct {
	const char *text;
	bool again, machine;
} verdicts[] = {
#define OUTCOME_ROW(name, text, again, machine) {text, again, machine},
	OUTCOME_LIST(OUTCOME_ROW)
#undef OUTCOME_ROW
};

const char *outcome_text(enum outcome_verdict verdict)
{
	return verdicts[verdict].text;
}

bool outcome_may_retry(enum outcome_verdict verdict)
{
	return verdicts[verdict].again;
}

bool outcome_of_machine(enum outcome_verdict verdict)
{
	return verdicts[verdict].machine;
}

bool outcome_final(const struct outcome *outcome)
{
	return outcome->verdict != OUTCOME_OPEN && outcome->verdict != OUTCOME_INTERRUPTED &&
	       outcome->verdict != OUTCOME_LOCKED && outcome->verdict != OUTCOME_PAYLOAD &&
	       outcome->verdict != OUTCOME_GIVEN_UP && outcome->verdict != OUTCOME_UNFIT;
}

_Static_assert(2 * OUTCOME_BOOTS_MAX < OUTCOME_ATTEMPTS_MAX, "among as many attempts one is bad");

static void forget_one(struct outcome *o)
{
	unsigned at = 0;

	while (at + 1 < o->attempt_count && o->attempts[at].verdict == OUTCOME_OK)
		at++;
	o->attempt_count--;
	memmove(&o->attempts[at], &o->attempts[at + 1], (o->attempt_count - at) * sizeof(o->attempts[0]));
}

struct outcome_attempt *outcome_add(struct outcome *o, enum outcome_verdict verdict, const char *log, const char *why,
				    double seconds)
{
	struct outcome_attempt *attempt;

	if (o->attempt_count == OUTCOME_ATTEMPTS_MAX)
		forget_one(o);
	attempt = &o->attempts[o->attempt_count++];
	*attempt = (struct outcome_attempt){.verdict = verdict, .seconds = seconds};
	snprintf(attempt->log, sizeof(attempt->log), "%s", log);
	snprintf(attempt->why, sizeof(attempt->why), "%s", why);
	return attempt;
}

/* --- the file --- */

static enum outcome_verdict find_verdict(const char *text)
{
	for (size_t i = 0; text && i < array_size(verdicts); i++)
		if (!strcmp(verdicts[i].text, text))
			return (enum outcome_verdict)i;
	return OUTCOME_OPEN;
}

static json_t *harmless(const char *text)
{
	char *copy = xstrdup(text);
	json_t *string;

	text_mask(copy);
	string = json_string(copy);
	free(copy);
	return string;
}

bool outcome_save(const struct outcome *o, const char *path, struct error *error)
{
	json_t *attempts = json_array(), *root;
	char *text;
	bool good;

	for (unsigned i = 0; i < o->attempt_count; i++) {
		const struct outcome_attempt *a = &o->attempts[i];

		json_array_append_new(attempts,
				      json_pack("{s:s, s:s, s:o, s:f, s:b}", "verdict", outcome_text(a->verdict),
						"log", a->log, "why", harmless(a->why), "seconds", a->seconds,
						"baseline_kernel", a->base));
	}
	root = json_pack("{s:s, s:o, s:i, s:i, s:o}", "verdict", outcome_text(o->verdict), "why", harmless(o->why),
			 "good_boots", o->good_boots, "rounds", o->rounds, "attempts", attempts);
	text = json_dumps(root, JSON_INDENT(1));
	good = text ? file_replace(path, text, strlen(text), error) : error_set(error, "out of memory");
	free(text);
	json_decref(root);
	return good;
}

static void take_attempt(struct outcome *o, const json_t *from)
{
	struct outcome_attempt a;

	json_file_text(from, "log", a.log, sizeof(a.log));
	json_file_text(from, "why", a.why, sizeof(a.why));
	if (*a.log == '.' || strchr(a.log, '/')) /* it must not lead out of the folder */
		return;
	outcome_add(o, find_verdict(json_string_value(json_object_get(from, "verdict"))), a.log, a.why,
		    json_number_value(json_object_get(from, "seconds")))
		->base = json_is_true(json_object_get(from, "baseline_kernel"));
}

bool outcome_load(struct outcome *o, const char *path, struct error *error)
{
	json_t *root, *attempt;
	json_int_t rounds;
	size_t i;

	*o = (struct outcome){0};
	if (access(path, F_OK))
		return true;
	root = json_file_load(path, OUTCOME_FILE_MAX, error);
	if (!root)
		return false;
	o->verdict = find_verdict(json_string_value(json_object_get(root, "verdict")));
	rounds = json_integer_value(json_object_get(root, "rounds"));
	o->rounds = rounds > 0 && rounds < OUTCOME_ROUNDS_MAX ? (unsigned)rounds : 0;
	json_file_text(root, "why", o->why, sizeof(o->why));
	json_array_foreach(json_object_get(root, "attempts"), i, attempt)
	{
		take_attempt(o, attempt);
	}
	for (unsigned k = 0; k < o->attempt_count; k++)
		o->good_boots += o->attempts[k].verdict == OUTCOME_OK;
	json_decref(root);
	return true;
}
