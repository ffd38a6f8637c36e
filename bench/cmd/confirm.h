/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gate right after a run, which measures again before it raises an alarm. */
#pragma once

#include "measure/campaign.h"
#include "result/suite.h"

struct confirm_options {
	const char *baseline; /* file or folder; NULL: no gate */
	const char *kernel;   /* the baseline's, to take turns with; or NULL */
	unsigned times;       /* how often a regression is measured again */
	bool quiet;
};

/*
 * Judges the first kernel's result of a campaign that has run. When it regressed, the campaign runs again, with other
 * boots and in turns with the baseline's kernel if that is at hand, and only what every measurement finds is called a
 * regression. Where the baseline's kernel got slower as well, the machine did.
 */
enum exit_code confirm_gate(const struct campaign *done, const struct suite *suite, const struct confirm_options *o);
