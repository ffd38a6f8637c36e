/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the servers, which may be another user's, hand to the run that awaits it: that a machine has fetched what it
 * was to boot, and the log that it sends. The run puts two empty files into the served folder; the servers write only
 * into files that are there, so nothing comes from machines that nobody awaits.
 *
 * Locking: who writes a log has the file locked (flock); the log is whole once it is there and not locked.
 */
#pragma once

#include "fleet/inventory.h"
#include "host/error.h"

struct mailbox {
	char *log, *fetched; /* paths */
};

/* --- the run --- */

/* Begins to await the machine. */
bool mailbox_open(struct mailbox *mailbox, const struct inventory *inventory, const struct inventory_machine *machine,
		  struct error *error) must_check;

bool mailbox_has_fetched(const struct mailbox *mailbox);

/* The whole log, to be read and closed; -1: it is not there yet. */
int mailbox_take(const struct mailbox *mailbox);

void mailbox_close(struct mailbox *mailbox);

/* --- the servers. folder: of what is served --- */

/* Somebody was given a file; path: below the folder. */
void mailbox_note_fetch(int folder, const struct inventory *inventory, const char *path);

/* The machine that a log sent to this path would be of, or NULL. */
const struct inventory_machine *mailbox_machine(const struct inventory *inventory, const char *path);

/* The file for its log, locked; -1: nobody awaits one. */
int mailbox_accept(int folder, const struct inventory_machine *machine);
