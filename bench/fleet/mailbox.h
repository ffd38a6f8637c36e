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
	char *log, *fetched; /* paths of the two files; `fetched` gets a byte when the machine has fetched */
};

/* --- the run --- */

/* Begins to await the machine. mailbox_close() is needed also when this fails. */
bool mailbox_open(struct mailbox *mailbox, const struct inventory *inventory, const struct inventory_machine *machine,
		  struct error *error) must_check;

bool mailbox_has_fetched(const struct mailbox *mailbox);

/* A descriptor of the whole log, to be read and closed; -1: it is not there yet. */
int mailbox_take(const struct mailbox *mailbox);

/* Removes the files: from now on nothing of the machine is accepted. */
void mailbox_close(struct mailbox *mailbox);

/* --- the servers; folder: a descriptor of the served folder --- */

/* The file at this path, which is below the folder, was given to somebody. */
void mailbox_note_fetch(int folder, const struct inventory *inventory, const char *path);

/* The machine that a log sent to this path would be of, or NULL. */
const struct inventory_machine *mailbox_machine(const struct inventory *inventory, const char *path);

/* A descriptor of the file for its log, locked until it is closed; -1: none is awaited, or one has come already. */
int mailbox_accept(int folder, const struct inventory_machine *machine);
