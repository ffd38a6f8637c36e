/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Switches machines on and off. Programs are started directly, without a shell. */
#pragma once

#include "fleet/inventory.h"
#include "host/error.h"

enum power_action { POWER_ON, POWER_OFF, POWER_CYCLE, POWER_STATUS };

/* What the programs find in their environment (HBENCH_MACHINE and so on), for those that start emulators. */
struct power_context {
	const char *suite, *kernel, *roottask, *append, *root_words; /* NULL: not known */
	const char *log; /* file that gets what the programs say; NULL: nowhere */
};

/*
 * False with why. Waits at most the machine's time for it. A command that fails although the machine is on, or off,
 * as it should be is a note to the user only, where the inventory says how to ask.
 */
bool power_do(const struct inventory *inventory, const struct inventory_machine *machine, enum power_action action,
	      const struct power_context *context, struct error *error) must_check;

/* First half of a restart: off, and a pause. Machines that can only be cycled stay as they are. */
bool power_down(const struct inventory *inventory, const struct inventory_machine *machine,
		const struct power_context *context, struct error *error) must_check;

/* Second half: on, or the machine's own way to start again. */
bool power_up(const struct inventory *inventory, const struct inventory_machine *machine,
	      const struct power_context *context, struct error *error) must_check;

/* Both. */
bool power_restart(const struct inventory *inventory, const struct inventory_machine *machine,
		   const struct power_context *context, struct error *error) must_check;

/* What the inventory wants of a machine that is done. */
bool power_leave(const struct inventory *inventory, const struct inventory_machine *machine,
		 const struct power_context *context, struct error *error) must_check;

/* *on: what the machine's status says. */
bool power_ask(const struct inventory *inventory, const struct inventory_machine *machine,
	       const struct power_context *context, bool *on, struct error *error) must_check;

/* False when there is no such action. */
bool power_find(const char *name, enum power_action *action);

/* The program with its arguments, NULL at the end; NULL when the machine cannot do that. To be freed. */
char **power_command(const struct inventory_machine *machine, enum power_action action);

/* The last word "on" or "off" in what a status command said: 1, 0, or -1. */
int power_parse_status(const char *text, const char *node);
