/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/console_ipmi.h"

#include "fleet/ipmi.h"
#include "fleet/said.h"
#include "host/clock.h"
#include "host/mem.h"
#include "measure/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { WAIT_MS = 100 };

/* Seconds: between two tries; for ipmitool to end without its terminal; for `sol deactivate`. */
static const double rest = 1, end_patience = 3, clear_patience = 20;

/* What ipmitool itself says on the machine's line; everything before it is its own, too. */
static const char greeting[] = "[SOL Session operational";

static void enter(struct console_ipmi *c, enum console_ipmi_phase phase)
{
	c->phase = phase;
	c->since = clock_seconds();
}

static void forget_terminal(struct console_ipmi *c)
{
	if (c->terminal >= 0)
		close(c->terminal);
	c->terminal = -1;
}

/* --- ipmitool --- */

static bool start(struct console_ipmi *c, const char *verb, int in, int out, struct error *error)
{
	char instance[32];
	const char *const words[] = {"sol", verb, instance};
	char **argv;
	bool good;

	snprintf(instance, sizeof(instance), "instance=%u", c->machine->console.instance);
	argv = ipmi_command(&c->machine->console.bmc, "lanplus", words, c->machine->console.instance == 1 ? 2 : 3);
	good = !ftruncate(c->said, 0) || error_set(error, "cannot empty a file: %s", strerror(errno));
	good = good && child_start_talking(&c->child, argv, c->folder, in, out, c->said, error);
	strings_free(argv);
	return good;
}

static bool start_clearing(struct console_ipmi *c, struct error *error)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool good = null >= 0 || error_set(error, "cannot open /dev/null: %s", strerror(errno));

	good = good && start(c, "deactivate", null, c->said, error);
	if (null >= 0)
		close(null);
	if (good)
		enter(c, IPMI_CLEARING);
	return good;
}

/* It works with a terminal only; with another stdin it ends the session at once, as its user would. */
static bool start_opening(struct console_ipmi *c, struct error *error)
{
	struct termios raw;
	int other;
	bool good;

	if (openpty(&c->terminal, &other, NULL, NULL, NULL)) {
		c->terminal = -1;
		return error_set(error, "cannot make a terminal: %s", strerror(errno));
	}
	if (!tcgetattr(other, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(other, TCSANOW, &raw);
	}
	fcntl(c->terminal, F_SETFD, FD_CLOEXEC);
	fcntl(other, F_SETFD, FD_CLOEXEC);
	fcntl(c->terminal, F_SETFL, O_NONBLOCK);
	good = start(c, "activate", other, other, error);
	close(other);
	if (good) {
		c->greeted = 0;
		enter(c, IPMI_OPENING);
	}
	return good;
}

/* The greeting may come behind other words, and goes on to the end of its line; what follows is the machine's. */
static void greet(struct console_ipmi *c, char byte)
{
	if (c->greeted < sizeof(greeting) - 1)
		c->greeted = byte == greeting[c->greeted] ? c->greeted + 1 : byte == greeting[0];
	else if (byte == '\n')
		enter(c, IPMI_OPEN);
}

/* --- one step --- */

static void fail(struct console_ipmi *c, const struct error *error)
{
	complain("note: %s: the console: %s", c->machine->name, error->text);
	forget_terminal(c);
	enter(c, IPMI_RESTING);
}

static void lose(struct console_ipmi *c)
{
	struct error error;
	char words[200];

	if (c->phase == IPMI_OPEN) {
		c->lost = clock_seconds();
		said_last_words(c->said, words, sizeof(words));
		error_store(&error, "the session of Serial over LAN has ended%s%s", *words ? ": " : "", words);
		fail(c, &error);
	} else {
		forget_terminal(c);
		enter(c, IPMI_RESTING);
	}
}

/* Nothing of a program that hangs may be left when the next one starts. */
static void step_clearing(struct console_ipmi *c)
{
	struct error error;

	if (!child_ended(&c->child) && clock_seconds() < c->since + clear_patience) {
		poll(NULL, 0, WAIT_MS);
		return;
	}
	child_end(&c->child);
	/* Its exit code does not matter: it usually fails because there was no session to take. */
	if (!start_opening(c, &error))
		fail(c, &error);
}

static void step_resting(struct console_ipmi *c)
{
	struct error error;

	if (clock_seconds() < c->since + rest)
		poll(NULL, 0, WAIT_MS);
	else if (!start_clearing(c, &error))
		fail(c, &error);
}

/*
 * Until the greeting is over byte by byte, so that none of the machine's is taken for a part of it. The terminal
 * reports an error once ipmitool is gone.
 */
static size_t step_listening(struct console_ipmi *c, char *data, size_t size)
{
	struct pollfd ready = {c->terminal, POLLIN, 0};
	bool open = c->phase == IPMI_OPEN;
	ssize_t len = poll(&ready, 1, WAIT_MS) > 0 ? read(c->terminal, data, open ? size : 1) : -1;

	if (len <= 0) {
		if (child_ended(&c->child))
			lose(c);
		return 0;
	}
	if (!open)
		greet(c, *data);
	return open ? (size_t)len : 0;
}

static size_t step(struct console_ipmi *c, char *data, size_t size)
{
	switch (c->phase) {
	case IPMI_CLEARING:
		step_clearing(c);
		return 0;
	case IPMI_RESTING:
		step_resting(c);
		return 0;
	default:
		return step_listening(c, data, size);
	}
}

/* --- the console --- */

static bool patience_is_over(const struct console_ipmi *c)
{
	return c->phase != IPMI_OPEN && clock_seconds() >= c->lost + c->machine->timeouts.power;
}

bool console_ipmi_open(struct console_ipmi *c, const struct inventory *inventory,
		       const struct inventory_machine *machine, struct error *error)
{
	char none, words[200];

	*c = (struct console_ipmi){.machine = machine, .folder = inventory->folder, .terminal = -1};
	c->child.exit_fd = -1;
	c->lost = clock_seconds();
	c->said = said_open(error);
	if (c->said < 0 || !start_clearing(c, error))
		return false;
	while (c->phase != IPMI_OPEN) {
		if (run_interrupted())
			return error_set(error, "interrupted");
		step(c, &none, 1);
		if (!patience_is_over(c))
			continue;
		said_last_words(c->said, words, sizeof(words));
		return error_set(error, "no session of Serial over LAN within %u s%s%s", machine->timeouts.power,
				 *words ? ": " : "", words);
	}
	return true;
}

size_t console_ipmi_read(struct console_ipmi *c, char *data, size_t size, bool *ended)
{
	size_t len = step(c, data, size);

	*ended = patience_is_over(c);
	return len;
}

/* Without its terminal ipmitool ends the session and itself. When it does not, the session is taken from it. */
void console_ipmi_close(struct console_ipmi *c)
{
	bool active = c->phase == IPMI_OPENING || c->phase == IPMI_OPEN;
	struct error ignored;

	forget_terminal(c);
	if (active && c->child.pid && !child_wait(&c->child, end_patience)) {
		child_end(&c->child);
		if (start_clearing(c, &ignored))
			child_wait(&c->child, clear_patience);
	}
	child_end(&c->child);
	if (c->said >= 0)
		close(c->said);
	c->said = -1;
}
