/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of one suite on one machine: the verdict with its reason, kept in a file so that a run can go on. */
#pragma once

#include "host/error.h"

/* name, what people read, whether another attempt may help */
#define FATE_LIST(X)                                                                \
	X(OPEN, "not run yet", false)                                               \
	X(OK, "ok", false)                                                          \
	X(SILENT, "silent machine", true)                                           \
	X(NO_BOOT, "did not boot", true)                                            \
	X(WRONG_IMAGE, "wrong image", true)                                         \
	X(PANIC, "panic", false) /* a finding: to try again would hide it */        \
	X(REBOOT_LOOP, "reboot loop", true)                                         \
	X(POWER, "power failure", true)                                             \
	X(CONSOLE, "console failure", true)                                         \
	X(TRUNCATED, "truncated", true)                                             \
	X(TIMEOUT, "time over", true)                                               \
	X(INVALID, "not valid", false) /* what was measured is wrong or unusable */ \
	X(PAYLOAD, "no payload", false)                                             \
	X(LOCKED, "locked", false)                                                  \
	X(INTERRUPTED, "interrupted", false)

enum fate_verdict {
#define FATE_ENUM(name, text, again) FATE_##name,
	FATE_LIST(FATE_ENUM)
#undef FATE_ENUM
		FATE_COUNT
};

enum { FATE_BOOTS_MAX = 100, FATE_ATTEMPTS_MAX = 128 }; /* good ones are never forgotten */

struct fate_attempt {
	enum fate_verdict verdict;
	char log[64]; /* name of the console log, beside this file */
	char why[512];
	double seconds;
};

struct fate {
	enum fate_verdict verdict;
	char why[512];
	struct fate_attempt attempts[FATE_ATTEMPTS_MAX];
	unsigned attempt_count;
	unsigned good_boots;
};

const char *fate_text(enum fate_verdict verdict);
bool fate_may_retry(enum fate_verdict verdict);

/* True when nothing is left to do. */
bool fate_final(const struct fate *fate);

/* Notes an attempt; the oldest bad one is forgotten when there are too many. */
struct fate_attempt *fate_add(struct fate *fate, enum fate_verdict verdict, const char *log, const char *why,
			      double seconds);

/* A file that is not there is a fate that is open. */
bool fate_load(struct fate *fate, const char *path, struct error *error) must_check;
bool fate_save(const struct fate *fate, const char *path, struct error *error) must_check;
