/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/http_upload.h"

#include "fleet/mailbox.h"
#include "host/mem.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

struct http_upload {
	int fd; /* -1: the log is the run's */
	size_t size, max;
	bool failed;
};

struct http_upload *http_upload_begin(int folder, const struct inventory *inventory, const char *path,
				      unsigned *status)
{
	const struct inventory_machine *machine = mailbox_machine(inventory, path);
	int fd = machine ? mailbox_accept(folder, machine) : -1;
	struct http_upload *u;

	if (fd < 0) {
		*status = machine ? MHD_HTTP_CONFLICT : MHD_HTTP_METHOD_NOT_ALLOWED;
		return NULL;
	}
	u = xcalloc(1, sizeof(*u));
	*u = (struct http_upload){.fd = fd, .max = (size_t)machine->console.kib << 10};
	return u;
}

void http_upload_take(struct http_upload *u, const char *data, size_t size)
{
	u->size += size;
	u->failed = u->failed || u->size > u->max;
	while (size && !u->failed) {
		ssize_t len = write(u->fd, data, size);

		u->failed = len <= 0;
		if (len > 0) {
			data += len;
			size -= (size_t)len;
		}
	}
}

unsigned http_upload_end(struct http_upload *u)
{
	if (u->failed)
		return u->size > u->max ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (!u->size)
		return MHD_HTTP_BAD_REQUEST;
	/* Closing unlocks the log, which tells the run that it is whole. */
	close(u->fd);
	u->fd = -1;
	return MHD_HTTP_OK;
}

void http_upload_free(struct http_upload *u)
{
	if (u->fd >= 0) {
		/* Empty again, so that the machine may try once more. */
		if (!ftruncate(u->fd, 0))
			u->size = 0;
		close(u->fd);
	}
	free(u);
}
