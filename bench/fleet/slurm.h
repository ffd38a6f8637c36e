/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm as the queue of a lab: each machine is a node, whose slurmd runs on the lab's host. A job that has nodes has
 * these machines; `fleet run --slurm` in it measures them. https://slurm.schedmd.com
 */
#pragma once

#include "fleet/ledger.h"

#include <stdio.h>

/* The names of this job's nodes and NULL, to be freed by strings_free(); NULL on error. */
char **slurm_machines(struct error *error) must_check;

/* Takes machines out of service that somebody has to repair: nothing comes from them, or they cannot be switched. */
void slurm_drain(const struct ledger *ledger);

/* The lab's nodes and its partition, for slurm.conf. */
void slurm_print(FILE *out, const struct inventory *inventory);
