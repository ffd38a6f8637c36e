/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values end up in the configuration of servers, in scripts of boot loaders and in arguments of programs. Their
 * characters are limited here, once, so that nothing needs quoting there.
 */
#include "fleet/inventory_check.h"

#include "host/mem.h"
#include "measure/serial_word.h"
#include "result/name.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_MAX_LENGTH = 63,
	INTERFACE_MAX = 15,
	SECONDS_MAX = 7 * 24 * 3600,
	RETRIES_MAX = 20,
	INSTANCE_MAX = 15,
	CIPHER_SUITE_MAX = 19,
	KIB_MIN = 4,
	KIB_MAX = 64 << 10
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

struct check {
	const struct inventory *inventory;
	const struct places *places;
	const char *path;
	struct inventory_problems *problems;
	unsigned index; /* of the machine that is looked at */
	bool in_machine;
};

static void problem(const struct check *c, const char *field, const char *fmt, ...) printf_like(3, 4);

/* field: below the machine, or below the lab. */
static void problem(const struct check *c, const char *field, const char *fmt, ...)
{
	char *place = c->in_machine ? xasprintf("machines/%u/%s", c->index, field) : xasprintf("lab/%s", field);
	char *text, *shown;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	shown = c->in_machine ? xasprintf("machine %s", c->inventory->machines[c->index].name) : xstrdup("lab");
	inventory_problem(c->problems, "%s:%u: %s: %s: %s", c->path, places_line(c->places, place), shown, field,
			  text);
	free(shown);
	free(text);
	free(place);
}

static bool only(const char *text, const char *characters)
{
	return !text[strspn(text, characters)];
}

static void check_name(const struct check *c, const char *field, const char *name)
{
	if (!only(name, LETTERS "._-") || strlen(name) > NAME_MAX_LENGTH || strchr(".-", *name))
		problem(c, field,
			"a name has at most %d letters, digits, `_`, `.` and `-`, and begins with none of "
			"the last two",
			NAME_MAX_LENGTH);
}

/* --- network --- */

static bool parse_address(const char *text, uint32_t *out)
{
	struct in_addr address;

	if (!text || inet_pton(AF_INET, text, &address) != 1)
		return false;
	*out = ntohl(address.s_addr);
	return true;
}

static void check_address(const struct check *c, const char *field, const char *text, bool needed)
{
	const struct inventory_network *n = &c->inventory->lab.network;
	uint32_t address, own = 0, mask;

	if (!text && !needed)
		return;
	if (!parse_address(text, &address))
		problem(c, field, "%s is needed, an IPv4 address such as 10.77.0.1", text ? text : "it");
	else if (parse_address(n->address, &own) && parse_address(n->netmask, &mask) && (address ^ own) & mask)
		problem(c, field, "%s is not in the network of %s with the mask %s", text, n->address, n->netmask);
	else if (text != n->address && n->address && address == own)
		problem(c, field, "%s is the server's own", text);
}

static void check_mask(const struct check *c, const char *text)
{
	uint32_t mask;

	if (!parse_address(text, &mask) || !mask || (~mask & (~mask + 1)))
		problem(c, "network/netmask", "%s is no mask such as 255.255.255.0", text);
}

static bool is_path(const char *text)
{
	return only(text, LETTERS "/._-+@ ");
}

static void check_folder(const struct check *c, const char *field, const char *folder)
{
	if (folder && !is_path(folder))
		problem(c, field, "%s: a folder's path has letters, digits, blanks, and `/._-+@` only", folder);
}

static bool boots_from_network(const struct inventory *inventory)
{
	for (unsigned i = 0; i < inventory->machines_count; i++)
		if (inventory->machines[i].boot == BOOT_NETWORK)
			return true;
	return false;
}

static void check_range(const struct check *c, const struct inventory_network *n)
{
	uint32_t first, last;

	if (parse_address(n->first, &first) && parse_address(n->last, &last) && first > last)
		problem(c, "network/last", "%s comes before the first one, %s", n->last, n->first);
}

static void check_network(const struct check *c)
{
	const struct inventory_network *n = &c->inventory->lab.network;
	bool needed = boots_from_network(c->inventory);

	if (!n->interface && needed)
		problem(c, "network/interface", "it is needed, since machines boot from the network");
	if (n->interface && (strlen(n->interface) > INTERFACE_MAX || !only(n->interface, LETTERS "._-@")))
		problem(c, "network/interface", "%s is no name of an interface", n->interface);
	check_mask(c, n->netmask);
	check_address(c, "network/address", n->address, needed);
	check_address(c, "network/first", n->first, n->last);
	check_address(c, "network/last", n->last, n->first);
	check_range(c, n);
	if (n->http_port > 65535)
		problem(c, "network/http_port", "%u is no port", n->http_port);
	if (!only(n->user, LETTERS "_-."))
		problem(c, "network/user", "%s is no name of a user", n->user);
}

/* --- times --- */

static void check_seconds(const struct check *c, const char *field, unsigned seconds)
{
	if (seconds > SECONDS_MAX)
		problem(c, field, "%u s are more than a week", seconds);
}

static void check_times(const struct check *c, const struct inventory_timeouts *t, unsigned retries)
{
	check_seconds(c, "timeouts/power", t->power);
	check_seconds(c, "timeouts/settle", *t->settle);
	check_seconds(c, "timeouts/boot", t->boot);
	check_seconds(c, "timeouts/run", t->run);
	check_seconds(c, "timeouts/silence", t->silence);
	if (retries > RETRIES_MAX)
		problem(c, "retries", "%u are too many; at most %d", retries, RETRIES_MAX);
}

static void check_lab(const struct check *c)
{
	const struct inventory_lab *lab = &c->inventory->lab;

	check_name(c, "name", lab->name);
	check_network(c);
	check_folder(c, "directories/boot", lab->folders.boot);
	check_folder(c, "directories/runs", lab->folders.runs);
	check_folder(c, "directories/locks", lab->folders.locks);
	check_folder(c, "directories/baselines", lab->folders.baselines);
	check_folder(c, "directories/keys", lab->folders.keys);
	check_folder(c, "directories/probes", lab->folders.probes);
	check_times(c, &lab->timeouts, *lab->retries);
	check_seconds(c, "menu_seconds", lab->menu_seconds);
}

/* --- machines --- */

static bool is_mac(const char *mac)
{
	unsigned digits = 0;

	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? mac[i] != ':' : !mac[i] || !strchr("0123456789abcdef", mac[i]))
			return false;
		else if (mac[i] != '0' && mac[i] != ':')
			digits++;
	/* An odd first byte is a group's address. */
	return !mac[17] && digits && !strchr("13579bdf", mac[1]);
}

static void check_mac(const struct check *c, const struct inventory_machine *m)
{
	if (!m->mac && m->boot == BOOT_NETWORK)
		problem(c, "mac", "it is needed for a machine that boots from the network");
	else if (m->mac && !is_mac(m->mac))
		problem(c, "mac", "%s is no address of a network card such as 52:54:00:12:34:56", m->mac);
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static void check_unique(const struct check *c, const struct inventory_machine *m)
{
	for (unsigned i = 0; i < c->index; i++) {
		const struct inventory_machine *other = &c->inventory->machines[i];

		if (same(m->name, other->name))
			problem(c, "name", "another machine has this name");
		if (same(m->mac, other->mac))
			problem(c, "mac", "%s is the one of %s", m->mac, other->name);
		if (same(m->address, other->address))
			problem(c, "address", "%s is the one of %s", m->address, other->name);
	}
}

static void need_none(const struct check *c, const char *field, bool there, const char *type)
{
	if (there)
		problem(c, field, "the type %s has no such field", type);
}

static void need(const struct check *c, const char *field, bool wanted, bool there, const char *type)
{
	if (wanted && !there)
		problem(c, field, "it is needed for the type %s", type);
	need_none(c, field, !wanted && there, type);
}

/*
 * Those that only choose; the others name files and secrets, or would put a secret into what everybody can see: the
 * list of processes. Each is followed by its value, but -v and -K, which takes a key from the environment.
 */
static bool is_bmc_option(const char *word)
{
	return strlen(word) == 2 && *word == '-' && strchr("ABKNRTbelmotvz", word[1]);
}

static void check_bmc_options(const struct check *c, const char *where, const struct inventory_bmc *bmc)
{
	for (unsigned i = 0; i < bmc->options_count; i++)
		if (*bmc->options[i] == '-' ? !is_bmc_option(bmc->options[i])
					    : !*bmc->options[i] || !only(bmc->options[i], LETTERS "._-,:=~&"))
			problem(c, where,
				"`%.80s`: there are -A -B -K -N -R -T -b -e -l -m -o -t -v -z, each a "
				"word of its own, and their values",
				bmc->options[i]);
}

static void check_bmc_values(const struct check *c, const char *part, const struct inventory_bmc *bmc)
{
	char *port = xasprintf("%s/port", part), *suite = xasprintf("%s/cipher_suite", part);
	char *options = xasprintf("%s/options", part), *user = xasprintf("%s/user", part);

	if (bmc->port > 65535)
		problem(c, port, "%u is no port", bmc->port);
	if (bmc->cipher_suite && *bmc->cipher_suite > CIPHER_SUITE_MAX)
		problem(c, suite, "%u is none; at most %d", *bmc->cipher_suite, CIPHER_SUITE_MAX);
	if (bmc->user && *bmc->user == '-')
		problem(c, user, "%s would be an option of ipmitool", bmc->user);
	check_bmc_options(c, options, bmc);
	free(user);
	free(options);
	free(suite);
	free(port);
}

/* host: checked by the caller, for powerman has one, too. */
static void check_bmc(const struct check *c, const char *part, const struct inventory_bmc *bmc, bool ipmi,
		      const char *type)
{
	const struct {
		const char *name;
		bool needed, there;
	} fields[] = {
		{"user", ipmi, bmc->user},
		{"password_file", ipmi, bmc->password_file},
		{"port", false, !ipmi && bmc->port},
		{"cipher_suite", false, !ipmi && bmc->cipher_suite},
		{"privilege", false, !ipmi && bmc->privilege != PRIVILEGE_DEFAULT},
		{"options", false, !ipmi && bmc->options},
	};

	for (size_t i = 0; i < array_size(fields); i++) {
		char *field = xasprintf("%s/%s", part, fields[i].name);

		need(c, field, fields[i].needed, fields[i].there, type);
		free(field);
	}
	check_bmc_values(c, part, bmc);
}

static void check_host(const struct check *c, const char *field, const char *host)
{
	if (host && (*host == '-' || !only(host, LETTERS ".-_:")))
		problem(c, field, "%s is no host", host);
}

static void check_console(const struct check *c, const struct inventory_machine *m)
{
	const struct inventory_console *console = &m->console;
	const char *type = inventory_console_name(m);
	enum console_type t = console->type;

	need(c, "console/device", t == CONSOLE_TTY, console->device, type);
	need(c, "console/address", t == CONSOLE_TCP, console->address, type);
	need(c, "console/path", t == CONSOLE_QEMU || t == CONSOLE_FILE, console->path, type);
	need(c, "console/command", t == CONSOLE_COMMAND, console->command, type);
	need(c, "console/host", t == CONSOLE_IPMI, console->bmc.host, type);
	check_host(c, "console/host", console->bmc.host);
	check_bmc(c, "console", &console->bmc, t == CONSOLE_IPMI, type);
	need_none(c, "console/instance", t != CONSOLE_IPMI && console->instance, type);
	need_none(c, "console/kib", t != CONSOLE_RAM && console->kib, type);
	if (console->kib && (console->kib & (console->kib - 1) || console->kib < KIB_MIN || console->kib > KIB_MAX))
		problem(c, "console/kib", "%u is no power of two from %d to %d", console->kib, KIB_MIN, KIB_MAX);
	if (t == CONSOLE_RAM && m->boot != BOOT_NETWORK)
		problem(c, "console/type", "a log in RAM is collected by network boot: `boot: network`");
	if (console->instance > INSTANCE_MAX)
		problem(c, "console/instance", "%u is none; at most %d", console->instance, INSTANCE_MAX);
	if (console->address && (!strrchr(console->address, ':') || !only(console->address, LETTERS ".-_:[]")))
		problem(c, "console/address", "%s is not HOST:PORT", console->address);
}

static void check_words(const struct check *c, const char *field, char *const *words, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (const char *at = strchr(words[i], '{'); at; at = strchr(at + 1, '{'))
			if (strncmp(at, "{name}", 6) && strncmp(at, "{mac}", 5))
				problem(c, field, "%s: there are {name} and {mac}, nothing else in braces", words[i]);
}

static void check_power_commands(const struct check *c, const struct inventory_power *p)
{
	bool both = p->on && p->off;

	if (!both && !p->cycle)
		problem(c, "power", "the type command needs `on` and `off`, or `cycle`");
	check_words(c, "power/on", p->on, p->on_count);
	check_words(c, "power/off", p->off, p->off_count);
	check_words(c, "power/cycle", p->cycle, p->cycle_count);
	check_words(c, "power/status", p->status, p->status_count);
}

static void check_power(const struct check *c, const struct inventory_machine *m)
{
	const struct inventory_power *p = &m->power;
	const char *type = inventory_power_name(m);
	bool command = p->type == POWER_COMMAND, ipmi = p->type == POWER_IPMI, powerman = p->type == POWER_POWERMAN;

	if (command)
		check_power_commands(c, p);
	else if (p->on || p->off || p->cycle || p->status)
		problem(c, "power", "the type %s knows its commands itself", type);
	if (ipmi || command)
		need(c, "power/host", ipmi, p->bmc.host, type);
	check_bmc(c, "power", &p->bmc, ipmi, type);
	need(c, "power/interface", ipmi, p->interface, type);
	need(c, "power/node", powerman, p->node, type);
	check_host(c, "power/host", p->bmc.host);
	if (p->node && !only(p->node, LETTERS ".-_[],"))
		problem(c, "power/node", "%s is no node", p->node);
	if (m->after == AFTER_OFF && command && !p->off)
		problem(c, "after", "without `off` the machine cannot be switched off: say `after: leave`");
	if (m->after == AFTER_ON && command && !p->on)
		problem(c, "after", "without `on` the machine cannot be switched on: say `after: leave`");
}

static void check_lists(const struct check *c, const struct inventory_machine *m)
{
	for (unsigned i = 0; i < m->tags_count; i++)
		if (!*m->tags[i] || !only(m->tags[i], LETTERS "._-"))
			problem(c, "tags", "`%s`: a tag has letters, digits, `_`, `.` and `-`", m->tags[i]);
	for (unsigned i = 0; i < m->suites_count; i++)
		if (!name_valid(m->suites[i]))
			problem(c, "suites", "`%s` is no name of a suite", m->suites[i]);
}

static void check_append(const struct check *c, const struct inventory_machine *m)
{
	bool tty = m->console.type == CONSOLE_TTY;
	struct error error;
	unsigned long baud;

	if (!only(m->append, LETTERS "_=.,:/+- "))
		problem(c, "append", "words have letters, digits and `_=.,:/+-` only");
	else if (!serial_word_check(m->append, &baud, &error))
		problem(c, "append", "%s", error.text);
	else if (tty && baud && baud != m->console.speed)
		problem(c, "append", "the kernel is told %lu baud, and its console listens at %u", baud,
			m->console.speed);
}

/* A machine that is only watching must not be taken for one that hangs. */
static void check_probe(const struct check *c, const struct inventory_machine *m)
{
	const struct inventory_timeouts *t = &m->timeouts;
	unsigned patience = t->silence < t->run ? t->silence : t->run;

	if (m->probe.when != LOOK_NEVER && m->probe.seconds >= patience)
		problem(c, "probe/seconds",
			"the machine says nothing for %u s then, and would be given up after %u (timeouts: run, "
			"silence)",
			m->probe.seconds, patience);
}

static void check_machine(const struct check *c)
{
	const struct inventory_machine *m = &c->inventory->machines[c->index];

	check_name(c, "name", m->name);
	check_name(c, "baseline", m->baseline);
	check_unique(c, m);
	check_mac(c, m);
	check_address(c, "address", m->address, false);
	check_console(c, m);
	check_power(c, m);
	check_lists(c, m);
	check_times(c, &m->timeouts, *m->retries);
	check_probe(c, m);
	if (m->append)
		check_append(c, m);
}

void inventory_check(const struct inventory *inventory, const struct places *places, const char *path,
		     struct inventory_problems *problems)
{
	struct check check = {inventory, places, path, problems, 0, false};

	check_lab(&check);
	check.in_machine = true;
	for (; check.index < inventory->machines_count; check.index++)
		check_machine(&check);
}
