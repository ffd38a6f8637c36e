/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "view.h"

#include <stdio.h>

/* What `htrace stat` prints, for programs: one JSON object, times in ticks. */
void stat_json(FILE *out, const struct view *view);
