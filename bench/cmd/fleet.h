/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `hbench fleet` was told; each file takes its part. */
#pragma once

#include "cmd/verbs.h"
#include "fleet/inventory.h"

#include <stdbool.h>

struct fleet_options {
	const char *inventory, *suites, *tags, *kernel, *base, *roottasks, *root_append, *revision, *output, *resume;
	struct texts machines;
	unsigned boots, jobs, confirm;
	bool force, quiet, slurm, strict;
	struct verb_storage storage;
};

/* The inventory of the options; NULL after its problems. */
struct inventory *cmd_fleet_inventory(const struct fleet_options *o);

/* The machines named by --machine and --tags, NULL at the end; NULL after a message. To be freed. */
const struct inventory_machine **cmd_fleet_choose(const struct inventory *inventory, const struct fleet_options *o,
						  unsigned *count);

int cmd_fleet_run(const struct fleet_options *o);
int cmd_fleet_serve(const struct fleet_options *o);
