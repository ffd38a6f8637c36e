/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What htrace can be told to do; each verb is cmd_<verb>.c. */
#pragma once

#include "view.h"

extern const struct verb verb_text, verb_json, verb_ctf, verb_perf, verb_perfdata, verb_stat, verb_folded,
	verb_import;
