/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fleet run is to do, kept in its folder: <run>/run.json. What came of it lies beside that, in
 * <run>/<machine>/<suite>/: outcome.json, the console log of each attempt, result.json.
 */
#pragma once

#include "fleet/inventory.h"
#include "host/error.h"

#include <jansson.h>

enum { PLAN_CONFIRM_MAX = 10 };

struct plan_kernel {
	char *path;                    /* absolute */
	char sha256[65], build_id[65]; /* build_id: "" when the kernel has none */
};

struct plan {
	const struct inventory *inventory;
	char *folder; /* of the run, absolute */
	struct plan_kernel kernel;
	struct plan_kernel base;      /* the baseline's, to confirm regressions with; no path: there is none */
	char *roottasks;              /* absolute; the roottask of a suite is <roottasks>/<suite>.elf */
	char *root_append, *revision; /* revision: or NULL */
	char **suites;
	unsigned suite_count;
	const struct inventory_machine **machines;
	unsigned machine_count;
	unsigned boots;   /* of each suite on each machine */
	unsigned confirm; /* how often a regression is measured again before it is one */
};

/*
 * Notes sums and builds of the kernels. False when one or a roottask cannot be read or is no ELF file, or when one is
 * not the kernel that a loaded plan began with.
 */
bool plan_check(struct plan *plan, struct error *error) must_check;

bool plan_save(const struct plan *plan, struct error *error) must_check;

/*
 * The plan of a run's folder, still without inventory and machines: *inventory_path is to be freed, and *machines, a
 * list of names, is a reference to be dropped, also when this fails.
 */
bool plan_load(struct plan *plan, const char *folder, char **inventory_path, json_t **machines,
	       struct error *error) must_check;

/* <run>/<machine>/<suite>/<name>, to be freed. */
char *plan_path(const struct plan *plan, const struct inventory_machine *machine, const char *suite,
		const char *name);

/* The path of the suite's roottask, to be freed. */
char *plan_roottask(const struct plan *plan, const char *suite);

/* Words of the roottask's command line, to be freed. */
char *plan_root_words(const struct plan *plan, const struct inventory_machine *machine, const char *suite);

/* True when the machine is looked at by the probe before it measures, although the probe is none of the suites. */
bool plan_looks_first(const struct plan *plan, const struct inventory_machine *machine);

/* Words of the kernel's command line, to be freed. */
char *plan_kernel_words(const struct inventory_machine *machine);

void plan_free(struct plan *plan);
