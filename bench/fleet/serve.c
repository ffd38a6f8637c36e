/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/serve.h"

#include "fleet/http.h"
#include "fleet/privileges.h"
#include "fleet/script.h"
#include "fleet/tftp_log.h"
#include "host/environment.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/text.h"
#include "measure/child.h"
#include "measure/lines.h"
#include "measure/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPABILITIES "-all,+net_admin,+net_raw,+net_bind_service"

struct servers {
	const struct inventory *inventory;
	struct privileges privileges;
	struct http *http;
	char *state; /* folder, removed at the end */
	struct child dnsmasq;
	int said; /* what dnsmasq says */
	struct lines lines;
	struct tftp_log tftp;
	char last[256];
};

/* --- dnsmasq --- */

static bool write_configuration(const struct servers *s, char **path, struct error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool good = out || error_set(error, "out of memory");

	*path = xasprintf("%s/dnsmasq.conf", s->state);
	if (good) {
		script_dnsmasq(out, s->inventory, s->state);
		good = !fclose(out) && file_replace(*path, text, size, error);
	}
	free(text);
	return good;
}

static bool make_state(struct servers *s, struct error *error)
{
	s->state = xasprintf("%s/hbench-fleet-XXXXXX", environment("TMPDIR", "/tmp"));
	if (!mkdtemp(s->state)) {
		error_store(error, "cannot create the folder %s: %s", s->state, strerror(errno));
		free(s->state);
		s->state = NULL;
		return false;
	}
	return !s->privileges.can_change || !chown(s->state, s->privileges.user, s->privileges.group) ||
	       error_set(error, "cannot give away %s: %s", s->state, strerror(errno));
}

/*
 * Root's dnsmasq would keep root's rights until it has read everything; so it begins as the user already, with the
 * three rights that DHCP takes. It dies with us. Where there is no other user, its debugging mode does not look for
 * one.
 */
static bool start_dnsmasq(struct servers *s, const char *configuration, int out, struct error *error)
{
	char *user = xasprintf("--reuid=%u", s->privileges.user),
	     *group = xasprintf("--regid=%u", s->privileges.group);
	char *file = xasprintf("--conf-file=%s", configuration);
	const char *const as_user[] = {"setpriv",
				       user,
				       group,
				       "--clear-groups",
				       "--inh-caps=" CAPABILITIES,
				       "--ambient-caps=" CAPABILITIES,
				       "--bounding-set=" CAPABILITIES,
				       "--no-new-privs",
				       "--pdeathsig=KILL",
				       "dnsmasq",
				       "--keep-in-foreground",
				       "--log-facility=-",
				       file,
				       NULL};
	const char *const as_we_are[] = {"dnsmasq", "--no-daemon", file, NULL};
	const char *const *argv = s->privileges.can_change ? as_user : as_we_are;
	bool good = child_start(&s->dnsmasq, (char *const *)argv, NULL, out, out, error);

	free(file);
	free(group);
	free(user);
	return good;
}

static bool open_dnsmasq(struct servers *s, struct error *error)
{
	char *configuration = NULL;
	int ends[2];
	bool good;

	if (s->inventory->lab.network.dhcp == DHCP_NONE)
		return true;
	if (geteuid())
		return error_set(error, "DHCP needs root, who is given up at once: sudo hbench fleet serve ...");
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return error_set(error, "cannot create a pipe: %s", strerror(errno));
	s->said = ends[0];
	good = write_configuration(s, &configuration, error) && start_dnsmasq(s, configuration, ends[1], error);
	close(ends[1]);
	free(configuration);
	return good;
}

/* Names and classes in there come from machines. */
static void on_line(void *context, const char *line, size_t len, bool cut)
{
	struct servers *s = context;
	char *path;

	(void)cut;
	flockfile(stderr);
	text_print_escaped(stderr, line, len);
	fputc('\n', stderr);
	funlockfile(stderr);
	if (!len)
		return;
	path = tftp_log_line(&s->tftp, s->inventory->lab.folders.boot, line, len);
	if (path)
		http_note_fetch(s->http, path);
	free(path);
	snprintf(s->last, sizeof(s->last), "%.*s", (int)(len < 250 ? len : 250), line);
	text_mask(s->last);
}

static void listen_to_dnsmasq(struct servers *s)
{
	char data[4096];
	ssize_t len;

	while (s->said >= 0 && (len = read(s->said, data, sizeof(data))) > 0)
		lines_feed(&s->lines, data, (size_t)len, on_line, s);
}

/* --- all together --- */

/* Where Debian has dnsmasq, which is not in everybody's way. */
static void extend_path(void)
{
	char *path = xasprintf("%s:/usr/sbin:/sbin", environment("PATH", "/usr/bin:/bin"));

	setenv("PATH", path, 1);
	free(path);
}

static bool open_servers(struct servers *s, struct error *error)
{
	const struct inventory_lab *lab = &s->inventory->lab;

	if (!lab->network.interface || !lab->network.address)
		return error_set(error, "the inventory has no network interface and address to serve");
	if (!privileges_find(&s->privileges, lab->network.user, error))
		return false;
	s->http = http_open(s->inventory, error);
	return s->http && make_state(s, error) && open_dnsmasq(s, error) && privileges_drop(&s->privileges, error) &&
	       http_start(s->http, error);
}

static bool watch_servers(struct servers *s, struct error *error)
{
	bool dhcp = s->inventory->lab.network.dhcp != DHCP_NONE;

	while (!run_interrupted()) {
		struct pollfd said = {s->said, POLLIN, 0};

		poll(&said, 1, 200);
		listen_to_dnsmasq(s);
		if (dhcp && child_ended(&s->dnsmasq)) {
			listen_to_dnsmasq(s);
			return error_set(error, "dnsmasq ended: %s", *s->last ? s->last : "it said nothing");
		}
	}
	return true;
}

static void close_servers(struct servers *s)
{
	child_end(&s->dnsmasq);
	http_close(s->http);
	if (s->said >= 0)
		close(s->said);
	if (s->state)
		file_remove_folder(s->state);
	free(s->state);
}

bool serve(const struct inventory *inventory, struct error *error)
{
	struct servers *s = xcalloc(1, sizeof(*s));
	const struct inventory_network *n = &inventory->lab.network;
	bool good;

	extend_path();
	s->inventory = inventory;
	s->said = s->dnsmasq.exit_fd = -1;
	good = open_servers(s, error);
	if (good) {
		printf("serving %s on %s of %s, port %u; Ctrl-C ends it\n", inventory->lab.folders.boot, n->address,
		       n->interface, n->http_port);
		fflush(stdout);
		good = watch_servers(s, error);
	}
	close_servers(s);
	free(s);
	return good;
}
