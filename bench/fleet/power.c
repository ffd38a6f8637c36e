/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/power.h"

#include "fleet/ipmi.h"
#include "fleet/said.h"
#include "host/error.h"
#include "host/mem.h"
#include "host/text.h"
#include "measure/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STATE_TRIES = 3, STATE_SECONDS = 1 };

static const char *const names[] = {"on", "off", "cycle", "status"};

bool power_find(const char *name, enum power_action *action)
{
	for (size_t i = 0; i < array_size(names); i++)
		if (!strcmp(name, names[i])) {
			*action = (enum power_action)i;
			return true;
		}
	return false;
}

/* --- commands --- */

/* The word with {name} and {mac} replaced. */
static char *filled(const char *word, const struct inventory_machine *m)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	while (out && *word) {
		if (!strncmp(word, "{name}", 6)) {
			fputs(m->name, out);
			word += 6;
		} else if (!strncmp(word, "{mac}", 5)) {
			fputs(m->mac ? m->mac : "", out);
			word += 5;
		} else {
			fputc(*word++, out);
		}
	}
	if (!out || fclose(out)) {
		free(text);
		return xstrdup("");
	}
	return text;
}

static char **copy_words(const char *const *words, size_t count, const struct inventory_machine *m)
{
	char **copy = xcalloc(count + 1, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = m ? filled(words[i], m) : xstrdup(words[i]);
	return copy;
}

static char **own_command(const struct inventory_machine *m, enum power_action action)
{
	const struct inventory_power *p = &m->power;
	char *const *const words[] = {p->on, p->off, p->cycle, p->status};
	const unsigned counts[] = {p->on_count, p->off_count, p->cycle_count, p->status_count};

	return words[action] ? copy_words((const char *const *)words[action], counts[action], m) : NULL;
}

static char **powerman_command(const struct inventory_power *p, enum power_action action)
{
	static const char *const options[] = {"--on", "--off", "--cycle", "--query"};
	const char *const words[] = {"powerman", options[action], p->node, "--server-host", p->bmc.host};

	return copy_words(words, p->bmc.host ? 5 : 3, NULL);
}

char **power_command(const struct inventory_machine *m, enum power_action action)
{
	const char *const chassis[] = {"chassis", "power", names[action]};

	switch (m->power.type) {
	case POWER_IPMI:
		return ipmi_command(&m->power.bmc, m->power.interface, chassis, array_size(chassis));
	case POWER_POWERMAN:
		return powerman_command(&m->power, action);
	case POWER_COMMAND:
		break;
	}
	return own_command(m, action);
}

/* --- running them --- */

static void pause_for(unsigned seconds)
{
	struct timespec rest = {.tv_sec = seconds};

	while (nanosleep(&rest, &rest) && errno == EINTR)
		;
}

static void tell(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void set_environment(const struct inventory_machine *m, const struct power_context *context)
{
	static const struct power_context nothing;
	const struct power_context *c = context ? context : &nothing;

	tell("HBENCH_MACHINE", m->name);
	tell("HBENCH_MAC", m->mac);
	tell("HBENCH_CONSOLE", m->console.path);
	tell("HBENCH_SUITE", c->suite);
	tell("HBENCH_KERNEL", c->kernel);
	tell("HBENCH_ROOTTASK", c->roottask);
	tell("HBENCH_APPEND", c->append);
	tell("HBENCH_ROOT_WORDS", c->root_words);
}

static void copy_to_log(int from, const char *log, char *const argv[])
{
	FILE *out = log ? fopen(log, "ae") : NULL;
	char data[4096];
	ssize_t len;

	if (!out)
		return;
	fputc('$', out);
	for (; *argv; argv++)
		fprintf(out, " %s", *argv);
	fputc('\n', out);
	if (!lseek(from, 0, SEEK_SET))
		while ((len = read(from, data, sizeof(data))) > 0)
			fwrite(data, 1, (size_t)len, out);
	fclose(out);
}

/* fd: gets what the program says. */
static bool run_command(const struct inventory *inventory, const struct inventory_machine *m,
			enum power_action action, int fd, const struct power_context *context, struct error *error)
{
	char **argv = power_command(m, action), words[400];
	struct error why;
	bool good;

	if (!argv)
		return error_set(error, "power %s: the inventory has no command for it", names[action]);
	set_environment(m, context);
	good = child_run(argv, inventory->folder, fd, fd, m->timeouts.power, &why);
	if (!good) {
		said_last_words(fd, words, sizeof(words));
		error_store(error, "power %s: %.400s%s%s", names[action], why.text, *words ? ": " : "", words);
	}
	copy_to_log(fd, context ? context->log : NULL, argv);
	strings_free(argv);
	return good;
}

static bool run_once(const struct inventory *inventory, const struct inventory_machine *machine,
		     enum power_action action, const struct power_context *context, struct error *error)
{
	int fd = said_open(error);
	bool good = fd >= 0 && run_command(inventory, machine, action, fd, context, error);

	if (fd >= 0)
		close(fd);
	return good;
}

/* For the user and for who reads the log later. */
static void note(const struct inventory_machine *m, const struct power_context *context, const char *text)
{
	FILE *out = context && context->log ? fopen(context->log, "ae") : NULL;

	complain("note: %s: %s", m->name, text);
	if (!out)
		return;
	fprintf(out, "note: %s\n", text);
	fclose(out);
}

/* Supplies need a moment until their answer is that of the new state. */
static bool became(const struct inventory *inventory, const struct inventory_machine *m, bool wanted,
		   const struct power_context *context, struct error *error)
{
	bool on;

	for (unsigned i = 0; i < STATE_TRIES; i++) {
		if (i)
			pause_for(STATE_SECONDS);
		if (!power_ask(inventory, m, context, &on, error))
			return false;
		if (on == wanted)
			return true;
	}
	return error_set(error, "the machine is %s", names[on ? POWER_ON : POWER_OFF]);
}

/*
 * Firmware of BMCs fails to switch off what is off, and outlets fail although they have switched: not what the
 * command says counts but the machine's state. After a cycle the state does not tell whether there was one.
 */
bool power_do(const struct inventory *inventory, const struct inventory_machine *m, enum power_action action,
	      const struct power_context *context, struct error *error)
{
	struct error failure, state;
	const char *name = names[action];
	bool good = run_once(inventory, m, action, context, &failure), has_status;

	if (good)
		return true;
	has_status = m->power.type != POWER_COMMAND || m->power.status;
	if (action != POWER_ON && action != POWER_OFF)
		return error_set(error, "%s", failure.text);
	if (!has_status)
		return error_set(
			error, "%.600s; the inventory has no `status`, so it is not known whether the machine is %s",
			failure.text, name);
	if (!became(inventory, m, action == POWER_ON, context, &state))
		return error_set(error, "%.500s; %.400s", failure.text, state.text);
	error_store(error, "%.500s; the machine is %s all the same", failure.text, name);
	note(m, context, error->text);
	return true;
}

static bool can_switch(const struct inventory_machine *m)
{
	return m->power.type != POWER_COMMAND || (m->power.on && m->power.off);
}

bool power_down(const struct inventory *inventory, const struct inventory_machine *m,
		const struct power_context *context, struct error *error)
{
	if (!can_switch(m))
		return true;
	if (!power_do(inventory, m, POWER_OFF, context, error))
		return false;
	pause_for(*m->timeouts.settle);
	return true;
}

bool power_up(const struct inventory *inventory, const struct inventory_machine *m,
	      const struct power_context *context, struct error *error)
{
	return power_do(inventory, m, can_switch(m) ? POWER_ON : POWER_CYCLE, context, error);
}

bool power_restart(const struct inventory *inventory, const struct inventory_machine *m,
		   const struct power_context *context, struct error *error)
{
	return power_down(inventory, m, context, error) && power_up(inventory, m, context, error);
}

bool power_leave(const struct inventory *inventory, const struct inventory_machine *m,
		 const struct power_context *context, struct error *error)
{
	switch (m->after) {
	case AFTER_OFF:
		return power_do(inventory, m, POWER_OFF, context, error);
	case AFTER_ON:
		return power_restart(inventory, m, context, error); /* into what it boots by itself */
	default:
		return true;
	}
}

/* --- status --- */

static bool is_word(const char *at, size_t len, const char *word)
{
	return strlen(word) == len && !strncasecmp(at, word, len);
}

/* powerman: "on:      node" and "off:     " are there always; the line with the node counts. */
static int powerman_status(const char *text, const char *node)
{
	int state = -1;

	for (const char *line = text; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
		size_t len = strcspn(line, "\n");

		if (memmem(line, len, node, strlen(node)))
			state = !strncmp(line, "on:", 3) ? 1 : !strncmp(line, "off:", 4) ? 0 : state;
	}
	return state;
}

int power_parse_status(const char *text, const char *node)
{
	static const char blanks[] = " \t\r\n:.,";
	int state = -1;

	if (node)
		return powerman_status(text, node);
	while (*text) {
		size_t len = strcspn(text, blanks);

		if (is_word(text, len, "on"))
			state = 1;
		else if (is_word(text, len, "off"))
			state = 0;
		text += len;
		text += strspn(text, blanks);
	}
	return state;
}

bool power_ask(const struct inventory *inventory, const struct inventory_machine *m,
	       const struct power_context *context, bool *on, struct error *error)
{
	int fd = said_open(error), state = -1;
	char text[4096] = "";
	bool good = fd >= 0 && run_command(inventory, m, POWER_STATUS, fd, context, error);

	if (good && pread(fd, text, sizeof(text) - 1, 0) >= 0)
		state = power_parse_status(text, m->power.type == POWER_POWERMAN ? m->power.node : NULL);
	if (good && state < 0)
		good = error_set(error, "power status: the answer has neither `on` nor `off`");
	if (fd >= 0)
		close(fd);
	*on = state > 0;
	return good;
}
