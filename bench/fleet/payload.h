/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine is to boot next, in the folder that `fleet serve` gives to the network: a folder with kernel and
 * roottask, made by boot/mkimage and named by their contents, and a script of the machine that leads there.
 */
#pragma once

#include "fleet/plan.h"
#include "host/error.h"

enum { PAYLOAD_ID_LENGTH = 16 };

struct payload {
	char id[PAYLOAD_ID_LENGTH + 1]; /* the folder's name: digits of a SHA-256 of all that it is made of */
	char *title;                    /* in menus */
};

/* Makes the folder, or checks the sums of the one that is there. payload_free() is needed also when this fails. */
bool payload_prepare(struct payload *payload, const struct plan *plan, const struct inventory_machine *machine,
		     const char *suite, struct error *error) must_check;

/* The same for the small Linux that sends the log of a machine whose console is its RAM (boot/collector.py). */
bool payload_prepare_collector(struct payload *payload, const struct plan *plan,
			       const struct inventory_machine *machine, struct error *error) must_check;

/* From now on the machine boots this. */
bool payload_arm(const struct payload *payload, const struct inventory *inventory,
		 const struct inventory_machine *machine, struct error *error) must_check;

/* From now on it boots by itself. */
void payload_disarm(const struct inventory *inventory, const struct inventory_machine *machine);

/* Checks a folder against its SHA256SUMS. */
bool payload_check_sums(const char *folder, struct error *error) must_check;

void payload_free(struct payload *payload);
