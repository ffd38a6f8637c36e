/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of one suite on one machine: the verdict with its reason, kept in a file so that a run can go on. */
#pragma once

#include "host/error.h"

/*
 * Name, what people read, whether another attempt may help, and whether the machine itself is to blame, so that it
 * would fail with whatever else it boots.
 */
#define OUTCOME_LIST(X)                                                                                          \
	X(OPEN, "not run yet", false, false)                                                                     \
	X(OK, "ok", false, false)                                                                                \
	X(SILENT, "silent machine", true, true)                                                                  \
	X(NO_BOOT, "did not boot", true, true)                                                                   \
	X(WRONG_IMAGE, "wrong image", true, false)                                                               \
	X(PANIC, "panic", false, false) /* a finding: to try again would hide it */                              \
	X(FOREIGN, "foreign panic", true, false)                                                                 \
	X(REBOOT_LOOP, "reboot loop", true, false)                                                               \
	X(POWER, "power failure", true, true)                                                                    \
	X(CONSOLE, "console failure", true, true)                                                                \
	X(TRUNCATED, "truncated", true, false)                                                                   \
	X(DAMAGED, "damaged", true, false)                                                                       \
	X(TIMEOUT, "time over", true, false)                                                                     \
	X(INVALID, "not valid", false, false) /* what was measured is wrong or unusable */                       \
	X(PAYLOAD, "no payload", false, false)                                                                   \
	X(LOCKED, "locked", false, false)                                                                        \
	X(UNFIT, "unfit machine", false, false) /* the probe says so, and the inventory refuses such machines */ \
	X(GIVEN_UP, "given up", false, false)   /* an earlier suite has shown that the machine does not work */  \
	X(INTERRUPTED, "interrupted", false, false)

enum outcome_verdict {
#define OUTCOME_ENUM(name, text, again, machine) OUTCOME_##name,
	OUTCOME_LIST(OUTCOME_ENUM)
#undef OUTCOME_ENUM
		OUTCOME_COUNT
};

/* There is room for more attempts than boots of two kernels, so that good ones, which are never forgotten, always
 * fit. */
enum { OUTCOME_BOOTS_MAX = 100, OUTCOME_ATTEMPTS_MAX = 256 };
enum { OUTCOME_ROUNDS_MAX = 100 };

struct outcome_attempt {
	enum outcome_verdict verdict;
	char log[64]; /* name of the console log, beside this file */
	char why[512];
	double seconds;
	bool base; /* it was one of the baseline's kernel */
};

struct outcome {
	enum outcome_verdict verdict;
	char why[512];
	struct outcome_attempt attempts[OUTCOME_ATTEMPTS_MAX];
	unsigned attempt_count;
	unsigned good_boots; /* attempts that are OUTCOME_OK */
	unsigned rounds;     /* how often a regression was measured again; the attempts are those of the last time */
};

const char *outcome_text(enum outcome_verdict verdict);
bool outcome_may_retry(enum outcome_verdict verdict);

/* True when the machine itself is to blame, so that another suite would fare no better. */
bool outcome_of_machine(enum outcome_verdict verdict);

/* False when a run that goes on has to try again: nothing was measured, for reasons that may be gone by then. */
bool outcome_final(const struct outcome *outcome);

/* Appends an attempt and returns it; the oldest bad one is forgotten when there are too many. */
struct outcome_attempt *outcome_add(struct outcome *outcome, enum outcome_verdict verdict, const char *log,
				    const char *why, double seconds);

/* True also without a file: the outcome is OUTCOME_OPEN then. */
bool outcome_load(struct outcome *outcome, const char *path, struct error *error) must_check;
bool outcome_save(const struct outcome *outcome, const char *path, struct error *error) must_check;
