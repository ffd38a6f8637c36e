/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hbench fleet run`. */
#include "cmd/fleet.h"
#include "fleet/ledger_report.h"
#include "fleet/slurm.h"
#include "host/clock.h"
#include "host/exit_code.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/resource.h"
#include "measure/run.h"
#include "measure/target_console.h"
#include "result/name.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the plan --- */

static void take_suites(struct plan *plan, const char *suites)
{
	char *copy = xstrdup(suites), *save = NULL;

	for (char *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		if (!name_valid(name))
			verb_usage(&verb_fleet, "`%s` is no name of a suite", name);
		plan->suites = xreallocarray(plan->suites, plan->suite_count + 1, sizeof(*plan->suites));
		plan->suites[plan->suite_count++] = xstrdup(name);
	}
	free(copy);
	if (!plan->suite_count)
		verb_usage(&verb_fleet, "--suite has no name of a suite");
}

static char *absolute(const char *path, struct error *error)
{
	char *real = realpath(path, NULL);

	if (!real)
		error_store(error, "cannot use %s: %s", path, strerror(errno));
	return real;
}

/* A new folder: what an earlier run left must not be taken for this one's. */
static bool make_run_folder(struct plan *plan, const struct fleet_options *o, struct error *error)
{
	char date[32], *path, *plan_file;

	clock_date(date);
	date[19] = '\0';
	path = o->output ? xstrdup(o->output)
			 : xasprintf("%s/%s-%d", plan->inventory->lab.folders.runs, date, getpid());
	plan_file = xasprintf("%s/run.json", path);
	if (!access(plan_file, F_OK))
		error_store(error, "%s has a run already: --resume goes on with it", path);
	else if (file_make_folders(path, error))
		plan->folder = absolute(path, error);
	free(plan_file);
	free(path);
	return plan->folder;
}

static bool choose_programs(struct plan *plan, const struct fleet_options *o, struct error *error)
{
	char *own = resource_path("hypervisor.elf32", "hypervisor.elf32");
	int len;

	plan->kernel.path = absolute(o->kernel ? o->kernel : own, error);
	free(own);
	if (!plan->kernel.path || (o->base && !(plan->base.path = absolute(o->base, error))))
		return false;
	len = (int)(strrchr(plan->kernel.path, '/') - plan->kernel.path);
	plan->roottasks =
		o->roottasks ? absolute(o->roottasks, error) : xasprintf("%.*s", len ? len : 1, plan->kernel.path);
	return plan->roottasks;
}

static bool make_plan(struct plan *plan, const struct fleet_options *o, struct error *error)
{
	plan->root_append = xstrdup(o->root_append);
	plan->revision = o->revision ? xstrdup(o->revision) : NULL;
	plan->boots = o->boots;
	plan->confirm = o->confirm;
	take_suites(plan, o->suites);
	return choose_programs(plan, o, error) && plan_check(plan, error) && make_run_folder(plan, o, error) &&
	       plan_save(plan, error);
}

/* --- the end --- */

static enum exit_code keep_results(const struct ledger *ledger, const struct fleet_options *o)
{
	struct verb_storage storage = o->storage;
	enum exit_code code = EXIT_SAME_OR_BETTER;

	if (!storage.db)
		storage.db = ledger->plan->inventory->lab.database;
	if (storage.db && !strcmp(storage.db, "none"))
		storage.none = true;
	for (unsigned i = 0; i < ledger->count; i++)
		if (ledger->rows[i].has_result && !verb_keep(&storage, &ledger->rows[i].result))
			code = EXIT_RUN_INVALID;
	return code;
}

static enum exit_code report(const struct plan *plan, const struct fleet_options *o, const struct fleet_note *notes)
{
	struct ledger ledger;
	struct error error;
	enum exit_code code;

	ledger_open(&ledger, plan, notes);
	code = compare_graver(ledger_code(&ledger), keep_results(&ledger, o));
	if (!o->quiet)
		ledger_table(stdout, &ledger);
	if (ledger_write(&ledger, &error)) {
		fprintf(stderr, "written: %s/index.html, junit.xml, report.json\n", plan->folder);
	} else {
		complain("%s", error.text);
		code = EXIT_RUN_INVALID;
	}
	if (o->slurm)
		slurm_drain(&ledger);
	ledger_free(&ledger);
	return code;
}

/* Without servers each machine would use up its patience first. */
static bool servers_there(const struct plan *plan, struct error *error)
{
	const struct inventory_network *n = &plan->inventory->lab.network;
	bool needed = false;
	struct error why;
	char *where;
	int fd;

	for (unsigned i = 0; i < plan->machine_count; i++)
		needed = needed || plan->machines[i]->boot == BOOT_NETWORK;
	if (!needed)
		return true;
	where = xasprintf("%s:%u", n->address, n->http_port);
	fd = target_console_tcp(&(struct machine_config){.console = where}, &why);
	free(where);
	if (fd < 0)
		return error_set(
			error,
			"the servers of the lab are not there: %.300s; in another terminal: sudo hbench fleet "
			"serve -i %.400s",
			why.text, plan->inventory->path);
	close(fd);
	return true;
}

static enum exit_code run_plan(const struct plan *plan, const struct fleet_options *o)
{
	struct fleet_note *notes = xcalloc(plan->machine_count, sizeof(*notes));
	enum exit_code code;
	bool whole;

	run_catch_signals();
	umask(022); /* the servers, which are somebody else, read what we write */
	whole = fleet_run(plan, o->jobs, notes);
	code = report(plan, o, notes);
	free(notes);
	if (whole)
		return code;
	complain("interrupted; to go on: hbench fleet run --resume %s", plan->folder);
	return EXIT_INTERRUPTED;
}

static unsigned pairs(const struct plan *plan)
{
	unsigned count = 0;

	for (unsigned m = 0; m < plan->machine_count; m++)
		for (unsigned s = 0; s < plan->suite_count; s++)
			count += inventory_allows(plan->machines[m], plan->suites[s]);
	return count;
}

static int run_new(const struct fleet_options *o)
{
	struct plan plan = {.inventory = cmd_fleet_inventory(o)};
	enum exit_code code = EXIT_RUN_INVALID;
	struct error error;

	if (!plan.inventory)
		return code;
	plan.machines = cmd_fleet_choose(plan.inventory, o, &plan.machine_count);
	if (!plan.machines) {
		code = EXIT_USAGE;
	} else if (!servers_there(&plan, &error)) {
		complain("%s", error.text);
	} else if (!make_plan(&plan, o, &error)) {
		complain("%s", error.text);
		code = EXIT_USAGE;
	} else if (!pairs(&plan)) {
		complain("none of these machines may run any of these suites");
		code = EXIT_USAGE;
	} else {
		code = run_plan(&plan, o);
	}
	inventory_free((struct inventory *)plan.inventory);
	plan_free(&plan);
	return code;
}

/* --- going on --- */

static bool find_machines(struct plan *plan, const json_t *names, struct error *error)
{
	size_t i;
	json_t *name;

	plan->machines = xcalloc(json_array_size(names) + 1, sizeof(struct inventory_machine *));
	json_array_foreach((json_t *)names, i, name)
	{
		const char *text = json_is_string(name) ? json_string_value(name) : "?";
		const struct inventory_machine *m = inventory_find(plan->inventory, text);

		if (!m)
			return error_set(error, "the inventory does not have the machine %.80s any more", text);
		plan->machines[plan->machine_count++] = m;
	}
	return true;
}

static int run_again(const struct fleet_options *given)
{
	struct fleet_options o = *given;
	enum exit_code code = EXIT_RUN_INVALID;
	char *inventory = NULL;
	json_t *names = NULL;
	struct error error;
	struct plan plan;
	bool good = plan_load(&plan, o.resume, &inventory, &names, &error);

	if (!o.inventory)
		o.inventory = inventory;
	plan.inventory = good ? cmd_fleet_inventory(&o) : NULL;
	if (plan.inventory &&
	    (good = find_machines(&plan, names, &error) && plan_check(&plan, &error) && servers_there(&plan, &error)))
		code = run_plan(&plan, &o);
	if (!good)
		complain("%s", error.text);
	inventory_free((struct inventory *)plan.inventory);
	plan_free(&plan);
	json_decref(names);
	free(inventory);
	return code;
}

/* The machines are those of the job. */
static int run_in_job(const struct fleet_options *given)
{
	struct fleet_options o = *given;
	struct error error;
	char **names = slurm_machines(&error);
	int code = EXIT_USAGE;

	for (o.machines.count = 0; names && names[o.machines.count] && o.machines.count < TEXTS_MAX;
	     o.machines.count++)
		o.machines.text[o.machines.count] = names[o.machines.count];
	if (!names)
		complain("%s", error.text);
	else if (names[o.machines.count])
		complain("a job has at most %d machines", TEXTS_MAX);
	else
		code = run_new(&o);
	strings_free(names);
	return code;
}

int cmd_fleet_run(const struct fleet_options *o)
{
	if (o->slurm && (o->resume || o->machines.count))
		verb_usage(&verb_fleet, "--slurm says which machines, and an interrupted job is begun again");
	if (o->base && !o->confirm)
		verb_usage(&verb_fleet,
			   "--baseline-kernel runs when a regression is confirmed, and --confirm 0 says never");
	if (o->resume && (o->suites || o->kernel || o->base || o->output || o->machines.count || o->tags))
		verb_usage(&verb_fleet, "--resume knows suites, kernel, machines and the folder already");
	if (o->resume)
		return run_again(o);
	if (!o->suites)
		verb_usage(&verb_fleet, "--suite is needed");
	return o->slurm ? run_in_job(o) : run_new(o);
}
