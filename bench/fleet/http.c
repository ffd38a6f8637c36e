/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/http.h"

#include "fleet/http_upload.h"
#include "fleet/mailbox.h"
#include "fleet/script.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 64, IDLE_SECONDS = 30, CONNECTIONS_MAX = 512, SHOWN_MAX = 300 };

struct http {
	const struct inventory *inventory;
	struct MHD_Daemon *daemon;
	int listener, folder;
};

/* --- the log --- */

struct log_line {
	FILE *out;
};

/* What iPXE tells of the machine. */
static enum MHD_Result log_argument(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
	const struct log_line *line = context;

	(void)kind;
	fprintf(line->out, " %s=%s", key, value ? value : "");
	return MHD_YES;
}

static void log_request(struct MHD_Connection *connection, const char *method, const char *url, unsigned status)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char address[INET_ADDRSTRLEN] = "?", *text = NULL;
	struct log_line line;
	size_t size = 0;

	if (info && info->client_addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)info->client_addr)->sin_addr, address,
			  sizeof(address));
	line.out = open_memstream(&text, &size);
	if (!line.out)
		return;
	fprintf(line.out, "http: %s %u %s %s", address, status, method, url);
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, log_argument, &line);
	fclose(line.out);
	flockfile(stderr);
	text_print_escaped(stderr, text, size < SHOWN_MAX ? size : SHOWN_MAX);
	fputc('\n', stderr);
	funlockfile(stderr);
	free(text);
}

/* --- what is asked for --- */

/* Hidden files are nobody's business; nothing outside of the folder is found. */
static int open_served(const struct http *h, const char *path)
{
	if (!*path || *path == '.' || strstr(path, "/."))
		return -1;
	return file_open_below(h->folder, path, O_RDONLY);
}

static struct MHD_Response *file_response(const struct http *h, const char *path)
{
	struct MHD_Response *response = NULL;
	int fd = open_served(h, path);
	struct stat data;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &data))
		response = MHD_create_response_from_fd64((uint64_t)data.st_size, fd); /* which is closed with it */
	if (!response)
		close(fd);
	return response;
}

/* Scripts that are in no file: the first one, and those of machines that have nothing to run. */
static struct MHD_Response *script_response(const struct http *h, const char *path)
{
	const char *rest;
	const struct inventory_machine *m = inventory_find_path(h->inventory, path, SCRIPT_NODES, &rest);
	bool start = !strcmp(path, "boot.ipxe");
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (!start && (!m || strcmp(rest, ".ipxe")))
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	if (start)
		script_start(out, h->inventory);
	else
		script_machine(out, h->inventory, m, NULL, NULL);
	fclose(out);
	return MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
}

static struct MHD_Response *find(const struct http *h, const char *url)
{
	const char *path = url + strspn(url, "/");
	struct MHD_Response *response = strcmp(path, "boot.ipxe") ? file_response(h, path) : NULL;

	return response ? response : script_response(h, path);
}

static enum MHD_Result respond(struct MHD_Connection *connection, const char *method, const char *url,
			       unsigned status, struct MHD_Response *response)
{
	enum MHD_Result done;

	if (!response)
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	log_request(connection, method, url, status);
	done = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return done;
}

static enum MHD_Result give(const struct http *h, struct MHD_Connection *connection, const char *url,
			    const char *method)
{
	struct MHD_Response *response = find(h, url);

	if (response && !strcmp(method, "GET"))
		mailbox_note_fetch(h->folder, h->inventory, url + strspn(url, "/"));
	return respond(connection, method, url, response ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
}

/* Called at the beginning, for each piece, and at the end, which is a piece of no bytes. */
static enum MHD_Result take(const struct http *h, struct MHD_Connection *connection, const char *url,
			    const char *method, const char *data, size_t *size, void **state)
{
	struct http_upload *upload = *state;
	unsigned status;

	if (!upload) {
		upload = http_upload_begin(h->folder, h->inventory, url + strspn(url, "/"), &status);
		*state = upload;
		return upload ? MHD_YES : respond(connection, method, url, status, NULL);
	}
	if (!*size)
		return respond(connection, method, url, http_upload_end(upload), NULL);
	http_upload_take(upload, data, *size);
	*size = 0;
	return MHD_YES;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *data, size_t *size, void **state)
{
	const struct http *h = context;

	(void)version;
	if (!strcmp(method, "GET") || !strcmp(method, "HEAD"))
		return give(h, connection, url, method);
	if (!strcmp(method, "POST") || !strcmp(method, "PUT"))
		return take(h, connection, url, method, data, size, state);
	return respond(connection, method, url, MHD_HTTP_METHOD_NOT_ALLOWED, NULL);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode how)
{
	(void)context;
	(void)connection;
	(void)how;
	if (*state)
		http_upload_free(*state);
	*state = NULL;
}

void http_note_fetch(const struct http *h, const char *path)
{
	mailbox_note_fetch(h->folder, h->inventory, path);
}

/* --- the socket --- */

static int listen_on(const struct inventory_network *n, struct error *error)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)n->http_port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
	bool good = fd >= 0 && inet_pton(AF_INET, n->address, &address.sin_addr) == 1 &&
		    !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) &&
		    !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, n->interface, (socklen_t)strlen(n->interface)) &&
		    !bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, BACKLOG);

	if (good)
		return fd;
	error_store(error, "cannot listen on %s:%u of %s: %s", n->address, n->http_port, n->interface,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Root's folder would be of no use to those who fill it: it belongs to whom the inventory's folder belongs to. */
static bool make_folder(const struct inventory *inventory, struct error *error)
{
	const char *boot = inventory->lab.folders.boot;
	struct stat owner;

	if (!access(boot, F_OK))
		return true;
	if (!file_make_folders(boot, error))
		return false;
	if (geteuid() || stat(inventory->folder, &owner))
		return true;
	return !chown(boot, owner.st_uid, owner.st_gid) ||
	       error_set(error, "cannot give away %s: %s", boot, strerror(errno));
}

struct http *http_open(const struct inventory *inventory, struct error *error)
{
	const char *boot = inventory->lab.folders.boot;
	struct http *h = xcalloc(1, sizeof(*h));

	*h = (struct http){.inventory = inventory, .listener = -1, .folder = -1};
	if (make_folder(inventory, error)) {
		h->folder = open(boot, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (h->folder < 0)
			error_store(error, "cannot open the folder %s: %s", boot, strerror(errno));
		else
			h->listener = listen_on(&inventory->lab.network, error);
	}
	if (h->listener >= 0)
		return h;
	http_close(h);
	return NULL;
}

bool http_start(struct http *h, struct error *error)
{
	h->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, answer, h, MHD_OPTION_LISTEN_SOCKET,
				     h->listener, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	if (!h->daemon)
		return error_set(error, "the HTTP server did not start");
	h->listener = -1; /* the daemon's now */
	return true;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	if (h->listener >= 0)
		close(h->listener);
	if (h->folder >= 0)
		close(h->folder);
	free(h);
}
