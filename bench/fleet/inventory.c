/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/inventory.h"

#include "fleet/inventory_check.h"
#include "fleet/inventory_form.h"
#include "fleet/inventory_schema.h"
#include "fleet/places.h"
#include "host/file.h"
#include "host/mem.h"
#include "host/text.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INVENTORY_MAX = 4 << 20, IPMI_PORT = 623, RAM_LOG_KIB = 1024 };

void inventory_problem(struct inventory_problems *problems, const char *fmt, ...)
{
	va_list args;

	problems->text = xreallocarray(problems->text, problems->count + 1, sizeof(*problems->text));
	va_start(args, fmt);
	problems->text[problems->count++] = xvasprintf(fmt, args);
	va_end(args);
}

void inventory_print_problems(const struct inventory_problems *problems)
{
	for (unsigned i = 0; i < problems->count; i++) {
		fputs("hbench: ", stderr);
		text_print_escaped(stderr, problems->text[i], strlen(problems->text[i]));
		fputc('\n', stderr);
	}
}

void inventory_free_problems(struct inventory_problems *problems)
{
	for (unsigned i = 0; i < problems->count; i++)
		free(problems->text[i]);
	free(problems->text);
	*problems = (struct inventory_problems){0};
}

/* --- what libcyaml says: the error, then where it was, innermost first --- */

struct complaint {
	char what[512];
	char where[256];
	bool in_trace;
};

static void on_message(cyaml_log_t level, void *context, const char *fmt, va_list args)
{
	struct complaint *c = context;
	char text[512];

	(void)level;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	if (strstr(text, "Backtrace"))
		c->in_trace = true;
	else if (!c->in_trace)
		snprintf(c->what, sizeof(c->what), "%s", strncmp(text, "Load: ", 6) ? text : text + 6);
	else if (!c->where[0])
		snprintf(c->where, sizeof(c->where), "%s", text + strspn(text, " "));
}

/* "in mapping field 'speed' (line: 12, column: 9)" */
static unsigned line_in(const char *where)
{
	const char *at = strstr(where, "line: ");

	return at ? (unsigned)strtoul(at + 6, NULL, 10) : 1;
}

static void tell_complaint(const struct complaint *c, const char *path, cyaml_err_t code,
			   struct inventory_problems *problems)
{
	const char *what = c->what[0] ? c->what : cyaml_strerror(code);
	int len = (int)strcspn(c->where, "(");

	/* A key that is missing was not in the field that was read last. */
	if (!strncmp(what, "Missing", 7))
		len = 0;
	while (len && c->where[len - 1] == ' ')
		len--;
	inventory_problem(problems, "%s:%u: %s%s%.*s", path, line_in(c->where), what, len ? ", " : "", len, c->where);
}

static struct inventory *load_checked_form(const char *data, size_t size, const char *path,
					   struct inventory_problems *problems)
{
	struct complaint complaint = {0};
	const cyaml_config_t config = {
		.log_fn = on_message,
		.log_ctx = &complaint,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS, /* a few lines of aliases can stand for gigabytes */
	};
	cyaml_data_t *out = NULL;
	cyaml_err_t code = cyaml_load_data((const uint8_t *)data, size, &config, &inventory_schema, &out, NULL);

	if (code != CYAML_OK)
		tell_complaint(&complaint, path, code, problems);
	return code == CYAML_OK ? out : NULL;
}

/* --- defaults --- */

static void fill(char **text, const char *fallback)
{
	if (!*text)
		*text = xstrdup(fallback);
}

static void fill_number(unsigned *number, unsigned fallback)
{
	if (!*number)
		*number = fallback;
}

static void fill_optional(unsigned **number, unsigned fallback)
{
	if (*number)
		return;
	*number = xcalloc(1, sizeof(**number));
	**number = fallback;
}

static void fill_timeouts(struct inventory_timeouts *t, const struct inventory_timeouts *fallback)
{
	fill_number(&t->power, fallback->power);
	fill_number(&t->boot, fallback->boot);
	fill_number(&t->run, fallback->run);
	fill_number(&t->silence, fallback->silence);
	fill_optional(&t->settle, *fallback->settle);
}

static void fill_probe(struct inventory_probe *p, const struct inventory_probe *fallback)
{
	if (p->when == LOOK_DEFAULT)
		p->when = fallback->when;
	if (p->unfit == UNFIT_DEFAULT)
		p->unfit = fallback->unfit;
	fill_number(&p->seconds, fallback->seconds);
}

static void fill_lab(struct inventory_lab *lab)
{
	unsigned settle = 2;
	const struct inventory_timeouts timeouts = {30, 180, 1800, 300, &settle};
	const struct inventory_probe probe = {LOOK_NEVER, UNFIT_WARN, 60};

	fill(&lab->folders.boot, "boot");
	fill(&lab->folders.runs, "runs");
	fill(&lab->folders.locks, "locks");
	fill(&lab->folders.probes, "probes");
	fill(&lab->network.netmask, "255.255.255.0");
	fill(&lab->network.user, "nobody");
	fill_number(&lab->network.http_port, 8080);
	fill_number(&lab->menu_seconds, 3);
	fill_timeouts(&lab->timeouts, &timeouts);
	fill_probe(&lab->probe, &probe);
	fill_optional(&lab->retries, 1);
	if (lab->after == AFTER_DEFAULT)
		lab->after = AFTER_OFF;
}

static void fill_bmc(struct inventory_bmc *bmc)
{
	fill_number(&bmc->port, IPMI_PORT);
	if (bmc->privilege == PRIVILEGE_DEFAULT)
		bmc->privilege = PRIVILEGE_ADMINISTRATOR;
}

static void fill_from(char **text, const char *other)
{
	if (other)
		fill(text, other);
}

/* What the console does not say of its controller is as with the one that has the power. */
static void fill_from_power(struct inventory_bmc *bmc, const struct inventory_bmc *power)
{
	fill_from(&bmc->host, power->host);
	fill_from(&bmc->user, power->user);
	fill_from(&bmc->password_file, power->password_file);
	fill_number(&bmc->port, power->port);
	if (power->cipher_suite)
		fill_optional(&bmc->cipher_suite, *power->cipher_suite);
	if (bmc->privilege == PRIVILEGE_DEFAULT)
		bmc->privilege = power->privilege;
	if (bmc->options || !power->options_count)
		return;
	bmc->options = xcalloc(power->options_count + 1, sizeof(*bmc->options));
	for (; bmc->options_count < power->options_count; bmc->options_count++)
		bmc->options[bmc->options_count] = xstrdup(power->options[bmc->options_count]);
}

static void fill_controllers(struct inventory_power *power, struct inventory_console *console)
{
	if (power->type == POWER_IPMI) {
		fill(&power->interface, "lanplus");
		fill_bmc(&power->bmc);
	}
	if (console->type != CONSOLE_IPMI)
		return;
	if (power->type == POWER_IPMI)
		fill_from_power(&console->bmc, &power->bmc);
	fill_bmc(&console->bmc);
	fill_number(&console->instance, 1);
}

static void fill_machine(struct inventory_machine *m, const struct inventory_lab *lab)
{
	fill_timeouts(&m->timeouts, &lab->timeouts);
	fill_probe(&m->probe, &lab->probe);
	fill_optional(&m->retries, *lab->retries);
	fill(&m->baseline, m->name);
	fill_number(&m->console.speed, 115200);
	if (m->console.type == CONSOLE_RAM)
		fill_number(&m->console.kib, RAM_LOG_KIB);
	if (m->after == AFTER_DEFAULT)
		m->after = lab->after;
	fill_controllers(&m->power, &m->console);
	if (m->power.type == POWER_POWERMAN)
		fill(&m->power.node, m->name);
	for (char *c = m->mac; c && *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
}

static void make_absolute(char **path, const char *folder)
{
	char *whole;

	if (!*path || **path == '/')
		return;
	whole = xasprintf("%s/%s", folder, *path);
	free(*path);
	*path = whole;
}

static void resolve(struct inventory *inventory)
{
	struct inventory_lab *lab = &inventory->lab;
	char **paths[] = {&lab->folders.boot,      &lab->folders.runs, &lab->folders.locks,
			  &lab->folders.baselines, &lab->folders.keys, &lab->folders.probes};

	for (size_t i = 0; i < array_size(paths); i++)
		make_absolute(paths[i], inventory->folder);
	if (lab->database && !strstr(lab->database, "://") && strcmp(lab->database, "none"))
		make_absolute(&lab->database, inventory->folder);
	for (unsigned i = 0; i < inventory->machines_count; i++) {
		make_absolute(&inventory->machines[i].console.path, inventory->folder);
		make_absolute(&inventory->machines[i].console.bmc.password_file, inventory->folder);
		make_absolute(&inventory->machines[i].power.bmc.password_file, inventory->folder);
	}
}

static void complete(struct inventory *inventory)
{
	fill_lab(&inventory->lab);
	for (unsigned i = 0; i < inventory->machines_count; i++)
		fill_machine(&inventory->machines[i], &inventory->lab);
	resolve(inventory);
}

/* The absolute path of a file that may not exist: that of its folder tells. */
static void set_path(struct inventory *inventory, const char *path)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/'), *real;

	if (slash)
		slash[slash == folder] = '\0';
	real = realpath(slash ? folder : ".", NULL);
	inventory->folder = real ? real : xstrdup(".");
	inventory->path = xasprintf("%s/%s", inventory->folder, slash ? path + (slash - folder) + 1 : path);
	free(folder);
}

struct inventory *inventory_parse(const char *data, size_t size, const char *path,
				  struct inventory_problems *problems)
{
	struct inventory *inventory;
	struct places *places;
	struct error error;

	places = places_read(data, size, &error);
	if (!places) {
		inventory_problem(problems, "%s:%s", path, error.text);
		return NULL;
	}
	inventory_form(places, path, problems);
	inventory = problems->count ? NULL : load_checked_form(data, size, path, problems);
	if (inventory) {
		set_path(inventory, path);
		complete(inventory);
		inventory_check(inventory, places, path, problems);
	}
	places_free(places);
	if (!problems->count)
		return inventory;
	inventory_free(inventory);
	return NULL;
}

struct inventory *inventory_load(const char *path, struct inventory_problems *problems)
{
	struct inventory *inventory;
	struct error error;
	size_t size;
	char *data = file_read(path, INVENTORY_MAX, &size, &error);

	if (!data) {
		inventory_problem(problems, "%s", error.text);
		return NULL;
	}
	inventory = inventory_parse(data, size, path, problems);
	free(data);
	return inventory;
}

void inventory_free(struct inventory *inventory)
{
	const cyaml_config_t config = {.mem_fn = cyaml_mem};

	if (!inventory)
		return;
	free(inventory->path);
	free(inventory->folder);
	cyaml_free(&config, &inventory_schema, inventory, 0);
}

/* --- asking --- */

const struct inventory_machine *inventory_find(const struct inventory *inventory, const char *name)
{
	for (unsigned i = 0; i < inventory->machines_count; i++)
		if (!strcmp(inventory->machines[i].name, name))
			return &inventory->machines[i];
	return NULL;
}

static bool has_word(char *const *words, unsigned count, const char *word, size_t len)
{
	for (unsigned i = 0; i < count; i++)
		if (strlen(words[i]) == len && !memcmp(words[i], word, len))
			return true;
	return false;
}

bool inventory_has_tags(const struct inventory_machine *machine, const char *tags)
{
	while (*tags) {
		size_t len = strcspn(tags, ",");

		if (len && !has_word(machine->tags, machine->tags_count, tags, len))
			return false;
		tags += len + (tags[len] == ',');
	}
	return true;
}

bool inventory_allows(const struct inventory_machine *machine, const char *suite)
{
	return !machine->suites_count || has_word(machine->suites, machine->suites_count, suite, strlen(suite));
}

const char *inventory_metric_name(const struct inventory_machine *machine)
{
	return machine->metric == METRIC_INSTRUCTIONS ? "instructions" : "ticks";
}

const char *inventory_console_name(const struct inventory_machine *machine)
{
	static const char *const names[] = {"tty", "tcp", "qemu", "command", "file", "ipmi", "ram"};

	return names[machine->console.type];
}

const char *inventory_power_name(const struct inventory_machine *machine)
{
	static const char *const names[] = {"command", "ipmi", "powerman"};

	return names[machine->power.type];
}

char *inventory_mac_name(const struct inventory_machine *machine)
{
	char *name = xstrdup(machine->mac);

	for (char *c = name; *c; c++)
		*c = (char)(*c == ':' ? '-' : *c);
	return name;
}

const struct inventory_machine *inventory_find_path(const struct inventory *inventory, const char *path,
						    const char *folder, const char **rest)
{
	size_t len = strlen(folder);

	if (strncmp(path, folder, len) || path[len] != '/')
		return NULL;
	path += len + 1;
	for (unsigned i = 0; i < inventory->machines_count; i++) {
		const struct inventory_machine *m = &inventory->machines[i];
		char *mac = m->mac ? inventory_mac_name(m) : NULL;
		bool same = mac && !strncasecmp(path, mac, strlen(mac));

		*rest = same ? path + strlen(mac) : "";
		free(mac);
		if (same)
			return m;
	}
	return NULL;
}
