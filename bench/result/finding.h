/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the probe has found out about a machine (docs/bench-protocol.md, `finding`), kept with its results: how the
 * machine is (a state, which can be compared), or how often something happened (an amount, which is never twice the
 * same), and how much of an obstacle to measuring it is.
 */
#pragma once

#include "host/error.h"
#include "result/hist.h"
#include "result/result.h"

#include <jansson.h>

#define FINDING_SUITE "probe" /* of the roottask that finds out */

enum { FINDING_TEXT_MAX = 120, FINDING_SIZES_MAX = 64, FINDING_COUNT_MAX = 256 };

enum finding_weight { FINDING_FACT, FINDING_NOTE, FINDING_DOUBT, FINDING_OBSTACLE, FINDING_WEIGHTS };

typedef char finding_text[FINDING_TEXT_MAX + 1];

struct finding {
	finding_text name, state, why; /* why: "": nothing to say */
	enum finding_weight weight;
	bool counted; /* the amount counts and not the state */
	uint64_t amount;
	struct bin sizes[FINDING_SIZES_MAX]; /* of what was counted, in nanoseconds; there need not be any */
	size_t size_count;
};

const char *finding_weight_name(enum finding_weight weight);

/* The state or the amount in words. */
void finding_value_text(const struct finding *finding, finding_text out);

/*
 * Whether the machine was the same as far as two findings of one name tell: in its state, and in what that means for
 * measuring. Amounts are never the same; what they mean is another thing when it begins to matter.
 */
bool finding_agrees(const struct finding *a, const struct finding *b);

/* An object with the members of the protocol's line; others are ignored. */
bool finding_from_json(struct finding *finding, const char *name, const json_t *object,
		       struct error *error) must_check;

/* Adds it to those of a result. Of two with the same name the graver one stays, or the later one. */
void finding_keep(struct result *result, const struct finding *finding);

/* True when all findings of a result are such; without any that holds, too. */
bool finding_check(const struct result *result, struct error *error) must_check;

/* The finding with this name; false when the result has none. */
bool finding_of(const struct result *result, const char *name, struct finding *finding) must_check;

/* Calls back for each, in the order in which they were found. */
void finding_each(const struct result *result, void (*each)(void *context, const struct finding *finding),
		  void *context);

/* How many there are of each weight; the result is how many in all. */
size_t finding_tally(const struct result *result, size_t tally[FINDING_WEIGHTS]);

/* "fit to measure", with doubts, or not: in words, of a result with findings. */
void finding_verdict(const struct result *result, finding_text out);

/* Takes over all of another result's. */
void finding_copy(struct result *to, const struct result *from);
