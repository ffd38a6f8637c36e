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
 * Runs the command and waits for it, at most timeouts.power. False with why. If it fails to switch on or off, and the
 * inventory has a way to ask for the state, the machine is asked: if the state is the right one, the failure is only
 * noted.
 */
bool power_do(const struct inventory *inventory, const struct inventory_machine *machine, enum power_action action,
	      const struct power_context *context, struct error *error) must_check;

/* First half of a restart: off, and the pause timeouts.settle. Machines that can only be cycled stay as they are. */
bool power_down(const struct inventory *inventory, const struct inventory_machine *machine,
		const struct power_context *context, struct error *error) must_check;

/* Second half: on, or the machine's own way to start again. */
bool power_up(const struct inventory *inventory, const struct inventory_machine *machine,
	      const struct power_context *context, struct error *error) must_check;

/* Both. */
bool power_restart(const struct inventory *inventory, const struct inventory_machine *machine,
		   const struct power_context *context, struct error *error) must_check;

/* Leaves a machine that is done as the inventory says: off, on, or as it is. */
bool power_leave(const struct inventory *inventory, const struct inventory_machine *machine,
		 const struct power_context *context, struct error *error) must_check;

/* Asks for the machine's state. False when the command fails or its answer is neither on nor off. */
bool power_ask(const struct inventory *inventory, const struct inventory_machine *machine,
	       const struct power_context *context, bool *on, struct error *error) must_check;

/* False when there is no such action. */
bool power_find(const char *name, enum power_action *action);

/* The program with its arguments and NULL, to be freed by strings_free(); NULL if the inventory has none for it. */
char **power_command(const struct inventory_machine *machine, enum power_action action);

/*
 * What a status command said: 1 for on, 0 for off, -1 for neither. The last of the words "on" and "off" counts. node,
 * if not NULL: it is an answer of powerman's, and the line with this name counts.
 */
int power_parse_status(const char *text, const char *node);
