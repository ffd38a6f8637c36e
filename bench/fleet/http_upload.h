/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log that a machine sends by HTTP: written into the mailbox as it comes. If it does not come whole, the mailbox is
 * emptied again.
 */
#pragma once

#include "fleet/inventory.h"

#include <stddef.h>

struct http_upload;

/*
 * Begins a log that was sent to `path`, which is below `folder`, a descriptor of the served folder. NULL when no run
 * awaits it: *status is then what to answer.
 */
struct http_upload *http_upload_begin(int folder, const struct inventory *inventory, const char *path,
				      unsigned *status);

/* Appends a piece. Failures, as a log larger than the machine's may be, are kept for http_upload_end(). */
void http_upload_take(struct http_upload *upload, const char *data, size_t size);

/* The log has come to its end. Returns the status to answer; if it is MHD_HTTP_OK, the log is the run's now. */
unsigned http_upload_end(struct http_upload *upload);

/* Frees it. A log that is not the run's is dropped, so that the machine may send it again. */
void http_upload_free(struct http_upload *upload);
