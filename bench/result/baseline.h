/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Baselines, the results that others are compared with: <folder>/<machine>/<suite>.json. */
#pragma once

#include "host/error.h"
#include "result/result.h"

/* The name that a result's baselines are found under: that of its machine, or of the class that its machine belongs
 * to. */
const char *baseline_name(const struct result *result);

/* The file of a result's baseline in a folder, to be freed; NULL when its machine or suite cannot be a file name. */
char *baseline_path(const char *folder, const struct result *result);

/* True of a file in <folder>/peers, which is what another system needs: result/peers.h. */
bool baseline_is_peer(const char *path);

/* Loads a baseline: `where` is its file, or the folder that holds the baselines of all machines. */
bool baseline_load(struct result *baseline, const char *where, const struct result *result,
		   struct error *error) must_check;
