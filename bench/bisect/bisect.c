/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bisect/bisect.h"

#include "bisect/revisions.h"
#include "host/mem.h"
#include "result/metric.h"
#include "stats/compare.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BOOTS_TO_BEGIN = 3 }; /* with noise: fewer have no verdict */

/* What a search knows of the two ends, to judge those between by. */
struct search {
	struct bisection *b;
	struct result good, bad;
	char *first_good; /* its revision: good moves on */
	int direction;    /* 1: it got worse, -1: better */
};

static void tell(const struct search *s, const char *revision, const char *what)
{
	char *who = revision_describe(s->b->question->repo, revision), *text = xasprintf("%s  %s", who, what);

	s->b->tell(text);
	free(text);
	free(who);
}

static uint64_t value(const struct search *s, const struct result *r)
{
	const struct metric *metric = metric_find(result_text(r, "metric"));

	return metric_value(metric, metric->estimator, result_find(r, s->b->question->name));
}

static bool is_exact(const struct result *r)
{
	const struct metric *metric = metric_find(result_text(r, "metric"));

	return !metric || metric->exact;
}

/* 1: b is worse than a, -1: better, 0: the same; false when the boots do not tell. */
static bool compare(const struct search *s, const struct result *a, const struct result *b, int *direction,
		    struct error *error)
{
	enum verdict verdict = VERDICT_UNSURE;
	struct comparison c;

	error->text[0] = '\0';
	if (compare_results(&c, a, b, s->b->suite, error))
		for (size_t i = 0; i < c.count; i++)
			if (!strcmp(c.pairs[i].label, s->b->question->name))
				verdict = c.pairs[i].difference.verdict;
	compare_free(&c);
	*direction = verdict == VERDICT_WORSE ? 1 : verdict == VERDICT_BETTER ? -1 : 0;
	return verdict != VERDICT_UNSURE;
}

static enum trial_end run_trial(const struct search *s, const char *revision, unsigned boots, struct result *result,
				struct error *error)
{
	enum trial_end end = trial_run(s->b->question, revision, boots, result, error);
	char *text;

	if (end == TRIAL_SKIPPED)
		text = xasprintf("skipped: %.200s", error->text);
	else if (end == TRIAL_MEASURED)
		text = xasprintf("%ju", (uintmax_t)value(s, result));
	else
		return end;
	tell(s, revision, text);
	free(text);
	return end;
}

/* More boots for both sides, until they tell or there have been enough. */
static enum trial_end until_clear(struct search *s, const char *a_revision, struct result *a, const char *b_revision,
				  struct result *b, int *direction, struct error *error)
{
	unsigned boots = s->b->boots;
	enum trial_end end = TRIAL_MEASURED;

	while (!compare(s, a, b, direction, error)) {
		if (error->text[0])
			return TRIAL_STOPPED;
		boots = boots < BOOTS_TO_BEGIN ? BOOTS_TO_BEGIN : 2 * boots;
		if (boots > s->b->boots_max) {
			error_store(error, "%u boots do not tell: --boots-max allows more", s->b->boots_max);
			return TRIAL_SKIPPED;
		}
		result_free(a);
		end = run_trial(s, a_revision, boots, a, error);
		if (end != TRIAL_MEASURED)
			return end;
		result_free(b);
		end = run_trial(s, b_revision, boots, b, error);
		if (end != TRIAL_MEASURED)
			return end;
	}
	return end;
}

/* Of exact counts the nearer end decides: other changes on the way do not matter. */
static bool is_bad_exact(const struct search *s, uint64_t now)
{
	uint64_t good = value(s, &s->good), bad = value(s, &s->bad);

	return s->direction > 0 ? 2 * now >= good + bad : 2 * now <= good + bad;
}

static enum trial_end judge(struct search *s, const char *revision, bool *is_bad, struct error *error)
{
	struct result result;
	enum trial_end end = run_trial(s, revision, s->b->boots, &result, error);
	int direction = 0;

	if (end != TRIAL_MEASURED)
		return end;
	if (is_exact(&result)) {
		*is_bad = is_bad_exact(s, value(s, &result));
	} else {
		end = until_clear(s, s->first_good, &s->good, revision, &result, &direction, error);
		*is_bad = direction == s->direction;
	}
	result_free(&result);
	if (end == TRIAL_SKIPPED)
		tell(s, revision, error->text);
	return end;
}

/* --- the ends --- */

static bool measure_end(const struct search *s, const char *revision, const char *which, struct result *result,
			struct error *error)
{
	struct error why;
	enum trial_end end = run_trial(s, revision, s->b->boots, result, &why);

	return end == TRIAL_MEASURED || error_set(error, "the %s revision: %.400s (%.400s/%s has logs)", which,
						  why.text, s->b->question->folder, revision);
}

static enum bisect_end measure_ends(struct search *s, struct error *error)
{
	if (!measure_end(s, s->b->good, "good", &s->good, error) || !measure_end(s, s->b->bad, "bad", &s->bad, error))
		return BISECT_STOPPED;
	if (until_clear(s, s->b->good, &s->good, s->b->bad, &s->bad, &s->direction, error) != TRIAL_MEASURED)
		return BISECT_STOPPED;
	return s->direction ? BISECT_FOUND : BISECT_NO_CHANGE;
}

/* --- halving --- */

static void add(char ***list, size_t *count, char *text)
{
	*list = xreallocarray(*list, *count + 1, sizeof(**list));
	(*list)[(*count)++] = text;
}

static bool is_doubtful(const struct bisection *b, const char *revision)
{
	for (size_t i = 0; i < b->doubtful_count; i++)
		if (!strcmp(b->doubtful[i], revision))
			return true;
	return false;
}

/* The best candidate that was not tried; NULL when only those are left that could not be. */
static char *choose(const struct bisection *b, char **candidates)
{
	for (; *candidates; candidates++)
		if (strcmp(*candidates, b->bad) && !is_doubtful(b, *candidates))
			return xstrdup(*candidates);
	return NULL;
}

/* Those that stay doubtful only count while they may still be the first. */
static void keep_candidates(struct bisection *b, char **candidates)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->doubtful_count; i++) {
		char **at = candidates;

		while (*at && strcmp(*at, b->doubtful[i]))
			at++;
		if (*at)
			b->doubtful[kept++] = b->doubtful[i];
		else
			free(b->doubtful[i]);
	}
	b->doubtful_count = kept;
}

static void free_list(char **list)
{
	for (char **at = list; at && *at; at++)
		free(*at);
	free(list);
}

/* The next to try is in *next; NULL: it is found. */
static bool find_next(struct bisection *b, char **next, struct error *error)
{
	char **candidates = revision_candidates(b->question->repo, b->bad, b->goods, b->good_count, error);

	if (!candidates)
		return false;
	keep_candidates(b, candidates);
	*next = choose(b, candidates);
	free_list(candidates);
	return true;
}

static bool try_next(struct search *s, char *next, struct error *error)
{
	struct bisection *b = s->b;
	bool is_bad = false;

	switch (judge(s, next, &is_bad, error)) {
	case TRIAL_MEASURED:
		if (is_bad) {
			free(b->bad);
			b->bad = next;
		} else {
			add(&b->goods, &b->good_count, next);
		}
		return true;
	case TRIAL_SKIPPED:
		add(&b->doubtful, &b->doubtful_count, next);
		return true;
	default:
		free(next);
		return false;
	}
}

static bool halve(struct search *s, struct error *error)
{
	char *next;

	while (find_next(s->b, &next, error)) {
		if (!next)
			return true;
		if (!try_next(s, next, error))
			return false;
	}
	return false;
}

/* --- what was found --- */

/* The commit before is measured, too: its number is what the change is from. Where it cannot be, that of the good
 * end. */
static bool look_around(struct search *s, struct error *error)
{
	struct bisection *b = s->b;
	struct result before, after;
	enum trial_end end;

	if (trial_run(b->question, b->bad, b->boots, &after, error) != TRIAL_MEASURED)
		return false;
	b->value_after = value(s, &after);
	result_free(&after);
	b->value_before = value(s, &s->good);
	b->before = revision_parent(b->question->repo, b->bad, error);
	if (!b->before)
		return true;
	end = run_trial(s, b->before, b->boots, &before, error);
	if (end == TRIAL_MEASURED)
		b->value_before = value(s, &before);
	result_free(&before);
	return end != TRIAL_STOPPED;
}

enum bisect_end bisect_run(struct bisection *b, struct error *error)
{
	struct search s = {.b = b, .first_good = xstrdup(b->good)};
	enum bisect_end end = BISECT_STOPPED;

	if (revision_before(b->question->repo, b->good, b->bad, error))
		end = measure_ends(&s, error);
	if (end == BISECT_FOUND) {
		add(&b->goods, &b->good_count, xstrdup(b->good));
		if (!halve(&s, error) || !look_around(&s, error))
			end = BISECT_STOPPED;
	}
	result_free(&s.good);
	result_free(&s.bad);
	free(s.first_good);
	return end;
}

void bisect_free(struct bisection *b)
{
	for (size_t i = 0; i < b->good_count; i++)
		free(b->goods[i]);
	for (size_t i = 0; i < b->doubtful_count; i++)
		free(b->doubtful[i]);
	free(b->goods);
	free(b->doubtful);
	free(b->good);
	free(b->bad);
	free(b->before);
}
