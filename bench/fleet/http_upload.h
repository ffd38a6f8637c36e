/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log that a machine sends: written into the mailbox as it comes, and taken back if it does not come whole. */
#pragma once

#include "fleet/inventory.h"

#include <stddef.h>

struct http_upload;

/* NULL with the status for the answer when nobody awaits this. folder: of what is served; path: below it. */
struct http_upload *http_upload_begin(int folder, const struct inventory *inventory, const char *path,
				      unsigned *status);

void http_upload_take(struct http_upload *upload, const char *data, size_t size);

/* It has come to its end: the status for the answer. */
unsigned http_upload_end(struct http_upload *upload);

/* Ends and frees it, whether it is whole or not. */
void http_upload_free(struct http_upload *upload);
