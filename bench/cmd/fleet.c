/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/fleet.h"

#include "fleet/inventory_host.h"
#include "fleet/lock.h"
#include "fleet/outcome.h"
#include "fleet/plan.h"
#include "fleet/power.h"
#include "fleet/slurm.h"
#include "host/error.h"
#include "host/exit_code.h"
#include "host/mem.h"
#include "host/table.h"
#include "host/text.h"
#include "measure/run.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct fleet_options o = {.root_append = "", .boots = 1, .jobs = 1000, .confirm = 1};

static const struct option_spec options[] = {
	{"inventory", 'i', OPTION_TEXT, "FILE", "The lab's machines ($HBENCH_FLEET, else fleet.yaml)", &o.inventory,
	 0, 0, NULL},
	{"machine", 'm', OPTION_TEXTS, "NAME", "list, run: this machine only", &o.machines, 0, 0, NULL},
	{"tags", 't', OPTION_TEXT, "TAG,...", "list, run: machines that have all of these tags", &o.tags, 0, 0, NULL},
	{"suite", 's', OPTION_TEXT, "NAME,...", "run: suites to measure; needed", &o.suites, 0, 0, "SUITES"},
	{"kernel", 'k', OPTION_TEXT, "FILE", "run: the kernel (the hypervisor.elf32 that came with hbench)",
	 &o.kernel, 0, 0, NULL},
	{"roottasks", 'r', OPTION_TEXT, "DIR", "run: folder with NAME.elf for each suite (that of the kernel)",
	 &o.roottasks, 0, 0, NULL},
	{"root-append", 0, OPTION_TEXT, "WORDS", "run: more words for the roottasks' command line", &o.root_append, 0,
	 0, NULL},
	{"boots", 0, OPTION_NUMBER, "N",
	 "run: how often to boot each machine for each suite (1; ticks need 3 or more)", &o.boots, 1,
	 OUTCOME_BOOTS_MAX, NULL},
	{"confirm", 0, OPTION_NUMBER, "N",
	 "run: measure a regression again before it is believed, up to N times (1; 0: never)", &o.confirm, 0,
	 PLAN_CONFIRM_MAX, NULL},
	{"baseline-kernel", 0, OPTION_TEXT, "FILE",
	 "run: the baseline's kernel, which takes turns with the new one when a regression is confirmed", &o.base, 0,
	 0, NULL},
	{"jobs", 'j', OPTION_NUMBER, "N", "run: machines at the same time (all)", &o.jobs, 1, 1000, NULL},
	{"git-revision", 0, OPTION_TEXT, "REV", "run: revision to note in the results", &o.revision, 0, 0, NULL},
	{"output", 'o', OPTION_TEXT, "DIR",
	 "run: folder for logs, results and reports (one in the lab's runs folder)", &o.output, 0, 0, NULL},
	{"resume", 0, OPTION_TEXT, "DIR", "run: go on with the interrupted run of this folder", &o.resume, 0, 0,
	 NULL},
	{"slurm", 0, OPTION_FLAG, NULL, "run: in a job of Slurm, on the machines that it has", &o.slurm, 0, 0, NULL},
	{"strict", 0, OPTION_FLAG, NULL, "check: what is only doubtful is an error, too", &o.strict, 0, 0, NULL},
	{"force", 0, OPTION_FLAG, NULL, "unlock, power: although the machine belongs to a run", &o.force, 0, 0, NULL},
	OPTIONS_STORAGE(o.storage),
	{"quiet", 'q', OPTION_FLAG, NULL, "run: no table", &o.quiet, 0, 0, NULL},
	OPTION_END,
};

struct inventory *cmd_fleet_inventory(const struct fleet_options *options_given)
{
	const char *fallback = getenv("HBENCH_FLEET");
	const char *path = options_given->inventory ? options_given->inventory
			   : fallback && *fallback  ? fallback
						    : "fleet.yaml";
	struct inventory_problems problems = {0};
	struct inventory *inventory = inventory_load(path, &problems);

	inventory_print_problems(&problems);
	inventory_free_problems(&problems);
	return inventory;
}

static bool named(const struct fleet_options *options_given, const char *name)
{
	for (unsigned i = 0; i < options_given->machines.count; i++)
		if (!strcmp(options_given->machines.text[i], name))
			return true;
	return !options_given->machines.count;
}

const struct inventory_machine **cmd_fleet_choose(const struct inventory *inventory,
						  const struct fleet_options *options_given, unsigned *count)
{
	const struct inventory_machine **machines =
		xcalloc(inventory->machines_count + 1, sizeof(struct inventory_machine *));

	*count = 0;
	for (unsigned i = 0; i < inventory->machines_count; i++) {
		const struct inventory_machine *m = &inventory->machines[i];

		if (named(options_given, m->name) &&
		    (!options_given->tags || inventory_has_tags(m, options_given->tags)))
			machines[(*count)++] = m;
	}
	for (unsigned i = 0; i < options_given->machines.count; i++)
		if (!inventory_find(inventory, options_given->machines.text[i])) {
			complain("the inventory has no machine %s", options_given->machines.text[i]);
			*count = 0;
		}
	if (*count)
		return machines;
	complain("there is no machine with these names and tags");
	free(machines);
	return NULL;
}

/* --- check --- */

static int check(void)
{
	struct inventory *inventory = cmd_fleet_inventory(&o);
	struct inventory_problems doubts = {0};
	int code;

	if (!inventory)
		return EXIT_RUN_INVALID;
	inventory_host_check(inventory, &doubts);
	for (unsigned i = 0; i < doubts.count; i++) {
		text_mask(doubts.text[i]);
		printf("doubt: %s\n", doubts.text[i]);
	}
	printf("%s: %u machine%s, nothing wrong with the file\n", inventory->path, inventory->machines_count,
	       inventory->machines_count == 1 ? "" : "s");
	code = o.strict && doubts.count ? EXIT_RUN_INVALID : EXIT_SAME_OR_BETTER;
	inventory_free_problems(&doubts);
	inventory_free(inventory);
	return code;
}

/* --- list --- */

static char *joined(char *const *words, unsigned count, const char *none)
{
	char *text = xstrdup(count ? words[0] : none);

	for (unsigned i = 1; i < count; i++) {
		char *longer = xasprintf("%s,%s", text, words[i]);

		free(text);
		text = longer;
	}
	return text;
}

static void list_machine(struct table *table, const struct inventory *inventory, const struct inventory_machine *m)
{
	static const char *const states[] = {
		[LOCK_FREE] = "free", [LOCK_MINE] = "free", [LOCK_HELD] = "", [LOCK_STALE] = "free, a run died"};
	char *tags = joined(m->tags, m->tags_count, ""), *suites = joined(m->suites, m->suites_count, "all");
	struct lock_info info;
	enum lock_state state = lock_look(inventory->lab.folders.locks, m->name, &info);

	table_cell(table, COLOUR_NONE, "%s", m->name);
	table_cell(table, COLOUR_NONE, "%s", m->mac ? m->mac : "");
	table_cell(table, COLOUR_NONE, "%s", m->firmware == FIRMWARE_UEFI ? "uefi" : "bios");
	table_cell(table, COLOUR_NONE, "%s", inventory_console_name(m));
	table_cell(table, COLOUR_NONE, "%s", inventory_power_name(m));
	table_cell(table, COLOUR_NONE, "%s", m->baseline);
	table_cell(table, COLOUR_NONE, "%s", suites);
	table_cell(table, COLOUR_NONE, "%s", tags);
	if (state == LOCK_HELD)
		table_cell(table, COLOUR_DOUBT, "%s on %s, process %ld", info.owner, info.host, info.pid);
	else
		table_cell(table, COLOUR_NONE, "%s", states[state]);
	free(suites);
	free(tags);
}

static int list(void)
{
	static const char *const titles[] = {"machine",  "mac",    "firmware", "console", "power",
					     "baseline", "suites", "tags",     "used by", NULL};
	struct inventory *inventory = cmd_fleet_inventory(&o);
	const struct inventory_machine **machines;
	struct table *table;
	unsigned count;

	if (!inventory)
		return EXIT_RUN_INVALID;
	machines = cmd_fleet_choose(inventory, &o, &count);
	if (machines) {
		table = table_create(titles);
		for (unsigned i = 0; i < count; i++)
			list_machine(table, inventory, machines[i]);
		table_print(table, stdout, table_wants_colour(stdout));
		table_free(table);
	}
	free(machines);
	inventory_free(inventory);
	return count ? EXIT_SAME_OR_BETTER : EXIT_USAGE;
}

/* --- slurm --- */

static int slurm(void)
{
	struct inventory *inventory = cmd_fleet_inventory(&o);

	if (!inventory)
		return EXIT_RUN_INVALID;
	slurm_print(stdout, inventory);
	inventory_free(inventory);
	return EXIT_SAME_OR_BETTER;
}

/* --- power --- */

/* Taken for the moment, so that no run begins meanwhile. */
static bool switch_power(const struct inventory *inventory, const struct inventory_machine *m,
			 enum power_action action, struct error *error)
{
	const char *locks = inventory->lab.folders.locks;
	bool locked = !o.force, good;

	if (locked && !lock_take(locks, m->name, "hbench fleet power", error))
		return false;
	if (action == POWER_CYCLE && !(m->power.type == POWER_COMMAND && m->power.cycle))
		good = power_restart(inventory, m, NULL, error);
	else
		good = power_do(inventory, m, action, NULL, error);
	if (locked)
		lock_release(locks, m->name);
	return good;
}

static bool do_power(const struct inventory *inventory, const struct inventory_machine *m, enum power_action action,
		     struct error *error)
{
	bool on;

	if (action != POWER_STATUS)
		return switch_power(inventory, m, action, error);
	if (!power_ask(inventory, m, NULL, &on, error))
		return false;
	printf("%s is %s\n", m->name, on ? "on" : "off");
	return true;
}

static int power(char **args, unsigned count)
{
	enum power_action action;
	struct inventory *inventory;
	const struct inventory_machine *m;
	struct error error;
	int code = EXIT_SAME_OR_BETTER;

	if (count != 2 || !power_find(args[1], &action))
		verb_usage(&verb_fleet, "power NAME on|off|cycle|status");
	inventory = cmd_fleet_inventory(&o);
	if (!inventory)
		return EXIT_RUN_INVALID;
	m = inventory_find(inventory, args[0]);
	if (!m) {
		complain("the inventory has no machine %s", args[0]);
		code = EXIT_USAGE;
	} else if (!do_power(inventory, m, action, &error)) {
		complain("%s: %s", m->name, error.text);
		code = EXIT_RUN_INVALID;
	}
	inventory_free(inventory);
	return code;
}

/* --- unlock --- */

static int unlock_one(const struct inventory *inventory, const char *name)
{
	const char *locks = inventory->lab.folders.locks;
	struct lock_info info;
	struct error error;
	char who[512];

	if (!inventory_find(inventory, name)) {
		complain("the inventory has no machine %s", name);
		return EXIT_USAGE;
	}
	if (lock_look(locks, name, &info) == LOCK_FREE) {
		printf("%s is free\n", name);
		return EXIT_SAME_OR_BETTER;
	}
	lock_describe(&info, who, sizeof(who));
	if (!lock_break(locks, name, o.force, &error)) {
		complain("%s", error.text);
		return EXIT_RUN_INVALID;
	}
	printf("%s is free; it belonged to %s\n", name, who);
	return EXIT_SAME_OR_BETTER;
}

static int unlock(char **args, unsigned count)
{
	struct inventory *inventory;
	int code = EXIT_SAME_OR_BETTER;

	if (!count)
		verb_usage(&verb_fleet, "unlock NAME...");
	inventory = cmd_fleet_inventory(&o);
	if (!inventory)
		return EXIT_RUN_INVALID;
	for (unsigned i = 0; i < count && code == EXIT_SAME_OR_BETTER; i++)
		code = unlock_one(inventory, args[i]);
	inventory_free(inventory);
	return code;
}

static int run(char **args, unsigned count)
{
	const char *what = args[0];

	if (!strcmp(what, "power"))
		return power(args + 1, count - 1);
	if (!strcmp(what, "unlock"))
		return unlock(args + 1, count - 1);
	if (count > 1)
		verb_usage(&verb_fleet, "`%s` takes options only, no other arguments", what);
	if (!strcmp(what, "check"))
		return check();
	if (!strcmp(what, "list"))
		return list();
	if (!strcmp(what, "slurm"))
		return slurm();
	if (!strcmp(what, "run"))
		return cmd_fleet_run(&o);
	if (!strcmp(what, "serve"))
		return cmd_fleet_serve(&o);
	verb_usage(&verb_fleet, "there is no `%s`", what);
}

const struct verb verb_fleet = {
	.name = "fleet",
	.summary = "boot and measure the machines of a lab, all at once",
	.args = "check\nlist\nserve\nrun\npower NAME on|off|cycle|status\nunlock NAME...\nslurm",
	.args_words = "check list serve run power unlock slurm",
	.doc = "Boot the machines of a lab from the network, listen to their consoles, and measure, compare and "
	       "report; "
	       "docs/fleet.md begins with an empty table and ends with a rack.",
	.more = "check reads the inventory and says what is wrong with it, and what this host lacks. list shows the "
		"machines and whose they are. serve gives addresses (DHCP), scripts and files (TFTP, HTTP) to the "
		"machines of the inventory on the chosen interface, until Ctrl-C. run switches machines on, lets "
		"each "
		"measure all suites, switches them off whatever happens, and compares each with its own baseline. "
		"power "
		"switches one machine. unlock takes a machine from a run that is gone. slurm prints the lab for "
		"slurm.conf.\n\n"
		"Exit codes of run: 0 same or better, 1 regressed, 2 usage, 3 not enough data, 4 a machine was "
		"silent, did "
		"not boot, panicked and so on, or has no baseline, 5 a benchmark is missing, 130 interrupted. When "
		"several "
		"apply, 4 comes before 1, 5 and 3.",
	.examples = "  hbench fleet check -i lab.yaml\n"
		    "  sudo hbench fleet serve -i lab.yaml\n"
		    "  hbench fleet run -i lab.yaml -k hypervisor.elf32 --suite ipc,sm --tags lab1 --boots 5\n"
		    "  hbench fleet run --resume runs/2026-11-22T10:00:00-1234\n"
		    "  hbench fleet power nuc11 cycle\n",
	.options = options,
	.args_min = 1,
	.args_max = UINT32_MAX,
	.args_needed = "say check, list, serve, run, power, unlock or slurm",
	.run = run,
};
