/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and scripts for machines, over HTTP. Listens on one address of one interface; serves regular files below one
 * folder, no links, nothing hidden; takes logs that a run awaits (mailbox.h); writes a line for each request.
 */
#pragma once

#include "fleet/inventory.h"
#include "host/error.h"

struct http;

/* Binds the address and opens the folder. Both may need privileges, which can be dropped then. NULL on error. */
struct http *http_open(const struct inventory *inventory, struct error *error) must_check;

/* Begins to answer, in threads of its own. */
bool http_start(struct http *http, struct error *error) must_check;

/* Tells the run that awaits it that a machine has fetched a file below the folder by TFTP. */
void http_note_fetch(const struct http *http, const char *path);

void http_close(struct http *http);
